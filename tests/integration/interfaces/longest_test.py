#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Both paths count frames that are longer than the MTU of their out port as tx_full and tx_too_long_packets, and
report one fault.

  longest_test.py TWINPATH-DPDK TWINPATH-XDP"""
import pathlib

from both_paths import Case, main, on_both_paths, run
from dpdk_lab import Sender, arrived, send_segments, until

FRAMES = 200
HEADERS = 18  # Ethernet's, and a VLAN tag, for which the kernel leaves room
RING = 2048 - 66  # bytes of a frame in the ring of net_af_packet


class Longest(Case):
    def setUp(self):
        # Where the MTU was below 1,280 bytes, IPv6 starts anew with the default.
        pathlib.Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        super().setUp()
        run("ip", "link", "set", "wan0", "mtu", "1000")

    def total(self, counter):
        return self.telemetry.total("lan", counter)

    def counts(self):
        return (self.total("tx_packets"), self.total("tx_full_packets"),
                self.telemetry.port("wan")["tx_too_long_packets"])

    def send(self, *lengths):
        """Sends FRAMES frames of these lengths in turn from lan to wan, and waits until those that are tx arrive.
        Returns how many are tx, tx_full, and too long."""
        before, there, received = self.counts(), arrived("far0"), self.total("rx_packets")
        senders = [Sender("near0", length) for length in lengths]
        for i in range(FRAMES):
            senders[i % len(senders)].send(1)
        for sender in senders:
            sender.close()
        until("all are decided", lambda: self.total("rx_packets") == received + FRAMES)
        more = tuple(after - then for after, then in zip(self.counts(), before))
        until("those that were sent arrive", lambda: arrived("far0") == there + more[0])
        return more

    def test_frames_beyond_the_mtu_are_tx_full(self):
        program = self.start()
        self.telemetry = program.telemetry
        self.assertEqual((FRAMES, 0, 0), self.send(1000 + HEADERS))
        self.assertEqual((0, FRAMES, FRAMES), self.send(1000 + HEADERS + 1))
        self.assertEqual((FRAMES / 2, FRAMES / 2, FRAMES / 2), self.send(1200, 60))
        until("the fault is told", lambda: self.telemetry.fault("port wan", "too_long")["times"])
        until("and ends", lambda: not self.telemetry.fault("port wan", "too_long")["active"])
        run("ip", "link", "set", "wan0", "mtu", "1200")
        until("it is seen", lambda: self.send(1200 + HEADERS) == (FRAMES, 0, 0))
        self.assertEqual((0, FRAMES, FRAMES), self.send(1200 + HEADERS + 1))
        summary = program.stop()
        self.assertIn("port wan: frames for wan0 that are longer than its MTU of 1000 bytes are dropped and count as "
                      "tx_full", program.log())
        port, = (port for port in summary["ports"] if port["name"] == "wan")
        self.assertEqual(summary["totals"]["tx_full_packets"], port["tx_too_long_packets"])
        self.assertEqual(0, port.get("interface_tx_dropped_packets", 0))
        self.assertNotIn("tx_blocked", [fault["fault"] for fault in summary["faults"]])

    def test_vdevs_on_an_interface(self):
        if self.path != "dpdk":
            return
        for vdev in ("net_af_packet0,iface=wan0", "net_pcap0,iface=wan0"):
            with self.subTest(vdev=vdev):
                program = self.start({"lan": "lan0", "wan": vdev})
                self.telemetry = program.telemetry
                self.assertEqual((FRAMES / 2, FRAMES / 2, FRAMES / 2), self.send(1200, 60))
                # A packet socket leaves room for a tag only where one is.
                self.assertEqual((FRAMES / 2, FRAMES / 2, FRAMES / 2), self.send(1000 + HEADERS - 4, 1000 + HEADERS))
                program.stop()

    def test_segments_that_net_af_packet_cuts(self):
        if self.path != "dpdk":
            return
        program = self.start({"lan": "net_af_packet0,iface=lan0", "wan": "wan0"})
        self.telemetry = program.telemetry
        send_segments("near0", 1400, 10)
        until("all are decided", lambda: self.total("rx_packets") == 10)
        self.assertEqual((0, 10, 10), self.counts())
        self.assertEqual(10 * RING, self.total("rx_bytes"))
        program.stop()
        self.assertIn(f"port lan: net_af_packet0 cuts received frames to {RING} bytes, also segments that nobody has cut "
                      "yet (TSO, GRO): ethtool -K lan0 gro off lro off", program.log())


on_both_paths(Longest, globals())
main()
