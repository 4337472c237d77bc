#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The messages of each program to a service manager: READY when it runs, WATCHDOG while every worker makes
progress (none while a worker is stopped), STOPPING at the end.

  service_test.py TWINPATH-DPDK TWINPATH-XDP TWINPATH-SPLICE TWINPATH-SOCKET
"""
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import isolation
import stopped_thread

isolation.require()
DPDK, XDP, SPLICE, SOCKET = (os.path.abspath(path) for path in sys.argv[1:5])
del sys.argv[1:]
WATCHDOG_S = 0.4


class Manager:
    """The part of a service manager that receives a service's messages."""

    def __init__(self, folder, command, abstract=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0twinpath-test-{os.getpid()}" if abstract else f"{folder}/notify"
        self.socket.bind(name)
        self.socket.settimeout(30)
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder,
            env={**os.environ, "NOTIFY_SOCKET": name.replace("\0", "@"),
                 "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))})

    def next(self):
        try:
            return self.socket.recv(4096).decode()
        except socket.timeout:
            self.process.kill()
            raise AssertionError(f"no message: {self.process.communicate()[1]}") from None

    def told_within(self, seconds):
        """Returns the messages that arrive within this time."""
        told, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                told.append(self.socket.recv(4096).decode())
            except socket.timeout:
                break
        self.socket.settimeout(30)
        return told

    def forget(self):
        """Discards the messages that have arrived."""
        self.told_within(0.05)

    def end(self):
        self.process.terminate()
        status = self.process.wait(timeout=20)
        self.process.stderr.close()
        told = self.told_within(0.05)
        self.socket.close()
        return status, told


class ServiceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, command, **more):
        manager = Manager(self.folder, command, **more)
        self.addCleanup(manager.socket.close)
        self.addCleanup(manager.process.stderr.close)
        self.addCleanup(manager.process.wait)
        self.addCleanup(manager.process.kill)
        first = manager.next().split("\n")
        self.assertEqual("READY=1", first[0])
        self.assertTrue(first[1].startswith("STATUS="), first)
        self.assertIn(f"MAINPID={manager.process.pid}", first)
        return manager

    def watchdog_follows(self, manager, thread):
        """Checks that there is no WATCHDOG while `thread` is stopped, and that there is one again afterwards."""
        self.assertEqual("WATCHDOG=1", manager.next())
        with stopped_thread.held(thread):
            manager.told_within(WATCHDOG_S / 2)  # a message that was on its way
            self.assertEqual([], manager.told_within(3 * WATCHDOG_S))
        self.assertEqual("WATCHDOG=1", manager.next())

    def ends_well(self, manager):
        status, told = manager.end()
        self.assertEqual(0, status)
        self.assertEqual("STOPPING=1", told[-1])

    def dpdk(self, lcores):
        return [DPDK, "--port", "a=net_null0", "--forward", "drop", "--queues", str(lcores.count(",") + 1),
                "--lcores", lcores, "--", "--no-huge", f"--file-prefix=service{os.getpid()}"]

    def test_dpdk_sends_watchdog_while_every_lcore_runs(self):
        cpus = sorted(os.sched_getaffinity(0))[:2]
        manager = self.start(self.dpdk(",".join(map(str, cpus))))
        if len(cpus) > 1:
            worker, = stopped_thread.threads_of(manager.process.pid, *stopped_thread.WORKERS)
            self.watchdog_follows(manager, worker)
        self.ends_well(manager)

    def test_dpdk_main_lcore_counts_too_and_an_abstract_socket_works(self):
        manager = self.start(self.dpdk(str(min(os.sched_getaffinity(0)))), abstract=True)
        self.watchdog_follows(manager, manager.process.pid)
        self.ends_well(manager)

    def test_xdp_sends_watchdog_from_its_main_loop(self):
        subprocess.run("ip link add srv0 type veth peer name srv1 && ip link set srv0 up && ip link set srv1 up",
                       shell=True, check=True)
        manager = self.start([XDP, "--port", "a=srv0", "--forward", "drop"])
        self.watchdog_follows(manager, manager.process.pid)
        self.ends_well(manager)
        subprocess.run(["ip", "link", "del", "srv0"], check=True)

    def test_socket_sends_watchdog_while_idle_and_not_while_a_worker_is_stopped(self):
        subprocess.run("ip link add srv2 type veth peer name srv3 && ip link set srv2 up && ip link set srv3 up",
                       shell=True, check=True)
        manager = self.start([SOCKET, "--port", "a=srv2", "--forward", "drop", "--queues", "2"])
        workers = stopped_thread.threads_of(manager.process.pid, "tp-worker", count=2)
        self.watchdog_follows(manager, workers[1])
        self.ends_well(manager)
        subprocess.run(["ip", "link", "del", "srv2"], check=True)

    def test_splice_sends_watchdog_while_idle_and_not_while_a_worker_is_stopped(self):
        manager = self.start([SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9",
                              "--workers", "2", "--mode", "splice"])
        workers = stopped_thread.threads_of(manager.process.pid, "tp-splice", count=2)
        self.watchdog_follows(manager, workers[1])
        self.ends_well(manager)

    def test_a_program_that_does_not_start_says_nothing(self):
        manager = Manager(self.folder, [DPDK, "--port", "a=net_null0", "--", "--no-huge", "-m", "1"])
        self.assertEqual(2, manager.process.wait(timeout=30))
        manager.process.stderr.close()
        self.assertEqual([], manager.told_within(0.05))
        manager.socket.close()

    def test_without_a_manager(self):
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        command = self.dpdk(str(min(os.sched_getaffinity(0))))
        command[1:1] = ["--duration", "0.1"]
        self.assertEqual(0, subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False,
                                           stderr=subprocess.DEVNULL, timeout=60).returncode)


unittest.main(verbosity=2)
