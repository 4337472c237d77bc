#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-splice forwards exactly the bytes of the stream, however TCP cuts it into segments. A client behind
a TUN interface, which this file implements, sends segments that overlap bytes that it sent before, as a sender
does when it joins a retransmission with new data.

  segments_test.py TWINPATH_SPLICE
"""
import fcntl
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time

from splice_lab import SpliceTest, main, read_all

HERE, THERE = "10.9.0.1", "10.9.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
FIN, SYN, RST, ACK = 1, 2, 4, 16
WINDOW_SCALE = bytes((1, 3, 3, 7))


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Client:
    """A minimal TCP: sends given segments, and records what is acknowledged. Offsets count the stream's
    bytes."""

    def __init__(self, wire, port):
        self.wire = wire
        self.ports = (random.randrange(20000, 60000), port)
        self.start = random.randrange(1 << 32)  # may wrap
        self.acknowledged, self.theirs, self.reset, self.ended = -1, 0, False, False
        self.send(-1, b"", SYN, WINDOW_SCALE)
        self.wait(lambda: self.acknowledged == 0)
        self.send(0, b"")

    def send(self, offset, data, flags=ACK, options=b""):
        header = struct.pack("!HHIIBBHHH", *self.ports, (self.start + 1 + offset) % (1 << 32),
                             self.theirs, (20 + len(options)) // 4 << 4, flags, 32000, 0, 0)
        segment = header + options + data
        addresses = socket.inet_aton(THERE) + socket.inet_aton(HERE)
        total = checksum(addresses + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0)
        ip = ip[:10] + struct.pack("!H", checksum(ip + addresses)) + addresses
        os.write(self.wire, ip + segment[:16] + struct.pack("!H", total) + segment[18:])

    def wait(self, done):
        if not self.waited(done, 20):
            raise AssertionError(f"{self.acknowledged} bytes were acknowledged, then nothing")

    def waited(self, done, seconds):
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if select.select([self.wire], [], [], left)[0]:
                self.take(os.read(self.wire, 1 << 17))
        return True

    def take(self, packet):
        if packet[0] != 0x45 or packet[9] != socket.IPPROTO_TCP:
            return  # the kernel's own, of IPv6
        ports, sequence, number = struct.unpack("!IiI", packet[20:32])
        if ports != self.ports[1] << 16 | self.ports[0]:
            return
        flags, length = packet[33], len(packet) - 20 - (packet[32] >> 4) * 4
        self.reset |= bool(flags & RST)
        self.ended |= bool(flags & FIN)
        self.theirs = (sequence + length + bool(flags & (SYN | FIN))) % (1 << 32)
        self.acknowledged = (number - self.start - 1) % (1 << 32)


class Reader(threading.Thread):
    """Reads until the FIN."""

    def __init__(self, connection):
        super().__init__()
        self.connection, self.data = connection, None
        self.start()

    def run(self):
        self.data = read_all(self.connection, 60)


class Segments(SpliceTest):
    def setUp(self):
        super().setUp()
        self.wire = os.open("/dev/net/tun", os.O_RDWR)
        self.addCleanup(os.close, self.wire)
        fcntl.ioctl(self.wire, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
        for command in (f"addr add {HERE}/24 dev wire", "link set wire mtu 65535 up"):
            subprocess.run(["ip", *command.split()], check=True)

    def connections(self):
        for mode in ("copy", "splice", "sockmap"):
            server = self.server()
            program = self.running("--to", server.text, "--mode", mode, listen=f"{HERE}:0")
            self.assertEqual(mode, program.mode)
            client = Client(self.wire, program.address[1])
            yield client, server.take(), program
            program.__exit__()

    def finish(self, client, served, program, stream, got):
        """Ends both directions. The reader `got` then has the whole stream."""
        client.send(len(stream), b"", FIN | ACK)
        client.wait(lambda: client.acknowledged == len(stream) + 1)
        got.join(30)
        self.assertEqual(len(stream), len(got.data))
        self.assertTrue(stream == got.data)
        served.close()
        client.wait(lambda: client.ended)
        client.send(len(stream) + 1, b"")
        self.assertEqual(1, program.stop()["totals"]["finished"])

    def test_bytes_that_come_twice_are_forwarded_once(self):
        for client, served, program in self.connections():
            stream, got = random.Random(5).randbytes(3000), Reader(served)
            for first, last in ((0, 1000), (500, 1500), (1499, 1501), (0, 1502), (1502, 2000),
                                (1000, 3000)):
                client.send(first, stream[first:last])
                client.wait(lambda: client.acknowledged == last)
                time.sleep(0.02)
            self.finish(client, served, program, stream, got)

    def test_a_fin_that_comes_with_what_came_before_is_a_fin(self):
        for client, served, program in self.connections():
            stream, got = random.Random(5).randbytes(3000), Reader(served)
            client.send(0, stream)
            client.wait(lambda: client.acknowledged == 3000)
            time.sleep(0.05)
            client.send(1000, stream[1000:], FIN | ACK)
            client.wait(lambda: client.acknowledged == 3001)
            self.finish(client, served, program, stream, got)

    def test_any_segments_make_the_stream(self):
        """Some segments are out of order, so that the kernel joins several into one."""
        for client, served, program in self.connections():
            choose = random.Random(7)
            stream, sent = choose.randbytes(2_000_000), 0
            got = Reader(served)
            while sent < len(stream):
                first = max(0, sent - choose.choice((0, 0, 1, 700, 5000, 60000)))
                middle = min(sent + choose.choice((1, 100, 5000)), len(stream), first + 65000)
                last = min(middle + choose.choice((0, 1, 1400, 20000)), len(stream))
                early = [(middle - choose.choice((0, 0, 3)), last)] if last > middle else []
                for _ in range(100):  # TCP drops bytes beyond its buffer
                    for start, end in early + [(first, middle)]:
                        client.send(start, stream[start:end])
                    if client.waited(lambda: client.acknowledged >= last, 0.2):
                        break
                sent = client.acknowledged
            self.finish(client, served, program, stream, got)


main()
