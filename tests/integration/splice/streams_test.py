#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The states of TCP go through twinpath-splice, in each mode: half-closes, resets, a receiver that stops,
bytes that arrive before the target is connected, and targets that fail.

  streams_test.py TWINPATH_SPLICE
"""
import hashlib
import os
import socket
import subprocess
import threading
import time

from splice_lab import MODES, SpliceTest, main, read_all, reset
from wait import wait_for

MIB = 1 << 20
PATTERN = bytes(range(256)) * 4096  # 1 MiB


class Streams(SpliceTest):
    def test_bytes_sent_before_the_target_answers_arrive(self):
        for server, program in self.in_each_mode():
            client = program.connect()
            client.sendall(b"before" * 1000)  # the server's backlog answers, nobody accepts yet
            time.sleep(0.05)
            served = server.take()
            client.sendall(b"after")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(b"before" * 1000 + b"after", read_all(served))
            served.sendall(b"answer")
            served.close()
            self.assertEqual(b"answer", read_all(client))
            client.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_an_urgent_byte_is_a_byte_of_the_stream(self):
        for server, program in self.in_each_mode():
            client, served = program.connect(), server.take()
            for _ in range(3):
                client.sendall(b"a")
                client.send(b"bc", socket.MSG_OOB)
                client.sendall(b"d")
                got = b""
                while len(got) < 4:
                    got += served.recv(4 - len(got))
                self.assertEqual(b"abcd", got)
            client.close()
            self.assertEqual(b"", read_all(served))
            served.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_urgent_bytes_from_before_the_target_answers_are_bytes_of_the_stream(self):
        for mode in MODES:
            with socket.socket() as full:  # its backlog is full, so connections wait
                full.bind(("127.0.0.1", 0))
                full.listen(0)
                others = [socket.socket() for _ in range(3)]
                for other in others:
                    other.setblocking(False)
                    other.connect_ex(full.getsockname())
                program = self.running("--to", "%s:%d" % full.getsockname(), "--mode", mode)
                client = program.connect()
                client.send(b"a", socket.MSG_OOB)
                time.sleep(0.05)
                client.send(b"xb", socket.MSG_OOB)
                time.sleep(0.05)
                client.sendall(b"tail")
                client.shutdown(socket.SHUT_WR)
                for other in others:
                    other.close()
                full.settimeout(20)
                got = b""
                while not got:
                    served, _ = full.accept()
                    with served:
                        got = read_all(served)
                self.assertEqual(b"axbtail", got)
                client.close()
                program.__exit__()

    def test_a_fin_before_the_target_is_reached_is_passed_on_after_the_bytes(self):
        for server, program in self.in_each_mode():
            client = program.connect()
            client.sendall(b"all")
            client.shutdown(socket.SHUT_WR)
            served = server.take()
            self.assertEqual(b"all", read_all(served))
            served.sendall(PATTERN)
            served.close()
            self.assertEqual(PATTERN, read_all(client))
            client.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_after_a_half_close_the_other_direction_lives_on(self):
        for server, program in self.in_each_mode():
            for client_first in (True, False):
                client, served = program.connect(), server.take()
                ends, talks = (client, served) if client_first else (served, client)
                ends.sendall(b"last words")
                ends.shutdown(socket.SHUT_WR)
                self.assertEqual(b"last words", read_all(talks))
                states = lambda: [entry["state"] for key, entry in
                                  program.ask("/twinpath/connections")[0].items() if key.isdigit()]
                wait_for("half-closed", lambda: states() == ["half-closed"])
                for _ in range(20):
                    talks.sendall(b"still here")
                    self.assertEqual(b"still here", ends.recv(100))
                talks.sendall(PATTERN)
                talks.close()
                self.assertEqual(PATTERN, read_all(ends))
                ends.close()
                wait_for("the end", lambda: states() == [])
            self.assertEqual(2, program.stop()["totals"]["finished"])

    def test_a_reset_is_passed_on_after_what_came_before_it(self):
        for server, program in self.in_each_mode():
            for client_resets in (True, False):
                client, served = program.connect(), server.take()
                killed, other = (client, served) if client_resets else (served, client)
                client.sendall(b"hello")
                self.assertEqual(b"hello", served.recv(100))
                killed.sendall(b"last words")
                time.sleep(0.1)  # a reset overtakes what its sender has not sent
                reset(killed)
                self.assertEqual(b"last words", other.recv(100))
                self.assertRaises(ConnectionResetError, other.recv, 100)
                other.close()
            self.assertEqual(2, program.stop()["totals"]["reset"])

    def test_a_reset_is_seen_while_the_other_side_does_not_read(self):
        for server, program in self.in_each_mode():
            client, served = program.connect(), server.take()
            self.fill(client)
            reset(client)
            served.settimeout(10)
            with self.assertRaises(ConnectionResetError):
                while served.recv(MIB):
                    time.sleep(0.01)
            served.close()
            self.assertEqual(1, program.stop()["totals"]["reset"])

    def fill(self, client, sent=0, quiet=0.5):
        """Sends until nothing is accepted for a while. Returns how much was sent."""
        client.setblocking(False)
        last = time.monotonic()
        while time.monotonic() - last < quiet:
            try:
                sent += client.send(PATTERN[sent % MIB:])
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.005)
        client.setblocking(True)
        client.settimeout(60)
        return sent

    def test_a_receiver_that_stops_holds_the_sender_and_loses_nothing(self):
        # Sends this many bytes (SPLICE_STOP_GB=10 for a longer test); the receiver stops twice.
        total = int(float(os.environ.get("SPLICE_STOP_GB", "0.4")) * 1e9)
        for server, program in self.in_each_mode():
            client, served = program.connect(), server.take()
            received, got, sent = hashlib.sha256(), 0, 0

            def read(until):
                nonlocal got
                served.settimeout(60)
                while got < until and (piece := served.recv(MIB)):
                    received.update(piece)
                    got += len(piece)

            for until in (total // 2, 1 << 62):
                sent = self.fill(client, sent)
                print(f"{program.mode}: {sent - got} bytes wait for a stopped receiver")
                # What the socket buffers can hold. Two of them may grow to the maximum of tcp_rmem, 32 MiB.
                self.assertLess(sent - got, 100 * MIB)
                reader = threading.Thread(target=read, args=(until,))
                reader.start()
                while sent < min(until, total):
                    sent += client.send(PATTERN[sent % MIB:])
                if until > total:
                    client.shutdown(socket.SHUT_WR)
                reader.join(100)
                self.assertFalse(reader.is_alive())
            self.assertEqual(sent, got)
            expected = hashlib.sha256()
            for _ in range(sent // MIB):
                expected.update(PATTERN)
            expected.update(PATTERN[:sent % MIB])
            self.assertEqual(expected.hexdigest(), received.hexdigest())
            served.close()
            client.close()
            self.assertEqual(sent, program.stop()["totals"]["to_target_bytes"])

    def test_a_little_that_is_not_read_does_not_hold_the_other_direction(self):
        """With small segments, few bytes fill the sockets. Redirected bytes then wait in the kernel, and later
        bytes have to wait for them."""
        subprocess.run(["ip", "link", "set", "lo", "mtu", "1500"], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "set", "lo", "mtu", "65536"], check=True)
        for unread in (100_000, 600_000):
            for server, program in self.in_each_mode():
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                client, served = program.connect(receive_buffer=4096), server.take()
                served.sendall(bytes(unread))
                time.sleep(0.2)
                pause = threading.Event()
                got = hashlib.sha256()

                def read():
                    served.settimeout(20)
                    taken = 0
                    while taken < MIB:
                        piece = served.recv(1 << 16)
                        got.update(piece)
                        taken += len(piece)
                    pause.wait(0.5)
                    while piece := served.recv(1 << 18):
                        got.update(piece)

                reader = threading.Thread(target=read)
                reader.start()
                for _ in range(12):
                    client.sendall(PATTERN)
                client.shutdown(socket.SHUT_WR)
                reader.join(30)
                self.assertFalse(reader.is_alive())
                self.assertEqual(hashlib.sha256(PATTERN * 12).hexdigest(), got.hexdigest())
                served.close()
                self.assertEqual(unread, len(read_all(client)))
                client.close()
                self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_both_stop_and_each_direction_goes_on_without_the_other(self):
        """Both ends write and neither reads. Then one end reads, and receives everything although the other
        never reads."""
        for server, program in self.in_each_mode():
            client, served = program.connect(), server.take()
            up, down = self.fill(client), self.fill(served)
            got = []
            reader = threading.Thread(target=lambda: got.append(len(read_all(served, 60))))
            reader.start()
            for _ in range(40):
                client.sendall(PATTERN[up % MIB:] + PATTERN[:up % MIB])
            client.shutdown(socket.SHUT_WR)
            reader.join(60)
            self.assertEqual([up + 40 * MIB], got)
            served.close()
            self.assertEqual(down, len(read_all(client)))
            client.close()
            self.assertEqual(1, program.stop()["totals"]["finished"])


main()
