#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How twinpath-splice ends: a signal drains, a second signal or a time limit resets what is open, and
kill -9 leaves nothing in the kernel.

  ending_test.py TWINPATH_SPLICE
"""
import pathlib
import re
import signal
import socket
import subprocess
import time

from splice_lab import PATTERN, SpliceTest, main, outcome, read_all, reset
from wait import wait_for


def bpf_objects(process):
    """("prog" or "map", id) of each BPF program and map that a process holds."""
    found = set()
    for entry in pathlib.Path(f"/proc/{process}/fdinfo").iterdir():
        found.update(re.findall(r"^(prog|map)_id:\s+(\d+)$", entry.read_text(), re.MULTILINE))
    return found


def exists(bpf_object):
    kind, number = bpf_object
    return subprocess.run(["bpftool", kind, "show", "id", number], capture_output=True, timeout=60,
                          check=False).returncode == 0


class Ending(SpliceTest):
    def test_sigterm_drains_what_is_open(self):
        for server, program in self.in_each_mode("--drain", "20"):
            client, served = program.connect(), server.take()
            client.sendall(PATTERN)
            program.process.send_signal(signal.SIGTERM)
            self.refused(program)
            client.sendall(PATTERN)  # after the signal
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(2 * len(PATTERN), len(read_all(served)))
            served.close()
            self.assertEqual((b"", "fin"), outcome(client))
            totals = program.end()["totals"]
            self.assertEqual(0, totals["aborted"])
            self.assertLessEqual(1, totals["drained"])

    def refused(self, program):
        """Waits until connections are refused, which is soon after the signal."""
        def answer():
            try:
                reset(program.connect())
            except ConnectionRefusedError:
                return True
            except ConnectionResetError:
                pass  # accepted just before the signal
            return False
        wait_for("draining", answer)

    def test_what_does_not_end_in_time_is_reset(self):
        for server, program in self.in_each_mode("--drain", "0.2"):
            client, served = program.connect(), server.take()
            totals = program.stop()["totals"]
            self.assertEqual((0, 1), (totals["finished"], totals["aborted"]))
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()

    def test_a_second_signal_ends_the_draining(self):
        for server, program in self.in_each_mode("--drain", "1000"):
            client, served = program.connect(), server.take()
            program.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            self.assertEqual(1, program.stop(signal.SIGINT)["totals"]["aborted"])
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()

    def test_kill_leaves_no_bpf_object_and_the_next_one_starts(self):
        with self.server() as server:
            for _ in range(2):
                with self.start("--to", server.text, "--mode", "sockmap") as program:
                    client, served = program.connect(), server.take()
                    client.sendall(b"x")
                    self.assertEqual(b"x", served.recv(1))
                    made = bpf_objects(program.process.pid)
                    self.assertGreaterEqual(len(made), 5)
                    program.process.kill()
                    program.process.wait(20)
                self.assertIn(outcome(client)[1], ("fin", "reset"))
                served.close()
                wait_for("the kernel to free them", lambda: not any(map(exists, made)))

    def test_the_socket_that_is_left_behind_hinders_nobody(self):
        with self.server() as server:
            with self.start("--to", server.text) as program:
                program.process.kill()
                program.process.wait(20)
            with self.start("--to", server.text) as program:
                program.stop()


main()
