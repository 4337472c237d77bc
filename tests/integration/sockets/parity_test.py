#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each engine decides the generated shapes of the parity tests, which come by a real interface, as `twinpath parity`
says that the paths decide them: the same verdicts, and the same bytes in the same order on each wire.

  parity_test.py TWINPATH_SOCKET TWINPATH ENGINE WRITE_SHAPES
"""
import collections
import hashlib
import json
import os
import struct
import subprocess
import sys

from socket_lab import SocketTest, TaggedCapture
from verdicts import VERDICTS
from wait import wait_for
from xdp_lab import main, run
from xdp_traffic import TWINPATH, send

WRITE_SHAPES = os.path.realpath(sys.argv[4])
PACED = 500  # frames that every ring holds, while the worker waits for a CPU
WAN = {"port": "wan"}
BURSTS = {"model": "gilbert_elliott", "p": "5%", "r": "25%", "loss_good": "1%"}
RULES = [{"name": "some ports", "match": {"port": "lan", "dst_port": "1-1023"}, "forward": "reflect"},
         {"name": "udp", "match": {"port": "lan", "proto": "udp"}, "loss": {"model": "random", "rate": "30%"},
          "forward": WAN},
         {"name": "tcp flows", "match": {"port": "lan", "proto": "tcp"},
          "loss": {"model": "random", "rate": "30%", "scope": "flow"}, "forward": WAN},
         {"name": "tagged", "match": {"port": "lan", "vlan": 5}, "forward": "drop"}]


def frames_of(path):
    data, at, frames = path.read_bytes(), 24, []
    while at < len(data):
        length, = struct.unpack_from("<8xI", data, at)
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def can_come(frame):
    """Whether a veth carries the frame to a socket: it has a whole Ethernet header, and is not longer than the MTU.
    The kernel drops a frame whose VLAN tag is cut, before any packet socket."""
    tagged = frame[12:14] in (b"\x81\x00", b"\x88\xa8")
    return (20 if tagged else 14) <= len(frame) <= (1518 if frame[12:14] == b"\x81\x00" else 1514)


def received_by_program():
    shown = subprocess.run([TWINPATH, "stats", "--json", "--path", "socket"], capture_output=True, text=True, check=True,
                           timeout=60)
    return json.loads(shown.stdout)["totals"]["rx_packets"]


class EngineParity(SocketTest):
    def test_shapes(self):
        self.wire()
        for name in ("lan", "sink", "gen"):
            run("ethtool", "-K", name, "gro", "off")
        whole = self.folder / "all.pcap"
        subprocess.run([WRITE_SHAPES, whole], check=True, timeout=60)
        frames = [frame for frame in frames_of(whole) if can_come(frame)]
        self.assertGreater(len(frames), 2000)
        fed = self.folder / "fed.pcap"
        fed.write_bytes(whole.read_bytes()[:24] + b"".join(
            struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames))
        for malformed in ("match", "drop"):
            with self.subTest(malformed=malformed):
                policy = self.policy({"loss": BURSTS, "forward": WAN}, *RULES, malformed=malformed)
                self.decides(frames, policy, self.told(policy, fed))

    def told(self, policy, capture):
        """What the socket path does with each frame, which is what the XDP path does."""
        verdicts = self.folder / "verdicts"
        shown = subprocess.run([TWINPATH, "parity", "--paths", "xdp,socket", "--port", "lan", "--verdicts", verdicts,
                                policy, capture], capture_output=True, text=True, timeout=120)
        self.assertEqual((0, ""), (shown.returncode, shown.stderr), shown.stdout[:2000])
        lines = [json.loads(line) for line in verdicts.read_text().splitlines()]
        return [line for line in lines if line["path"] == "socket"]

    def decides(self, frames, policy, told):
        wanted = {port: [line["sha256"] for line in told if line["out_port"] == port] for port in ("lan", "wan")}
        with TaggedCapture("gen") as back, TaggedCapture("sink") as out, self.start(
                "--port", "lan=lan", "--port", "wan=wan", "--policy", policy, "--checksums", "leave") as program:
            for at in range(0, len(frames), PACED):
                send("gen", "lan", range(at, min(at + PACED, len(frames))), make=frames.__getitem__)
                wait_for("the worker", lambda sent=at + PACED: received_by_program() >= min(sent, len(frames)))
            found = {port: capture.frames(at_least=len(wanted[port]))
                     for port, capture in (("lan", back), ("wan", out))}
            summary = program.stop()
        totals = summary["totals"]
        self.assertEqual((0, 0), tuple(port["ring_full_packets"] for port in summary["ports"]))
        self.assertEqual(len(frames), totals["rx_packets"])
        self.assertEqual({name: count for name, count in collections.Counter(line["verdict"] for line in told).items()},
                         {name: totals[f"{name}_packets"] for name in VERDICTS if totals[f"{name}_packets"]})
        for port, sums in wanted.items():
            self.same(sums, [hashlib.sha256(frame).hexdigest() for frame in found[port]])


main()
