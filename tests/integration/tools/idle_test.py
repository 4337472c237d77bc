#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A worker that may sleep needs hardly any CPU time without traffic. It loses the same frames as a worker that
polls, and reloads and the end of the program are as fast.

  idle_test.py TWINPATH_XDP TWINPATH TWINPATH_DPDK"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from wait import wait_for
from xdp_lab import XdpTest, main, run
from xdp_traffic import Capture, number_of, send

DPDK, TWINPATH = (os.path.realpath(sys.argv[place]) for place in (3, 2))
FRAMES = 1500
TICKS = os.sysconf("SC_CLK_TCK")


class Idle(XdpTest):
    def start_dpdk(self, idle, *arguments, loss="10%"):
        """Starts the program without hugepages."""
        self.summary = self.folder / "summary.json"
        log = open(self.folder / "log", "w+", encoding="utf-8")
        self.addCleanup(log.close)
        self.process = subprocess.Popen(
            [DPDK, "--idle", idle, "--loss", loss, "--seed", "3", *arguments, "--summary", self.summary,
             "--", "--no-huge"], stdout=subprocess.DEVNULL, stderr=log)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

        def runs():
            self.log = (self.folder / "log").read_text()
            self.assertIsNone(self.process.poll(), self.log)
            return ": lcores " in self.log
        wait_for("the start", runs)

    def end_dpdk(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.process.wait(30))
        return json.loads(self.summary.read_text())

    def cpu_share(self, seconds=1.0):
        """The share of one CPU over that time, including all threads."""
        def used():
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / TICKS
        before = used()
        time.sleep(seconds)
        return (used() - before) / seconds

    def lcores(self):
        asked = subprocess.run(["dpdk-telemetry.py", "-f", "twinpath-dpdk"], input="/twinpath/lcores\n",
                               capture_output=True, text=True, timeout=30, check=True).stdout
        answer = next(json.loads(line) for line in asked.splitlines() if "slept_us" in line)["/twinpath/lcores"]
        return [answer[str(place)] for place in range(answer["total"])]

    def pass_through(self, pauses):
        """Sends frames in bursts with pauses; the worker sleeps in some of the pauses. Returns the numbers of the
        frames that arrive at the other end."""
        with Capture("sink") as capture:
            numbers = list(range(FRAMES))
            while numbers:
                send("gen", "lan", numbers[:50])
                numbers = numbers[50:]
                time.sleep(pauses)
            time.sleep(0.1)
            return [number_of(frame) for frame in capture.frames()]

    def run_wire(self, idle, pauses, *arguments):
        self.start_dpdk(idle, "--port", "lan=lan", "--port", "wan=wan", "--forward", "wan", *arguments)
        share = self.cpu_share()
        came = self.pass_through(pauses)
        lcores = self.lcores()
        summary = self.end_dpdk()
        for queue in summary["queues"]:
            for unit in ("packets", "bytes"):
                self.assertEqual(queue[f"rx_{unit}"], queue[f"tx_{unit}"] + queue[f"lost_{unit}"], queue)
        self.assertEqual(FRAMES, summary["totals"]["rx_packets"])
        return share, came, lcores

    def test_a_wire_on_kernel_interfaces(self):
        self.wire()
        busy, came_busy, polled = self.run_wire("busy", 0)
        idle, came_idle, slept = self.run_wire("adaptive", 0.005)
        print(f"\n  CPU while nothing comes: busy {busy:.1%}, adaptive {idle:.1%};"
              f" {slept[0]['sleeps']} sleeps, {slept[0]['slept_us'] / 1e6:.2f} s", flush=True)
        self.assertLess(idle, 0.1)
        self.assertEqual(came_busy, came_idle)
        self.assertEqual([("busy", 0, 0)], [(core["idle"], core["sleeps"], core["slept_us"]) for core in polled])
        self.assertEqual("adaptive", slept[0]["idle"])
        self.assertGreater(slept[0]["sleeps"], FRAMES / 50 / 2)  # in most of the pauses
        self.assertGreater(slept[0]["slept_us"], 500000)
        self.assertIn("sleeps until a frame arrives", self.log)

    def test_reloads_while_it_sleeps(self):
        self.wire()
        drop = self.policy({"forward": "drop"}, {"name": "all", "match": {"port": "lan"}, "forward": "drop"})
        self.start_dpdk("adaptive", "--port", "lan=lan", "--port", "wan=wan", "--forward", "wan")
        began = time.monotonic()
        for _ in range(20):
            run(TWINPATH, "reload", drop)
        print(f"\n  20 reloads while it sleeps in {time.monotonic() - began:.2f} s", flush=True)
        send("gen", "lan", range(100))
        wait_for("the frames", lambda: self.lcores()[0]["packets"] == 100)
        began = time.monotonic()
        summary = self.end_dpdk()
        print(f"  ended in {time.monotonic() - began:.2f} s", flush=True)
        self.assertEqual((20, 100), (summary["reloads"]["done"], summary["totals"]["rx_packets"]))
        self.assertEqual(0, summary["totals"]["tx_packets"])

    def test_what_cannot_wake_it_is_napped_for(self):
        """net_af_packet has no RX interrupts."""
        self.wire()
        self.start_dpdk("adaptive", "--port", "lan=net_af_packet0,iface=lan", "--forward", "reflect")
        share = self.cpu_share()
        with Capture("gen") as capture:
            send("gen", "lan", range(100))
            wait_for("the frames", lambda: self.lcores()[0]["packets"] >= 100)
            self.assertGreaterEqual(len(capture.frames(at_least=75)), 75)
        summary = self.end_dpdk()
        print(f"\n  CPU while nothing comes, by naps: {share:.1%}", flush=True)
        self.assertLess(share, 0.3)
        self.assertIn("sleeps at most 250 us at a time: no RX interrupt on net_af_packet0 queue 0",
                      self.log)
        self.assertEqual(summary["totals"]["rx_packets"],
                         summary["totals"]["tx_packets"] + summary["totals"]["lost_packets"])

    def test_what_the_kernel_sends_wakes_it(self):
        """The exception port's descriptor wakes the worker."""
        self.wire()
        run("ip", "addr", "add", "10.9.0.1/24", "dev", "lan")
        self.start_dpdk("adaptive", "--port", "lan=lan", "--forward", "pass", loss="0")
        self.assertIn("sleeps until a frame arrives", self.log)
        share = self.cpu_share()
        self.assertLess(share, 0.1)
        with Capture("gen") as capture:
            run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:00:00:02", "dev", "tp-lan")
            run("ip", "route", "add", "10.9.0.2/32", "dev", "tp-lan", "src", "10.9.0.1")
            subprocess.run(["ping", "-c", "5", "-i", "0.1", "-W", "0.1", "10.9.0.2"], stdout=subprocess.DEVNULL,
                           timeout=30, check=False)
            self.assertEqual(5, len([frame for frame in capture.frames(at_least=5) if frame[23] == 1]))
        self.end_dpdk()

    def test_no_other_word_is_taken(self):
        refused = subprocess.run([DPDK, "--idle", "lazy", "--port", "a=net_null0"], capture_output=True, text=True,
                                 timeout=30, check=False)
        self.assertEqual((2, "twinpath-dpdk: --idle: found \"lazy\", allowed \"busy\" or \"adaptive\"\n"),
                         (refused.returncode, refused.stderr))


main()
