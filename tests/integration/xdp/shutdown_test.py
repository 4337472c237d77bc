#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp ends under the generator's load by signals, by --duration and by kill -9: every packet
that it received is accounted for, and none of its programs stays.

  shutdown_test.py TWINPATH_XDP TWINPATH
"""
import contextlib
import os
import signal
import subprocess
import time

from wait import wait_for
from xdp_lab import MODES, PROGRAM, SOCKET, XdpTest, attached, main, map_exists, maps_of
from xdp_traffic import generate, received

ENDLESS = 1 << 40  # frames; the test stops the generator
SOME = 50000


def at_rest():
    before = received("lan")
    time.sleep(0.1)
    return received("lan") == before


class Shutdown(XdpTest):
    def setUp(self):
        super().setUp()
        self.wire(queues=2)
        self.gro("lan")  # so that it receives the generator's frames in generic mode, too
        self.ports = ("--port", "lan=lan", "--port", "wan=wan", "--forward", "wan",
                      "--loss", "10%")

    @contextlib.contextmanager
    def load(self):
        """Runs the generator into lan inside the `with`."""
        before = received("lan")
        with generate("gen", ENDLESS, cpu=1) as generator:
            try:
                wait_for("load", lambda: received("lan") >= before + SOME)
                yield
                self.assertIsNone(generator.poll(), "the generator ended by itself")
            finally:
                generator.terminate()

    def check_summary(self, summary):
        """Checks that frames were lost and forwarded; Program checks that all are accounted for."""
        lan = [queue for queue in summary["queues"] if queue["port"] == "lan"]
        self.assertEqual([0, 1], [queue["queue"] for queue in lan])
        self.assertGreaterEqual(sum(queue["rx_packets"] for queue in lan), SOME)
        totals = summary["totals"]
        self.assertGreater(totals["tx_packets"], 0)
        self.assertEqual(totals["rx_packets"], totals["tx_packets"] + totals["lost_packets"])
        # The run may stop anywhere, and a random walk goes beyond 3.9 deviations somewhere.
        self.assert_loss(0.1, totals["lost_packets"], totals["rx_packets"], deviations=5)
        self.assertEqual({}, attached())
        self.assertFalse(SOCKET.exists())

    def test_a_signal_under_load(self):
        for mode in MODES:
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(mode=mode, number=number), self.start(
                        *self.ports, "--mode", mode) as program, self.load():
                    self.check_summary(program.stop(number))

    def test_duration_under_load(self):
        for mode in MODES:
            with self.subTest(mode=mode), self.load(), self.start(
                    *self.ports, "--mode", mode, "--duration", "0.5") as program:
                summary = program.end()
                self.check_summary(summary)
                self.assertGreaterEqual(summary["duration_s"], 0.5)

    def test_tables_while_it_runs(self):
        with self.start(*self.ports, "--stats-interval", "0.2") as program, self.load():
            wait_for("two tables", lambda: program.output().count("twinpath-xdp 0.") >= 2)
            before = program.output()
            self.check_summary(program.stop())
            self.assertTrue(program.output().startswith(before))
            self.assertIn("\ndefault ", program.output()[len(before):])

    def test_the_summary_is_that_of_the_end(self):
        with self.start(*self.ports) as program:
            with self.load():
                pass
            wait_for("rest", at_rest)
            arrived = program.stop()["totals"]["rx_packets"]
            self.assertEqual(arrived, received("lan"))

    def test_a_summary_that_cannot_be_written_is_a_failure(self):
        pipe = f"{self.folder}/pipe"  # a pipe that nobody reads
        os.mkfifo(pipe)
        for file, why in (("/dev/full", "No space"), (pipe, "No such device")):
            with self.subTest(file=file):
                result = subprocess.run([PROGRAM, *self.ports, "--duration", "0.01", "--summary",
                                         file], capture_output=True, text=True, timeout=30)
                self.assertEqual(1, result.returncode)
                self.assertRegex(result.stderr, rf"\ntwinpath-xdp: --summary: writing {file}: {why}"
                                                r"[^\n]*\n\Z")
                self.assertIn("\ndefault ", result.stdout)
                self.assertEqual({}, attached())

    def test_kill_leaves_no_program_and_no_map(self):
        for mode in MODES:
            with self.subTest(mode=mode), self.load():
                with self.start(*self.ports, "--mode", mode) as program:
                    programs = [found[1] for found in attached().values()]
                    maps = {number for found in programs for number in maps_of(found)}
                    self.assertEqual(2, len(programs))
                    self.assertGreaterEqual(len(maps), 5)
                    program.process.kill()
                    program.process.wait(30)
                # The kernel frees them when no CPU can be in one any more.
                wait_for("detaching", lambda: not attached())
                for found in programs:
                    wait_for("end of the program", lambda: maps_of(found) is None)
                for number in maps:
                    wait_for("end of the map", lambda: not map_exists(number))

    def test_what_kill_leaves_of_the_socket_does_not_hinder_the_next_start(self):
        with self.start(*self.ports) as program:
            program.process.kill()
            program.process.wait(30)
        self.assertTrue(SOCKET.exists())
        wait_for("detaching", lambda: not attached())
        with self.start(*self.ports) as program, self.load():
            self.check_summary(program.stop())


main()
