#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ends each program repeatedly while traffic flows. After kill -9 it is started again at once: traffic must
flow, and nothing may accumulate. After SIGTERM it must end with every packet accounted for. Prints how long
each start and end took.

  endings_test.py TWINPATH_XDP TWINPATH TWINPATH_DPDK TWINPATH_SPLICE

ENDINGS (environment): how often each is killed (3)."""
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import socketserver
import statistics
import subprocess
import sys
import threading
import time

from verdicts import check_conserved
from wait import wait_for
from xdp_lab import XdpTest, attached, leavings, main, maps_of, run
from xdp_traffic import generate, received

XDP, DPDK, SPLICE = (os.path.realpath(sys.argv[place]) for place in (1, 3, 4))
KILLS = int(os.environ.get("ENDINGS", "3"))
ENDLESS = 1 << 40  # frames; the test stops the generator
SOME = 1000  # frames that show that traffic flows
HANGS_S = 60  # for a busy machine; the figures are printed
HUGE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB")


class Running:
    """A program that runs. It has printed a line with each word of `ready` in turn on stderr."""

    def __init__(self, folder, command, ready):
        self.summary = pathlib.Path(folder, "summary.json")
        self.summary.unlink(missing_ok=True)
        self.process = subprocess.Popen([*command, "--summary", self.summary], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        said = ""
        for word in ready:
            line = ""
            while word not in line:
                line = self.process.stderr.readline()
                said += line
                if not line:
                    status = self.process.wait(30)
                    self.process.stderr.close()
                    raise AssertionError(f"exit status {status} instead of a start: {said}")

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process.stderr.close()

    def terminate(self):
        """Ends the program by SIGTERM. Returns (the seconds that took, the summary)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(HANGS_S)
        took = time.monotonic() - began
        with self.process.stderr:
            assert status == 0, f"exit status {status}: {self.process.stderr.read()}"
        return took, json.loads(self.summary.read_text())


def taken_hugepages():
    """How many hugepages all processes of the machine use. The total may change meanwhile."""
    return int((HUGE / "nr_hugepages").read_text()) - int((HUGE / "free_hugepages").read_text())


def figures(seconds):
    return f"{min(seconds):.2f}/{statistics.median(seconds):.2f}/{max(seconds):.2f} s"


