#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Captures for the tests.

  captures.py make FILE COUNT     numbered frames of 60 to 1514 bytes, and a few larger ones
  captures.py flows FILE COUNT    one frame of each of COUNT flows, and then a second one of each
  captures.py survivors IN OUT    checks that OUT is IN without some frames, in order and byte for
                                  byte, and prints the numbers of the frames in OUT
"""
import struct
import sys


def udp(number):
    payload = struct.pack("!I", number) + bytes((number * 7 + i) & 255 for i in range(14 + number * 37 % 1400))
    if number % 100 == 99:
        payload += bytes(5000)
    length = len(payload) + 8
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length + 20, number & 0xffff, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 1, number & 255]))
    head = struct.pack("!HHHH", 1000 + number % 50, 2000, length, 0)
    return bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip + head + payload


def ones_sum(data):
    """RFC 1071: the sum of the big-endian words, with end-around carry."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def unfinished(number):
    """udp(number) with a checksum that its sender left to a NIC, and with the finished one."""
    frame = udp(number)
    at, rest = 40, frame[34:]
    pseudo = frame[26:34] + struct.pack("!HH", 17, len(rest))
    left = frame[:at] + struct.pack("!H", ones_sum(pseudo)) + frame[at + 2:]
    finished = 0xffff & ~ones_sum(pseudo + rest)
    return left, frame[:at] + struct.pack("!H", finished or 0xffff) + frame[at + 2:]


def of_flow(number):
    ip = struct.pack("!BBHHHBBH4sI", 0x45, 0, 46, 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), 0x0b000000 + (number >> 8))
    return (bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip +
            struct.pack("!HHHH", 1024 + (number & 255), 53, 26, 0) + bytes(18))


def write_at(path, frames):
    """A capture of these (microseconds, frame)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for microseconds, frame in frames:
            head = (*divmod(microseconds, 1_000_000), len(frame), len(frame))
            file.write(struct.pack("<IIII", *head) + frame)


def write(path, frames):
    """A capture of frames, one a second."""
    write_at(path, ((1_000_000 * second, frame) for second, frame in enumerate(frames)))


def read(path):
    data = open(path, "rb").read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, frames = 24, []
    while at < len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def main():
    if sys.argv[1] == "make":
        write(sys.argv[2], [udp(n) for n in range(int(sys.argv[3]))])
    elif sys.argv[1] == "flows":
        write(sys.argv[2], [of_flow(n) for n in range(int(sys.argv[3]))] * 2)
    else:
        sent, got = read(sys.argv[2]), read(sys.argv[3])
        at, numbers = 0, []
        for frame in got:
            while at < len(sent) and sent[at] != frame:
                at += 1
            if at == len(sent):
                sys.exit(f"frame {len(numbers)} of {sys.argv[3]} is not a later frame of {sys.argv[2]}")
            numbers.append(at)
            at += 1
        print(*numbers)


if __name__ == "__main__":
    main()
