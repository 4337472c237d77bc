#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Targets of twinpath-splice that are down, silent, unreachable or killed: each is skipped and tried
again, or the client is reset and the log says why.

  targets_test.py TWINPATH_SPLICE
"""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess

from splice_lab import DEAD, MODES, PATTERN, Server, Serving, SpliceTest, attempt, main, outcome
from wait import wait_for


class Targets(SpliceTest):
    def test_targets_take_turns_and_one_that_is_down_is_skipped_and_tried_again(self):
        first, second = Serving(Server(), b"first"), Serving(Server(), b"second")
        port = first.server.getsockname()[1]
        with self.start("--to", first.server.text, "--to", second.server.text, "--retry",
                        "0.3") as program:
            self.assertEqual([b"first", b"second"] * 3, [attempt(program)[0] for _ in range(6)])
            first.end()
            self.assertEqual([b"second"] * 4, [attempt(program)[0] for _ in range(4)])
            down, up = (program.ask("/twinpath/targets")[0][key] for key in "01")
            self.assertEqual(("down", "up"), (down["state"], up["state"]))
            self.assertEqual((3, 7), (down["connections"], up["connections"]))
            self.assertGreaterEqual(down["failures"], 1)
            self.assertLessEqual(down["failures"], 4)
            self.assertIn(f"cannot connect to 127.0.0.1:{port}: Connection refused; trying the next "
                          "target", program.log())
            first = Serving(Server(port=port), b"first again")
            wait_for("the first to be tried again",
                     lambda: attempt(program)[0] == b"first again", 20)
            totals = program.stop()["totals"]
            self.assertEqual(0, totals["failed"])
        first.end()
        second.end()

    def test_where_none_answers_the_client_is_reset_and_the_log_says_why(self):
        with self.start("--to", DEAD) as program:
            self.assertEqual((b"", "reset"), attempt(program))
            self.assertRegex(program.log(), r"connection 0 from 127.0.0.1:\d+: cannot connect to "
                                            "127.0.0.1:9: Connection refused; no target is left, "
                                            "client reset")
            self.assertEqual(1, program.stop()["totals"]["failed"])

    def test_a_target_that_does_not_answer_or_cannot_be_reached(self):
        for command in ("link add nowhere type veth peer name void", "link set nowhere up",
                        "link set void up", "addr add 198.18.1.1/24 dev nowhere",
                        "neigh replace 198.18.1.2 lladdr 02:00:00:00:00:01 dev nowhere"):
            subprocess.run(["ip", *command.split()], check=True)
        for target, why in (("198.18.1.2:1", "no answer"), ("198.18.9.9:1", "unreachable"),
                            ("[2001:db8::1]:1", "unreachable")):
            with self.subTest(target=target), self.start(
                    "--to", target, "--connect-timeout", "0.3") as program:
                self.assertEqual((b"", "reset"), attempt(program))
                self.assertIn(why, program.log())
                self.assertEqual(1, program.stop()["totals"]["failed"])

    def test_a_lack_of_local_ports_is_not_the_targets_failure(self):
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40009")
        try:
            with Server(port=30000) as server, self.start("--to", server.text) as program:
                client_ports = iter(range(20000, 20100))

                def connect():
                    client = socket.socket()
                    client.bind(("127.0.0.1", next(client_ports)))
                    client.settimeout(20)
                    with contextlib.suppress(ConnectionResetError):  # the reset may come at once
                        client.connect(program.address)
                    return client
                clients = [connect() for _ in range(15)]
                wait_for("the ends", lambda: program.totals()["failed"] > 0)
                target, = program.ask("/twinpath/targets")
                self.assertEqual(("up", 0), (target["0"]["state"], target["0"]["failures"]))
                self.assertIn("Cannot assign requested address", program.log())
                for client in clients:
                    client.close()
        finally:
            pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("32768 60999")

    def test_killed_in_the_middle(self):
        """The process at either end is killed while it sends and receives."""
        for mode in MODES:
            for killed in ("target", "client"):
                with self.subTest(mode=mode, killed=killed), self.server() as server, self.start(
                        "--to", server.text, "--mode", mode) as program:
                    # The end that is killed is a separate process, which sends endlessly.
                    pid = os.fork()
                    if pid == 0:
                        try:
                            end = server.take() if killed == "target" else program.connect()
                            while True:
                                end.sendall(PATTERN)
                                with contextlib.suppress(BlockingIOError):
                                    end.recv(1 << 20, socket.MSG_DONTWAIT)
                        finally:
                            os._exit(1)
                    other = program.connect() if killed == "target" else server.take()
                    other.sendall(b"x")
                    got = 0
                    while got < 50 << 20:
                        got += len(other.recv(1 << 20))
                        other.sendall(b"x" * 1000)
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    _, how = outcome(other)
                    self.assertIn(how, ("reset", "fin"))  # a reset where bytes were unread when the process died
                    wait_for("the end", lambda: program.totals()["open"] == 0)
                    program.stop()


main()
