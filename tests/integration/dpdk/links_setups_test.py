#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces that disappear while twinpath-dpdk runs with two workers, sleeps without traffic, or uses the
af_packet PMD.

  links_setups_test.py TWINPATH-DPDK"""
import contextlib
import os
import pathlib
import time
import unittest

import stopped_thread
from dpdk_lab import arrived, until
from link_lab import CPUS, Links, main


@unittest.skipIf(len(CPUS) < 2, "needs two CPUs")
class TwoWorkersTest(Links):
    """The second worker has the second queue of each port, on which nothing arrives."""
    lcores = CPUS

    def test_a_stopped_worker_delays_one_port_only(self):
        devices = self.devices()
        self.remove("out0")
        self.program.said("port out: out0 disappeared")
        until("its devices are closed", lambda: self.devices() < devices)
        worker, = stopped_thread.threads_of(self.program.process.pid, *stopped_thread.WORKERS)
        with stopped_thread.held(worker):
            self.remove("wan0")
            self.program.said("port wan: wan0 disappeared")  # its devices stay, because the worker may use them
            self.make("out0")
            back = time.monotonic()

            def arrives():
                self.other.send(10)
                return arrived("out1") > 0
            until("frames leave by the port that is back", arrives)
            print(f"frames leave by it {1000 * (time.monotonic() - back):.0f} ms after it is back", flush=True)
        self.program.said("port out: recovered")
        self.wan_comes_back()
        self.program.stop()
        self.nothing_stays()


class AdaptiveTest(Links):
    """The worker sleeps without traffic, also while a port is gone. A frame of the port that came back wakes it."""
    options = ("--idle", "adaptive")

    def mean_sleep(self):
        """The mean length of the next fifty sleeps, in microseconds."""
        def now():
            lcore, = self.telemetry.list("/twinpath/lcores")
            return lcore["sleeps"], lcore["slept_us"]
        sleeps, slept = now()
        until("it sleeps", lambda: now()[0] >= sleeps + 50)
        more, us = now()
        return (us - slept) / (more - sleeps)

    def listened_to(self):
        """Returns how many file descriptors can end a sleep of any thread of the program."""
        process = pathlib.Path(f"/proc/{self.program.process.pid}")
        found = 0
        for file in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(file) == "anon_inode:[eventpoll]":
                    found += (process / "fdinfo" / file.name).read_text().count("tfd:")
        return found

    def test_an_interface_vanishes_and_comes_back(self):
        asleep = [self.mean_sleep()]
        listened_to = self.listened_to()
        for _ in range(2):
            gone = time.monotonic()
            self.remove("wan0")
            self.program.said("port wan: wan0 disappeared", since=gone)
            self.sent(1000)
            self.the_others_go_on()
            asleep.append(self.mean_sleep())
            until("the closed device wakes nobody", lambda: self.listened_to() == listened_to - 1)
            self.wan_comes_back()
            self.assertEqual(self.listened_to(), listened_to)
            asleep.append(self.mean_sleep())
        print("mean sleeps: " + ", ".join(f"{us:.0f} us" for us in asleep), flush=True)
        # A worker that frames do not wake sleeps for at most 250 us; one that they wake, for 10 ms.
        self.assertGreater(min(asleep), 1000)
        self.faults_over(self.program.stop(), 2, "gone")
        self.nothing_stays()


class AfPacketTest(Links):
    """The port is a vdev that uses the interface."""
    wan_device = "net_af_packet0,iface=wan0"

    def test_another_interface_of_the_same_name_and_number(self):
        self.another_takes_its_place()

    def test_an_interface_vanishes_and_comes_back(self):
        self.wan_works_both_ways()
        for _ in range(3):
            gone = time.monotonic()
            self.remove("wan0")
            self.program.said("port wan: wan0 disappeared", since=gone)
            self.assertEqual(self.telemetry.port("wan")["link"], "gone")
            self.sent(3000)
            self.the_others_go_on()
            self.wan_comes_back()
        summary = self.program.stop()
        self.assertGreater(summary["totals"]["tx_full_packets"], 0)
        self.faults_over(summary, 3, "gone")
        self.nothing_stays()


main()
