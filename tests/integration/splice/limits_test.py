#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The limits of twinpath-splice: connections, file descriptors, idle time, socket options.

  limits_test.py TWINPATH_SPLICE
"""
import pathlib
import resource
import select
import socket
import subprocess
import time

from splice_lab import DEAD, SpliceTest, main, outcome, read_all, reset
from wait import wait_for


class Limits(SpliceTest):
    def test_ten_thousand_at_once_against_the_limit(self):
        limit, clients = 100, 10000
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1100 60999")
        with self.server() as server, self.start(
                "--to", server.text, "--max-connections", limit, "--mode", "copy",
                listen="127.0.0.1:7000") as program:
            idle = program.descriptors()
            poll, sockets = select.poll(), {}
            for _ in range(clients):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(program.address)
                sockets[client.fileno()] = client
                poll.register(client, select.POLLRDHUP)
            refused = 0
            while refused < clients - limit:
                events = poll.poll(30000)
                self.assertTrue(events, f"{refused} refused")
                for fd, _ in events:
                    poll.unregister(fd)
                    sockets.pop(fd).close()
                    refused += 1
            self.assertEqual(limit, len(sockets))
            wait_for("the rest", lambda: program.totals()["open"] == limit)
            self.assertIn("reset: all 100 connections that --max-connections allows are open", program.log())
            for client in list(sockets.values()):  # the accepted ones are served
                client.setblocking(True)
                client.settimeout(20)
                client.sendall(b"in")
            for _ in range(limit):
                served = server.take()
                self.assertEqual(b"in", served.recv(10))
                reset(served)
            for client in sockets.values():
                self.assertEqual((b"", "reset"), outcome(client))
            wait_for("the end", lambda: program.totals()["open"] == 0)
            self.assertLessEqual(program.descriptors(), idle + 1)
            totals = program.stop()["totals"]
            self.assertEqual((clients, clients - limit, limit),
                             (totals["accepted"], totals["refused"], totals["reset"]))

    def test_descriptors_are_raised_or_explained(self):
        with self.start("--to", DEAD, "--max-connections", 1000, "--mode", "splice",
                        prefix=("prlimit", "--nofile=256:9000")) as program:
            limit = pathlib.Path(f"/proc/{program.process.pid}/limits").read_text()
            self.assertRegex(limit, r"Max open files +(6\d\d\d|7\d\d\d) +9000 ")
        with self.start("--to", DEAD, prefix=("prlimit", "--nofile=256:1000")) as program:
            self.assertRegex(program.log(), r", at most [1-3]\d\d connections ")

    def test_without_a_descriptor_left_it_waits(self):
        with self.server() as server, self.start("--to", server.text, "--workers", 1) as program:
            _, hard = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE,
                             (program.descriptors(), hard))
            client = program.connect()
            time.sleep(1)
            self.assertLess(program.log().count("cannot accept a client: Too many open files"), 15)
            resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (100, hard))
            served = server.take()
            client.sendall(b"at last")
            self.assertEqual(b"at last", served.recv(100))

    def test_a_receiver_that_takes_what_waits_is_not_idle(self):
        for server, program in self.in_each_mode("--idle", "1"):
            client, served = program.connect(receive_buffer=4096), server.take()
            served.settimeout(0.3)
            sent = 0
            with self.assertRaises(TimeoutError):
                while True:
                    sent += served.send(bytes(1 << 16))
            end, got = time.monotonic() + 3, 0
            while time.monotonic() < end:  # slowly, so that nothing more is sent for a long time
                got += len(client.recv(1000))
                time.sleep(0.05)
            self.assertLess(got, 100000)
            served.close()
            self.assertEqual(sent, got + len(read_all(client)))
            client.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_idle_connections_are_reset(self):
        for server, program in self.in_each_mode("--idle", "1"):
            client, served = program.connect(), server.take()
            for _ in range(8):  # longer than the time-out, but never silent for that long
                client.sendall(b"x")
                self.assertEqual(b"x", served.recv(1))
                time.sleep(0.2)
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()
            self.assertEqual(1, program.stop()["totals"]["idle"])

    def test_socket_options(self):
        with self.server() as server, self.start("--to", server.text, "--keepalive",
                                                 "77") as program:
            with program.connect(), server.take():
                shown = subprocess.run(["ss", "-tnoH", "state", "established"],
                                       capture_output=True, text=True, check=True).stdout
                self.assertEqual(2, shown.count("timer:(keepalive,1min1"), shown)
            program.stop()


main()
