# SPDX-License-Identifier: BSD-3-Clause
"""Frames for the tests of twinpath-xdp: numbered ones, sent and captured by AF_PACKET, or millions
from `twinpath generate`. Also the kernel's counts of frames."""
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys

from wait import wait_for
from xdp_lab import run

TWINPATH = os.path.realpath(sys.argv[2])
NUMBER = 42  # offset of a frame's number
FLOWS = 16
BATCH = 64  # frames sent at once; a veth ring holds 256
SOL_PACKET, PACKET_OUTGOING, PACKET_QDISC_BYPASS, SO_RCVBUFFORCE = 263, 4, 20, 33


def frame(number):
    """A UDP datagram of one of FLOWS flows, up to 1,468 bytes long; no two are alike."""
    payload = struct.pack("!Q", number) + bytes([number & 255]) * (10 + number * 37 % 1409)
    udp = struct.pack("!HHHH", 1024 + number % FLOWS, 5000, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), number & 0xffff, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return bytes.fromhex("020000000002 020000000001 0800") + ip + udp + payload


def number_of(data):
    return struct.unpack_from("!Q", data, NUMBER)[0]


def received(interface):
    """How many frames an interface has received, by the kernel's count."""
    return int(pathlib.Path(f"/sys/class/net/{interface}/statistics/rx_packets").read_text())


def xdp_statistics(interface):
    """veth's XDP counters, summed over all queues."""
    totals = {}
    for name, count in re.findall(r"rx_queue_\d+_(xdp_\w+): (\d+)",
                                  run("ethtool", "-S", interface)):
        totals[name] = totals.get(name, 0) + int(count)
    return totals


def jumbo(number):
    """Returns such a frame of up to 8,964 bytes."""
    return frame(number) + bytes([number & 255]) * (number * 59 % 7500)


def send(near, far, numbers, cpus=(0,), make=frame):
    """Sends make(n) for each number out of interface `near`, the peer of `far`. Sends each batch when the
    last one has arrived, from the CPUs in turn, by the TX queue with the CPU's number."""
    numbers = list(numbers)
    allowed = os.sched_getaffinity(0)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        sender.bind((near, 0))
        start = received(far)
        try:
            for at in range(0, len(numbers), BATCH):
                os.sched_setaffinity(0, {cpus[at // BATCH % len(cpus)]})
                for number in numbers[at:at + BATCH]:
                    sender.send(make(number))
                arrived = start + min(at + BATCH, len(numbers))
                if received(far) < arrived:
                    wait_for(f"arrival at {far}", lambda: received(far) >= arrived)
        finally:
            os.sched_setaffinity(0, allowed)


def flood(interface, count, cpu):
    """Sends `count` frames from one CPU as fast as it can."""
    os.sched_setaffinity(0, {cpu})
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        data = frame(0)
        for _ in range(count):
            sender.send(data)


def generate(interface, count, cpu=0):
    """Sends frames of FLOWS flows, with the source ports of frame(), as fast as one CPU can."""
    return subprocess.Popen(["taskset", "-c", str(cpu), TWINPATH, "generate", "--port", interface, "--backend", "xdp",
                             "--rate", "max", "--packets", str(count), "--flows", str(FLOWS), "--src-port", "1024"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Capture:
    """All frames that arrive at an interface while it is open."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)
        self.socket.bind((interface, 3))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def frames(self, at_least=0):
        """The frames that have arrived so far; waits until there are at least `at_least`."""
        frames = []
        while select.select([self.socket], [], [], 10 if len(frames) < at_least else 0)[0]:
            data, address = self.socket.recvfrom(1 << 16)
            if address[2] != PACKET_OUTGOING:
                frames.append(data)
        return frames
