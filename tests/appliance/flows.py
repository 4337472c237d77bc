# SPDX-License-Identifier: BSD-3-Clause
"""Frames of many flows, TCP and UDP over IPv4 and IPv6. The payload of each frame names its flow and its
number in the flow. Also captures of such frames, and their RSS queues."""
import collections
import random
import socket
import struct

SYMMETRIC_KEY = bytes.fromhex("6d5a") * 20  # Woo and Park, 2012: h(a, b) = h(b, a)
MARK = b"tpvm"


class Flow:
    """Flow `number`: its two ends. The first one is on port lan."""

    def __init__(self, number):
        self.number = number
        self.protocol = socket.IPPROTO_TCP if number % 3 == 0 else socket.IPPROTO_UDP
        family = socket.AF_INET6 if number % 5 == 4 else socket.AF_INET
        ends = [("fd00::1:%x", "fd00::2:%x"), ("10.1.%d.%d", "10.2.%d.%d")][family == socket.AF_INET]
        of = (number % 7 + 1,) if family == socket.AF_INET6 else (number % 3, number % 7 + 1)
        self.addresses = [socket.inet_pton(family, end % of) for end in ends]
        self.ports = [1024 + 37 * number, 5000 + number % 11]

    def ends(self, back):
        """(source address, destination address, source port, destination port), as bytes."""
        step = -1 if back else 1
        return (*self.addresses[::step], *(struct.pack("!H", port) for port in self.ports[::step]))

    def frame(self, n, back=False):
        """Frame `n` of one direction, of 64 to 1514 bytes."""
        source, destination, sport, dport = self.ends(back)
        rng = random.Random(self.number * 1000003 + n * 2 + back)
        body = MARK + struct.pack("!HI", self.number, n) + rng.randbytes(rng.choice((0, 0, 50, 500, 1430)))
        length = len(body) + (20 if self.protocol == socket.IPPROTO_TCP else 8)
        if self.protocol == socket.IPPROTO_TCP:
            transport = sport + dport + struct.pack("!IIBBHHH", n, 0, 0x50, 0x10, 1000, 0, 0)
        else:
            transport = sport + dport + struct.pack("!HH", length, 0)
        macs = [b"\x02\0\0\0\0\x02", b"\x02\0\0\0\0\x01"][::-1 if back else 1]
        if len(source) == 16:
            ip = struct.pack("!IHBB", 0x60000000, length, self.protocol, 64) + source + destination
            kind = b"\x86\xdd"
        else:
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, n, 0, 64, self.protocol, 0)
            ip = ip[:10] + checksum(ip + source + destination) + source + destination
            kind = b"\x08\x00"
        return (b"".join(macs) + kind + ip + transport + body)[:1514].ljust(60, b"\0")

    def queue(self, back, queues, key=SYMMETRIC_KEY, reta=128):
        """Returns the queue that RSS by `key` over addresses and ports selects. Entry i of its table of `reta`
        entries is queue i mod `queues`."""
        source, destination, sport, dport = self.ends(back)
        return toeplitz(key, source + destination + sport + dport) % reta % queues


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xffff)


def toeplitz(key, data):
    """Microsoft's RSS hash, bit by bit: the sum of the key's windows at the bits that are set."""
    bits, result = int.from_bytes(key, "big"), 0
    for i in range(len(data) * 8):
        if data[i // 8] >> (7 - i % 8) & 1:
            result ^= bits >> (len(key) * 8 - 32 - i) & 0xffffffff
    return result


def mixed(flows, each, back=False):
    """`each` frames of every flow. Flows are mixed; the frames of a flow are in order."""
    order = [flow for flow in flows for _ in range(each)]
    random.Random(each * 2 + back).shuffle(order)
    at = collections.Counter()
    frames = []
    for flow in order:
        frames.append(flow.frame(at[flow.number], back))
        at[flow.number] += 1
    return frames


def by_flow(frames):
    """Flow number -> its frames, in order. Other frames are under None."""
    found = collections.defaultdict(list)
    for frame in frames:
        at = frame.find(MARK)
        found[struct.unpack_from("!H", frame, at + 4)[0] if at >= 0 else None].append(frame)
    return dict(found)


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def read_pcap(path):
    data, at, frames = path.read_bytes(), 24, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames
