#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Telemetry without a datapath: DPDK's own reader and `twinpath stats` against the server.

  stats_test.py TWINPATH TELEMETRY_EXAMPLE
"""
import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest

from telemetry_reading import ask, check_complete

TWINPATH, EXAMPLE = sys.argv[1:3]
SHOW, HIDE = b"\x1b[?25h", b"\x1b[?25l"


@contextlib.contextmanager
def example(path="xdp", prefix="twinpath-xdp", queues=4, rules=3, motion="still"):
    """Runs the example server inside the `with`; yields it and its summary."""
    arguments = [EXAMPLE, path, prefix, str(queues), str(rules), motion]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server, json.loads(server.stdout.readline())
        finally:
            server.terminate()
            server.wait(10)


def stats(*arguments):
    return subprocess.run([TWINPATH, "stats", *arguments], capture_output=True, text=True,
                          timeout=60)


def socket_path(prefix):
    return f"{os.environ['RUNTIME_DIRECTORY']}/dpdk/{prefix}/dpdk_telemetry.v2"


class Reader(unittest.TestCase):
    """dpdk-telemetry.py, as Debian ships it."""

    def test_reads_every_list_completely(self):
        with example(queues=500, rules=2000) as (_, summary):
            check_complete("twinpath-xdp", summary)

    def test_finds_the_socket(self):
        with example():
            listed = subprocess.run(["dpdk-telemetry.py", "-l"], capture_output=True, text=True)
            self.assertIn("\ntwinpath-xdp\n", listed.stdout)

    def test_reads_on_after_the_server_was_killed_and_started_again(self):
        with example() as (first, _):
            first.kill()
            first.wait(10)
            self.assertTrue(os.path.exists(socket_path("twinpath-xdp")))
            with example():
                self.assertEqual(ask("twinpath-xdp", "/twinpath/info")[0]["rules"], 3)
        self.assertFalse(os.path.exists(socket_path("twinpath-xdp")))

    def test_a_second_server_is_refused_and_the_first_serves_on(self):
        with example() as (first, _):
            second = subprocess.run([EXAMPLE, "xdp", "twinpath-xdp", "1", "1", "still"],
                                    capture_output=True, text=True, timeout=10)
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"is served by process {first.pid}", second.stderr)
            self.assertEqual(ask("twinpath-xdp", "/twinpath/info")[0]["rules"], 3)


class Stats(unittest.TestCase):
    """twinpath stats."""

    def test_json_is_the_summary(self):
        for path in ("dpdk", "xdp"):
            with example(path, "twinpath-" + path, 200, 1000) as (_, summary):
                shown = stats("--json")
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                self.assertEqual(json.loads(shown.stdout), summary)

    def test_shows_both_where_both_run(self):
        with example("dpdk", "twinpath-dpdk"), example("xdp", "twinpath-xdp") as (_, summary):
            shown = stats()
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
            self.assertRegex(shown.stdout, "(?s)^twinpath-dpdk .*\n\ntwinpath-xdp ")
            unclear = stats("--json")
            why = "twinpath-dpdk and twinpath-xdp both run: choose one with --path or --file-prefix"
            self.assertEqual((unclear.returncode, json.loads(unclear.stdout)), (2, {"error": why}))
            self.assertIn(why, unclear.stderr)
            self.assertEqual(unclear.stderr.count("\n"), 1)
            chosen = stats("--json", "--file-prefix", "twinpath-xdp")
            self.assertEqual(json.loads(chosen.stdout), summary)

    def test_says_where_it_looked_where_none_runs(self):
        shown = stats()
        self.assertEqual((shown.returncode, shown.stdout), (1, ""))
        self.assertIn(socket_path("twinpath-dpdk"), shown.stderr)
        self.assertIn(socket_path("twinpath-xdp"), shown.stderr)
        self.assertEqual(shown.stderr.count("\n"), 1)

    def test_wrong_usage_is_one_line_and_status_2(self):
        for arguments in (["--watch", "0"], ["--watch", "x"], ["--jason"], ["more"],
                          ["--file-prefix", "a/b"], ["--file-prefix"]):
            shown = stats(*arguments)
            self.assertEqual((shown.returncode, shown.stdout), (2, ""), arguments)
            self.assertEqual(shown.stderr.count("\n"), 1, shown.stderr)

    def test_a_full_disk_is_no_success(self):
        with example(), open("/dev/full", "w") as full:
            shown = subprocess.run([TWINPATH, "stats", "--json"], stdout=full, timeout=60,
                                   stderr=subprocess.PIPE, text=True)
        self.assertEqual((shown.returncode, shown.stderr),
                         (1, "twinpath: cannot write the output\n"))


class Watch(unittest.TestCase):
    """twinpath stats --watch."""

    def watch(self, *arguments, **options):
        return subprocess.Popen([TWINPATH, "stats", "--watch", "0.1", *arguments],
                                stderr=subprocess.PIPE, **options)

    def test_tables_follow_each_other_where_there_is_no_terminal(self):
        for end in (signal.SIGINT, signal.SIGTERM):
            with example(motion="moving"), self.watch(stdout=subprocess.PIPE) as watching:
                text = b""
                while text.count(b"Per second") < 2:
                    text += os.read(watching.stdout.fileno(), 65536)
                watching.send_signal(end)
                rest, errors = watching.communicate(timeout=10)
                self.assertEqual((watching.returncode, errors), (0, b""))
                self.assertNotIn(b"\x1b", text + rest)
                # lan, queue 0: tx grows by 1,234,567 a second.
                rate = re.search(rb"Per second:\n.*\nlan +0 +\S+ +\S+ +([\d.]+)M", text)
                self.assertAlmostEqual(float(rate[1]), 1.234567, delta=0.01)

    def test_json_is_one_line_a_look(self):
        with example(motion="moving"), self.watch("--json", stdout=subprocess.PIPE) as watching:
            first = json.loads(watching.stdout.readline())
            second = json.loads(watching.stdout.readline())
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=10)
        self.assertEqual(watching.returncode, 0)
        self.assertGreater(second["totals"]["rx_packets"], first["totals"]["rx_packets"])
        self.assertGreater(second["duration_s"], first["duration_s"])

    def test_ends_with_the_program_it_watches(self):
        with example() as (server, _), self.watch(stdout=subprocess.PIPE) as watching:
            os.read(watching.stdout.fileno(), 65536)
            server.terminate()
            _, errors = watching.communicate(timeout=10)
            self.assertEqual(watching.returncode, 1)
            self.assertIn(b"twinpath-xdp has ended", errors)

    def test_a_terminal_is_redrawn_in_place_and_given_back(self):
        ours, its = pty.openpty()
        environment = dict(os.environ, TERM="xterm")
        with example(motion="moving"), self.watch(stdout=its, env=environment) as watching:
            os.close(its)
            screen, asked = b"", False
            while True:
                readable, _, _ = select.select([ours], [], [], 10)
                self.assertTrue(readable, "nothing is drawn")
                try:
                    screen += os.read(ours, 65536)
                except OSError:  # EIO: the other end is closed
                    break
                if not asked and screen.count(b"\x1b[H") >= 3:
                    watching.send_signal(signal.SIGINT)
                    asked = True
            self.assertEqual(watching.wait(10), 0)
        os.close(ours)
        self.assertTrue(screen.startswith(b"\x1b[?1049h" + HIDE))
        self.assertEqual(screen.count(HIDE), screen.count(SHOW))
        last = screen.rsplit(SHOW + b"\x1b[?1049l", 1)[1]
        self.assertIn(b"default", last)  # the last tables stay
        self.assertNotIn(b"\x1b", last)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["RUNTIME_DIRECTORY"] = runtime
        unittest.main(argv=sys.argv[:1], verbosity=2)
