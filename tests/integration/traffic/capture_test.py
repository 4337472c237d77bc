#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath receive on captures whose losses, duplicates, order, corruption and delays were put in; and
twinpath generate with captures and frames of others."""
import random
import subprocess
import unittest

import captures
from traffic_lab import TWINPATH, Receiver, generate, only_stream, received, tag_of, write_nanoseconds
import xdp_lab
from xdp_traffic import Capture

WALL = 1_764_000_000_000_000_000  # nanoseconds since 1970


class CaptureTest(xdp_lab.XdpTest):
    def sent_frames(self, count, *arguments):
        """Generated frames, as a packet socket at the other end sees them."""
        self.veth("gen", "sink")
        with Capture("sink") as capture:
            generate("--port", "gen", "--packets", count, "--rate", "10kpps", *arguments)
            frames = [frame for frame in capture.frames(count) if tag_of(frame)]
        self.assertEqual(list(range(count)), [tag_of(frame)[1] for frame in frames])
        return frames

    def test_counts_known_by_construction(self):
        frames = self.sent_frames(2000, "--size", "64-400", "--flows", 7, "--stream", 3)
        draw = random.Random(5)
        lost = set(draw.sample(range(1999), 150))
        arrivals = [number for number in range(2000) if number not in lost]
        late = sorted(draw.sample(range(len(arrivals) - 50), 40), reverse=True)
        for place in late:  # moves back by up to 40 places
            arrivals.insert(place + draw.randrange(1, 41), arrivals.pop(place))
        again = draw.sample(arrivals, 60)
        for number in again:
            arrivals.insert(draw.randrange(arrivals.index(number) + 1, len(arrivals) + 1), number)
        corrupted = set(draw.sample(arrivals[1:], 0))
        times, data = [], []
        for place, number in enumerate(arrivals):
            times.append(WALL + tag_of(frames[number])[2] + 1_000_000 + 1000 * (place % 3))
            data.append(frames[number])
        for place in sorted(draw.sample(range(1, len(data)), 20)):  # copies whose payload has a wrong bit
            corrupted.add(place)
            frame = bytearray(data[place])
            frame[draw.randrange(46, len(frame))] ^= 1 << draw.randrange(8)
            times.append(times[place])
            data.append(bytes(frame))
        path = self.folder / "built.pcap"
        write_nanoseconds(path, zip(times, data))

        # RFC 4737 by its definition.
        unique, reordered, in_flow, extents = [], 0, 0, []
        for number in arrivals:
            if number in unique:
                continue
            higher = [place for place, other in enumerate(unique) if other > number]
            reordered += bool(higher)
            if higher:
                extents.append(len(unique) - higher[0])
            in_flow += any(other > number and other % 7 == number % 7 for other in unique)
            unique.append(number)
        report = received("--pcap", path, "--expect", "3=2000")
        stream = only_stream(report)
        counts = {name: stream[f"{name}_packets"] for name in
                  ("received", "lost", "duplicated", "reordered", "reordered_in_flow", "corrupted", "too_old")}
        self.assertEqual({"received": 1850, "lost": 150, "duplicated": 60, "reordered": reordered,
                          "reordered_in_flow": in_flow, "corrupted": 20, "too_old": 0}, counts)
        self.assertGreater(reordered, in_flow)
        self.assertGreater(in_flow, 0)
        self.assertEqual(max(extents), stream["reordering_extent"]["max"])
        self.assertEqual(len(extents), stream["reordering_extent"]["count"])
        self.assertAlmostEqual(sum(extents) / len(extents), stream["reordering_extent"]["mean"])
        self.assertEqual("relative", stream["clock"])
        self.assertEqual(20, report["corrupted_packets"])
        shown = subprocess.run([TWINPATH, "receive", "--pcap", path], capture_output=True, text=True, check=True,
                               timeout=60).stdout
        self.assertIn("RELATIVE to the first packet", shown)

    def test_relative_latency_and_jitter(self):
        frames = self.sent_frames(100)
        delays = [5000, 5016, 5000] + [5000] * 97
        path = self.folder / "delays.pcap"
        write_nanoseconds(path, [(WALL + tag_of(frame)[2] + delay, frame) for frame, delay in zip(frames, delays)])
        stream = only_stream(received("--pcap", path))
        self.assertEqual((0, 16), (stream["latency_ns"]["min"], stream["latency_ns"]["max"]))
        self.assertEqual(99, stream["variation_ns"]["count"])
        self.assertAlmostEqual(1.9375, stream["highest_jitter_ns"])
        self.assertAlmostEqual(1.9375 * (15 / 16) ** 97, stream["jitter_ns"])

    def test_a_capture_is_sent_byte_by_byte_at_its_pace(self):
        made = [captures.udp(number) for number in range(90)]
        path = self.folder / "made.pcap"
        write_nanoseconds(path, [(WALL + 2_000_000 * number, frame) for number, frame in enumerate(made)])
        self.veth("gen", "sink")
        with Capture("sink") as capture:
            sent = generate("--port", "gen", "--pcap", path, "--speed", 4)
            self.assertEqual(made, capture.frames(90))
        self.assertEqual((90, None), (sent["sent_packets"], sent["stream"]))
        self.assertGreaterEqual(sent["duration_s"], 0.044)  # 89 gaps of 0.5 ms
        with Capture("sink") as capture:
            generate("--port", "gen", "--pcap", path, "--rate", "max", "--packets", 100)
            self.assertEqual(made + made[:10], capture.frames(100))

    def test_captures_and_frames_of_others_with_tags(self):
        made = [captures.udp(number) for number in range(50)]
        made[7] = bytes(60)  # no UDP
        path = self.folder / "made.pcap"
        captures.write(path, made)
        self.veth("gen", "sink")
        with Receiver("sink", "--expect", 98) as receiver:
            generate("--port", "gen", "--pcap", path, "--rate", "5kpps", "--packets", 100, "--tag")
            report = receiver.stop()
        stream = only_stream(report)
        self.assertEqual((98, 0, 0), (stream["received_packets"], stream["lost_packets"], stream["corrupted_packets"]))
        self.assertEqual(2, report["other_packets"])
        self.assertEqual(49, stream["flows"])
        for backend in ("af_packet", "xdp"):
            self.gro("sink")
            with self.subTest(backend), Receiver("sink") as receiver:
                generate("--port", "gen", "--frame", made[0].hex(), "--tag", "--rate", "5kpps", "--packets", 1000,
                         "--backend", backend)
                stream = only_stream(receiver.stop())
                self.assertEqual((1000, 0, 0),
                                 tuple(stream[f"{name}_packets"] for name in ("received", "lost", "corrupted")))

    def test_what_is_refused(self):
        self.veth("gen", "sink")
        empty = self.folder / "empty.pcap"
        captures.write(empty, [])
        port = ("generate", "--port", "gen")
        for said, *command in (
                ("--port is required", "generate"),
                ("--port: there is no interface 'none'", "generate", "--port", "none"),
                ('--rate: found "5x", allowed a number with a unit', *port, "--rate", "5x"),
                ('--rate: found "0pps"', *port, "--rate", "0pps"),
                ('--rate: found "0.0001pps"', *port, "--rate", "0.0001pps"),
                ('--size: found "59", allowed bytes of a frame without its FCS, 60 to 65535', *port, "--size", "59"),
                ('--size: found "100-60"', *port, "--size", "100-60"),
                ('--size: found "60,x"', *port, "--size", "60,x"),
                ("frames of 2000 bytes do not fit the MTU of gen, which is 1500: ip link set gen mtu 1986", *port,
                 "--size", "2000"),
                ('--spread: found "zipf:0"', *port, "--spread", "zipf:0"),
                ('--src: found "1.2.3", allowed an IPv4 address', *port, "--src", "1.2.3"),
                ('--dst: found "1.2.3.4", allowed an IPv6 address', *port, "--ip", "6", "--dst", "1.2.3.4"),
                ('--dst-mac: found "2:3", allowed a MAC address', *port, "--dst-mac", "2:3"),
                ("--flows", *port, "--flows", "0"),
                ("--stream", *port, "--stream", "256"),
                ("--src-port", *port, "--src-port", "49153"),
                ("--vlan", *port, "--vlan", "4096"),
                ("--backend", *port, "--backend", "pigeon"),
                ("--frame and --pcap are mutually exclusive", *port, "--frame", "00", "--pcap", "x"),
                ("--frame: found a frame of 1 bytes, allowed 14 to", *port, "--frame", "00"),
                ("--frame: the frame has no whole UDP datagram", *port, "--frame", "00" * 60, "--tag"),
                ("--tag needs --frame or --pcap", *port, "--tag"),
                ("cannot open the capture /none: No such file", *port, "--pcap", "/none"),
                ("the capture has no packet", *port, "--pcap", str(empty)),
                ("--speed needs --pcap", *port, "--speed", "2"),
                ("--backend xdp sends no captures", *port, "--pcap", str(self.a_capture()), "--backend", "xdp"),
                ("one of --port and --pcap is required", "receive"),
                ("cannot open the capture /none", "receive", "--pcap", "/none"),
                ('--expect: found "x=3"', "receive", "--port", "gen", "--expect", "x=3"),
                ("--port: there is no interface 'none'", "receive", "--port", "none")):
            with self.subTest(said):
                result = subprocess.run([TWINPATH, *command], capture_output=True, text=True, timeout=20)
                self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)
                self.assertRegex(result.stderr, r"\Atwinpath[^\n]*\n\Z")
                self.assertIn(said, result.stderr)

    def a_capture(self):
        path = self.folder / "one.pcap"
        captures.write(path, [bytes(60)])
        return path


xdp_lab.main()
