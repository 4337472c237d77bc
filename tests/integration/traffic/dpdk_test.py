#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath generate and receive on DPDK ports: virtual devices, and kernel interfaces by AF_XDP."""
import subprocess
import sys
import time

import captures
from traffic_lab import TWINPATH, Receiver, generate, only_stream, received, tag_of
import xdp_lab
from xdp_traffic import Capture

SHAPE = ("--size", "64-1500", "--flows", 3000, "--spread", "uniform", "--seed", 4, "--stream", 8)


class DpdkTest(xdp_lab.XdpTest):
    def check_all(self, stream, packets):
        self.assertEqual((packets, 0, 0, 0, 0),
                         tuple(stream[f"{name}_packets"] for name in
                               ("received", "lost", "duplicated", "reordered", "corrupted")))

    def test_a_virtual_device_sends_the_frames_that_a_packet_socket_sends(self):
        path = self.folder / "sent.pcap"
        sent = generate("--port", f"net_pcap0,tx_pcap={path}", "--packets", 1000, "--rate", "20kpps", *SHAPE)
        self.assertEqual((1000, 0, "dpdk"), (sent["sent_packets"], sent["dropped_packets"], sent["backend"]))
        self.check_all(only_stream(received("--pcap", path, "--expect", 1000)), 1000)
        self.veth("gen", "sink")
        with Capture("sink") as capture:
            generate("--port", "gen", "--packets", 1000, "--rate", "20kpps", "--backend", "af_packet", *SHAPE)
            frames = [frame for frame in capture.frames(1000) if tag_of(frame)]
        # Without the time, and the checksum over it.
        self.assertEqual([frame[:40] + frame[42:54] + frame[60:] for frame in frames],
                         [frame[:40] + frame[42:54] + frame[60:] for frame in captures.read(path)])

    def test_a_capture_by_a_virtual_device(self):
        made, out = self.folder / "made.pcap", self.folder / "out.pcap"
        captures.write(made, [captures.udp(number) for number in range(60)])
        sent = generate("--port", f"net_pcap0,tx_pcap={out}", "--pcap", made, "--rate", "max")
        self.assertEqual(60, sent["sent_packets"])
        self.assertEqual(captures.read(made), captures.read(out))

    def test_receives_from_a_virtual_device(self):
        path = self.folder / "sent.pcap"
        generate("--port", f"net_pcap0,tx_pcap={path}", "--packets", 500, "--rate", "max", *SHAPE)
        with Receiver(f"net_pcap0,rx_pcap={path}", "--packets", 500, "--expect", 500) as receiver:
            report = receiver.report()
        self.assertEqual("dpdk", report["backend"])
        self.check_all(only_stream(report), 500)

    def test_af_xdp_at_either_end(self):
        for sender, receiver in (("af_xdp", "af_packet"), ("af_packet", "af_xdp")):
            with self.subTest(sender=sender, receiver=receiver):
                self.veth("gen", "sink")
                self.gro("sink")
                with Receiver("sink", "--backend", receiver, "--expect", 10_000) as end:
                    sent = generate("--port", "gen", "--backend", sender, "--packets", 10_000, "--rate", "20kpps", *SHAPE)
                    self.assertEqual((10_000, sender), (sent["sent_packets"], sent["backend"]))
                    time.sleep(0.1)  # the socket's ring is read
                    report = end.stop()
                self.assertEqual(0, report["missed_packets"])
                self.check_all(only_stream(report), 10_000)
                self.assertEqual({}, xdp_lab.attached())
                xdp_lab.remove("gen")

    def test_the_rate_of_a_virtual_device(self):
        for asked in ("1Mpps", "5Gbit", "max"):
            sent = generate("--port", "net_null0", "--rate", asked, "--duration", 1, "--size", "imix")
            print(f"net_null0 {asked}: {sent['packets_per_s']:,.0f} packets/s, "
                  f"{sent['layer2_bits_per_s'] / 1e9:.4f} Gbit/s, reached: {sent['reached']}", file=sys.stderr)
            self.assertGreater(sent["sent_packets"], 0)

    def test_what_is_refused(self):
        self.veth("gen", "sink")
        for said, *options in (
                ("--port: there is no interface 'eht0'", "--port", "eht0"),
                ("--backend dpdk needs a NIC bound to DPDK or a virtual device, and gen is a kernel interface",
                 "--port", "gen", "--backend", "dpdk"),
                ("--backend af_xdp needs a kernel interface, and there is no interface net_null0", "--port",
                 "net_null0", "--backend", "af_xdp"),
                ("vdev net_nothing0 does not start", "--port", "net_nothing0")):
            for command in ("generate", "receive"):
                with self.subTest(said, command=command):
                    result = subprocess.run([TWINPATH, command, *options], capture_output=True, text=True, timeout=60)
                    self.assertEqual((2, ""), (result.returncode, result.stdout), result.stderr)
                    self.assertRegex(result.stderr, r"\Atwinpath[^\n]*\n\Z")
                    self.assertIn(said, result.stderr)


xdp_lab.main()