class Echo(socketserver.ThreadingTCPServer):
    """The target of twinpath-splice."""
    allow_reuse_address = daemon_threads = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):
                while data := self.request.recv(1 << 16):
                    self.request.sendall(data)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class EndingsTest(XdpTest):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path("/run/hugepages")  # the outer one is hidden, and EAL needs to see it
        if not folder.exists():
            folder.mkdir()
            run("mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", folder)
        self.program = None
        self.addCleanup(lambda: self.program and self.program.process.poll() is None and self.program.kill())

    def start(self, *unused):
        self.program = Running(self.folder, self.command, self.ready)

    def killed(self, flows, while_it_runs=lambda: None):
        """Kills the program KILLS times, at random moments (from a seed), and starts it again. flows() returns
        when traffic flows; while_it_runs() must return the same in every round."""
        took, chance = [], random.Random(11)
        name = pathlib.Path(self.command[0]).name
        self.start()
        flows()
        steady = while_it_runs()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0, 0.2))
            began = time.monotonic()
            self.program.kill()
            self.start()
            flows()
            took.append(time.monotonic() - began)
            self.assertEqual(steady, while_it_runs())
        print(f"\n  {name}: killed {KILLS} times; traffic flowed again, minimum/median/maximum, after {figures(took)}",
              flush=True)
        self.assertLess(max(took), HANGS_S)

    def killed_before_it_runs(self):
        """Kills programs while they start, at random moments (from a seed). The next one must start."""
        chance = random.Random(12)
        for _ in range(KILLS):
            process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
            process.wait(30)

    def ended(self, flows, check):
        """Ends the program under load by SIGTERM, KILLS times but at most ten."""
        took = []
        for _ in range(min(KILLS, 10)):
            self.start()
            flows()
            seconds, summary = self.program.terminate()
            took.append(seconds)
            check(summary)
        print(f"\n  {pathlib.Path(self.command[0]).name}: SIGTERM {len(took)} times; ended, minimum/median/maximum, "
              f"in {figures(took)}", flush=True)
        self.assertLess(max(took), HANGS_S)

    def nothing_is_left(self, before):
        """Checks that a killed program leaves nothing behind once another has run and ended."""
        def left():
            now = leavings(self.command[0])
            return {kind for kind in before if kind not in ("files", "temporary") and before[kind] != now[kind]}
        self.program.kill()
        wait_for("what kill -9 leaves to go", lambda: not left())
        self.start()  # the next program removes what is left in the file system
        self.program.terminate()
        self.program.summary.unlink()
        self.assertEqual(before, leavings(self.command[0]))
        self.assertEqual("", run("ip", "netns", "list"))
        self.assertNotIn("PROMISC", run("ip", "link"))

    @contextlib.contextmanager
    def load(self):
        with generate("gen", ENDLESS, cpu=max(os.sched_getaffinity(0))) as generator:
            try:
                yield
                self.assertIsNone(generator.poll(), "the generator ended by itself")
            finally:
                generator.terminate()

    def arrive(self):
        """Waits until frames come out at the other end."""
        before = received("sink")
        wait_for("traffic", lambda: received("sink") >= before + SOME)

    def check_frames(self, summary):
        check_conserved(summary)
        totals = summary["totals"]
        self.assertGreater(totals["rx_packets"], SOME)
        self.assert_loss(0.1, totals["lost_packets"], totals["rx_packets"], deviations=5)

    def wire_is_ended(self, program, ready):
        """A wire of two veth pairs, under the generator's load."""
        self.wire(queues=2)
        self.gro("lan")  # so that it takes the generator's frames while no program runs, too
        self.command = [program, "--port", "lan=lan", "--port", "wan=wan", "--forward", "wan", "--loss", "10%"]
        if program == DPDK:
            self.command += ["--queues", "2"]
        self.ready = ready
        before, pages = leavings(program), taken_hugepages()
        programs = set()

        def steady():
            programs.update(found[1] for found in attached().values())
            return len(attached())
        with self.load():
            self.killed(self.arrive, steady)
            self.program.kill()
            self.killed_before_it_runs()
            self.ended(self.arrive, self.check_frames)
            self.start()
            self.arrive()
            self.nothing_is_left(before)
        self.assertGreater(len(programs), KILLS)
        for number in programs:
            wait_for(f"the end of program {number}", lambda: maps_of(number) is None)
        wait_for("the hugepages", lambda: taken_hugepages() <= pages)
        self.assertEqual([], os.listdir("/run/hugepages"))

    def test_dpdk_on_kernel_interfaces_in_hugepages(self):
        self.wire_is_ended(DPDK, [": lcores "])

    def test_xdp(self):
        self.wire_is_ended(XDP, [" mode ("] * 2)

    def test_splice(self):
        run("ip", "link", "set", "lo", "up")
        with Echo() as echo:
            self.command = [SPLICE, "--listen", "127.0.0.1:4000", "--to", f"127.0.0.1:{echo.server_address[1]}",
                            "--drain", "0"]  # connections that go on are not waited for
            self.ready = ["listening on "]
            clients, over = [], threading.Event()

            def talk():
                """Sends and receives all the time. Connects again when the program ends."""
                while not over.is_set():
                    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 4000), 5) as client:
                        while not over.is_set():
                            client.sendall(bytes(4096))
                            client.recv(4096)
                    time.sleep(0.01)

            def answered():
                with socket.create_connection(("127.0.0.1", 4000), 30) as client:
                    client.sendall(b"x")
                    self.assertEqual(b"x", client.recv(1))
            before = leavings(SPLICE)
            try:
                for _ in range(4):
                    clients.append(threading.Thread(target=talk))
                    clients[-1].start()
                self.killed(answered)
                self.program.kill()
                self.killed_before_it_runs()
                self.ended(answered, lambda summary: self.assertGreater(summary["totals"]["accepted"], 0))
                self.start()
                answered()
                self.nothing_is_left(before)
            finally:
                over.set()
                for client in clients:
                    client.join()
            echo.shutdown()


main()
