#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath generate and receive around a wire of twinpath-xdp that loses known packets: the counts are
equal, exactly, to each other and to the wire's own. Latency of a known delay. Prints the rates."""
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import unittest

from traffic_lab import TWINPATH, Receiver, generate, only_stream, tag_of
import xdp_lab
from xdp_traffic import Capture

ETH_P_ALL, NUMBER = 3, 40_000


class WireTest(xdp_lab.XdpTest):
    def lossy(self, *lost, repeat=None):
        loss = {"model": "sequence", "packets": list(lost), **({"repeat": repeat} if repeat else {})}
        return self.policy({"forward": "drop"},
                           {"name": "out", "match": {"port": "lan"}, "loss": loss, "forward": {"port": "wan"}},
                           {"name": "back", "match": {"port": "wan"}, "forward": {"port": "lan"}})

    def pass_through(self, policy, packets, *arguments, within_flows=True):
        """Sends `packets` through the wire. Returns the stream's report and the wire's summary."""
        self.wire()
        with self.start("--policy", policy, "--port", "lan=lan", "--port", "wan=wan") as program, \
                Receiver("sink", "--expect", packets) as receiver:
            sent = generate("--port", "gen", "--packets", packets, *arguments)
            self.assertEqual(packets, sent["sent_packets"])
            self.assertEqual(0, sent["dropped_packets"])
            summary = program.stop()
            report = receiver.stop()
        print(f"{' '.join(map(str, arguments))}: by {sent['backend']}, {sent['packets_per_s']:,.0f} packets/s, "
              f"reached: {sent['reached']}, late by {sent['latest_ns'] / 1e6:.3f} ms at most", file=sys.stderr)
        self.assertEqual(0, report["missed_packets"])
        stream = only_stream(report)
        lost = summary["totals"]["lost_packets"]
        self.assertEqual(packets, summary["totals"]["rx_packets"])
        self.assertEqual(packets - lost, stream["received_packets"])
        self.assertEqual(lost, stream["lost_packets"])
        for name in ("duplicated", "corrupted", "reordered", "reordered_in_flow", "unverified", "too_old"):
            self.assertEqual(0, stream[f"{name}_packets"], name)
        self.assertEqual(0, report["other_packets"])
        self.assertEqual(packets - lost, stream["latency_ns"]["count"])
        self.assertEqual("same machine", stream["clock"])
        self.assertGreater(stream["latency_ns"]["min"], 0)
        return stream, summary

    def test_one_by_one(self):
        stream, summary = self.pass_through(self.lossy(3, "10-19", NUMBER - 1), NUMBER, "--backend", "af_packet",
                                            "--rate", "20kpps", "--size", "imix", "--flows", 100)
        self.assertEqual(12, summary["totals"]["lost_packets"])
        self.assertEqual(12, stream["lost_packets"])  # the last packet, too
        self.assertEqual(NUMBER - 2, stream["highest_number"])
        self.assertEqual(100, stream["flows"])

    def test_live_frames(self):
        for arguments in (["--rate", "100kpps"], ["--rate", "50kpps", "--size", "64-1514", "--gaps", "poisson"],
                          ["--rate", "400Mbit", "--layer", 1, "--size", "590,1514", "--flows", 1000, "--spread", "zipf"],
                          ["--rate", "80kpps", "--ip", 6, "--vlan", 7, "--burst", 16, "--size", "84,200"]):
            with self.subTest(arguments):
                stream, summary = self.pass_through(self.lossy(0, 2, "90-94", repeat=100), NUMBER, "--backend", "xdp",
                                                    *arguments)
                self.assertEqual(NUMBER // 100 * 7, summary["totals"]["lost_packets"])
                self.assertEqual(1, stream["first_number"])
                xdp_lab.remove("gen")
                xdp_lab.remove("wan")

    def test_both_backends_send_the_same_frames(self):
        self.veth("gen", "sink")
        self.gro("sink")
        arguments = ("--port", "gen", "--packets", 500, "--size", "64-300", "--flows", 50_000, "--spread", "zipf:1.1",
                     "--stream", 200, "--seed", 9, "--rate", "5kpps")
        seen = {}
        for backend in ("xdp", "af_packet"):
            with Capture("sink") as capture:
                self.assertEqual(500, generate("--backend", backend, *arguments)["sent_packets"])
                frames = [frame for frame in capture.frames(500) if tag_of(frame)]
            self.assertEqual([(200, number) for number in range(500)], [tag_of(frame)[:2] for frame in frames])
            # Without the time, and the checksum over it.
            seen[backend] = [frame[:40] + frame[42:54] + frame[60:] for frame in frames]
        self.assertEqual(seen["xdp"], seen["af_packet"])

    def test_latency_of_a_known_delay(self):
        self.veth("gen", "hold")
        self.veth("send", "sink")
        delay = 0.05
        start = time.monotonic_ns()
        with Capture("hold") as capture, Receiver("sink", "--expect", 100) as receiver, \
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            generate("--port", "gen", "--packets", 100, "--rate", "10kpps", "--backend", "af_packet")
            frames = [frame for frame in capture.frames(100) if tag_of(frame)]
            time.sleep(delay)
            sender.bind(("send", ETH_P_ALL))
            least = []
            for frame in frames:
                least.append(time.monotonic_ns() - tag_of(frame)[2])
                sender.send(frame)
            stream = only_stream(receiver.stop())
        self.assertEqual(100, stream["received_packets"])
        latency = stream["latency_ns"]
        self.assertGreaterEqual(latency["min"], delay * 1e9)
        # No packet can have taken less; a microsecond is for the comparison of two clocks.
        self.assertGreaterEqual(latency["min"], min(least) - 1000)
        self.assertGreaterEqual(latency["max"], max(least) - 1000)
        self.assertLess(latency["max"], time.monotonic_ns() - start)

    def test_as_fast_as_one_cpu_can(self):
        for size in (64, "imix", 1514):
            self.veth("gen", "sink")
            with self.start("--port", "sink=sink", "--forward", "drop") as program:
                sent = generate("--port", "gen", "--rate", "max", "--duration", 1, "--size", size)
                totals = program.stop()["totals"]
            print(f"XDP live frames of {size} bytes into a program that drops them: "
                  f"{sent['packets_per_s'] / 1e6:.2f} million packets/s", file=sys.stderr)
            self.assertEqual(("xdp", 0), (sent["backend"], sent["dropped_packets"]))
            self.assertEqual((sent["sent_packets"], sent["handed_over_bytes"]),
                             (totals["rx_packets"], totals["rx_bytes"]))
            xdp_lab.remove("gen")

    def test_without_a_receiver_of_its_frames_xdp_is_not_taken(self):
        self.veth("gen", "sink")
        self.gro("sink", on=False)
        self.assertIn("gen takes no frames from XDP: its other end needs an XDP program, or GRO",
                      generate("--port", "gen", "--backend", "xdp", status=2))
        sent = generate("--port", "gen", "--rate", "max", "--packets", 1000)
        self.assertEqual("af_packet", sent["backend"])
        self.assertIn("takes no frames from XDP", sent["why"])
        self.assertEqual(1000, sent["sent_packets"])

    def test_what_the_interface_drops_is_not_sent(self):
        for backend in ("xdp", "af_packet"):
            with self.subTest(backend):
                self.veth("gen", "sink")
                self.gro("sink")
                xdp_lab.run("ip", "link", "set", "sink", "mtu", "500")  # its kernel drops what is longer
                with Receiver("sink", "--expect", 2000) as receiver:
                    sent = generate("--port", "gen", "--rate", "5kpps", "--packets", 2000, "--size", "64,1000",
                                    "--backend", backend)
                    stream = only_stream(receiver.stop())
                # Of a batch of live frames the kernel also drops those behind the first long one.
                arrived = stream["received_packets"]
                self.assertEqual(arrived, 1000) if backend == "af_packet" else self.assertLessEqual(arrived, 1000)
                self.assertEqual((arrived, 2000 - arrived, 2000, False),
                                 (sent["sent_packets"], sent["dropped_packets"], sent["handed_over_packets"],
                                  sent["reached"]))
                self.assertEqual(2000 - arrived, stream["lost_packets"])
                self.assertLessEqual(sent["packets_per_s"], 2501)
                xdp_lab.remove("gen")

    def test_an_interface_that_disappears_or_goes_down_ends_the_run(self):
        subprocess.run(["ip", "netns", "add", "away"], check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", "away"], check=True)
        for backend in ("af_packet", "xdp"):
            for change, said in ((("netns", "away"), "gen disappeared while it sent"),
                                 (("down",), "gen went down while it sent: ip link set gen up")):
                with self.subTest(backend, said=said), self.ended_by(change, backend) as (report, errors, arrived):
                    self.assertIn(f"twinpath generate: {said}\n", errors)
                    self.assertEqual((said, False, False), (report["failure"], report["reached"], report["stopped"]))
                    self.assertGreater(report["sent_packets"], 0)
                    self.assertEqual(report["handed_over_packets"], report["sent_packets"] + report["dropped_packets"])
                    if backend == "xdp" and change != ("down",):  # its counts are gone: what was counted before
                        self.assertLessEqual(report["sent_packets"], arrived)
                    else:
                        self.assertEqual(arrived, report["sent_packets"])

    @contextlib.contextmanager
    def ended_by(self, change, backend):
        """The report of a run whose interface is changed in the middle, its errors, and what arrived."""
        self.veth("gen", "sink")
        self.gro("sink")
        with Receiver("sink") as receiver:
            process = subprocess.Popen([TWINPATH, "generate", "--json", "--port", "gen", "--rate", "5kpps", "--backend",
                                        backend, "--duration", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True)
            self.addCleanup(process.kill)
            process.stderr.readline()  # it sends
            time.sleep(0.3)
            xdp_lab.run("ip", "link", "set", "gen", *change)
            output, errors = process.communicate(timeout=30)
            self.assertEqual(1, process.returncode, errors)
            time.sleep(0.1)
            yield json.loads(output), errors, only_stream(receiver.stop())["received_packets"]
        xdp_lab.remove("sink")

    def test_a_receiver_that_stalls_loses_nothing_at_a_low_rate(self):
        self.veth("gen", "sink")
        with Receiver("sink", "--expect", 2000) as receiver:
            sender = subprocess.Popen([TWINPATH, "generate", "--json", "--port", "gen", "--rate", "1kpps", "--packets",
                                       "2000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(sender.kill)
            time.sleep(0.3)
            receiver.process.send_signal(signal.SIGSTOP)
            time.sleep(0.8)
            receiver.process.send_signal(signal.SIGCONT)
            self.assertEqual(0, sender.wait(timeout=30))
            report = receiver.stop()
        self.assertEqual(0, report["missed_packets"])
        self.assertEqual((2000, 0), (only_stream(report)["received_packets"], only_stream(report)["lost_packets"]))

    def test_an_unreachable_rate_is_missed(self):
        self.veth("gen", "sink")
        sent = generate("--port", "gen", "--rate", "1000Mpps", "--packets", 10_000, "--backend", "af_packet")
        self.assertFalse(sent["reached"])
        self.assertLess(sent["packets_per_s"], 1e9)


xdp_lab.main()
