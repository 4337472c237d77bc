#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp counts frames as tx_full that the kernel would drop later without counting them: frames that are
longer than the MTU of their out port, and frames for a port that is down.

  longest_test.py TWINPATH_XDP TWINPATH"""
import pathlib
import re
import shutil

from dpdk_lab import Sender, Telemetry, arrived, send_segments, until
from xdp_lab import MODES, FirstClassifier, XdpTest, main, run

FRAMES = 200
PINS = pathlib.Path("/sys/fs/bpf/twinpath")
HEADERS = 18  # Ethernet's, and a VLAN tag, for which the kernel leaves room


class Longest(XdpTest):
    def setUp(self):
        super().setUp()
        self.wire()
        self.senders = {}

    def total(self, counter):
        return self.telemetry.total("lan", counter)

    def send(self, length):
        """Sends frames of `length` bytes from lan to wan; returns how many more are tx, tx_full, and have arrived."""
        before = self.total("tx_packets"), self.total("tx_full_packets"), arrived("sink")
        if length not in self.senders:
            self.senders[length] = Sender("gen", length)
            self.addCleanup(self.senders[length].close)
        received = self.total("rx_packets")
        self.senders[length].send(FRAMES, per_second=20000)
        until("all are decided", lambda: self.total("rx_packets") == received + FRAMES)
        tx = self.total("tx_packets") - before[0]
        until("those that were sent arrive", lambda: arrived("sink") == before[2] + tx)
        return tx, self.total("tx_full_packets") - before[1]

    def mtu(self, bytes_):
        """Sets the MTU of wan, and waits until the program knows."""
        run("ip", "link", "set", "wan", "mtu", str(bytes_))
        longest = min(bytes_ + HEADERS, 1514)  # gen sends no more
        until("it is seen", lambda: self.send(longest) == (FRAMES, 0) == self.send(60))
        if longest < 1514:
            self.assertEqual((0, FRAMES), self.send(longest + 1))

    def in_each_mode(self, mode):
        run("ip", "link", "set", "wan", "mtu", "1000")
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire", "--mode", mode) as program:
            self.telemetry = Telemetry("twinpath-xdp")
            self.assertEqual((FRAMES, 0), self.send(1000 + HEADERS))
            self.assertEqual((0, FRAMES), self.send(1000 + HEADERS + 1))
            self.assertEqual(FRAMES, self.telemetry.port("wan")["tx_too_long_packets"])
            until("the fault is told", lambda: self.telemetry.fault("port wan", "too_long")["times"])
            until("and ends", lambda: not self.telemetry.fault("port wan", "too_long")["active"])
            self.mtu(1200)
            self.mtu(1500)
            longer = self.telemetry.port("wan")["tx_too_long_packets"]
            run("ip", "link", "set", "wan", "down")
            until("it is seen", lambda: self.telemetry.fault("port wan", "link_down")["active"])
            self.assertEqual((0, FRAMES), self.send(60))
            self.assertEqual(longer, self.telemetry.port("wan")["tx_too_long_packets"], "a port that is down is no MTU")
            run("ip", "link", "set", "wan", "up")
            until("it is seen", lambda: not self.telemetry.fault("port wan", "link_down")["active"])
            self.assertEqual((FRAMES, 0), self.send(60))
            self.telemetry.close()
            program.stop()
            self.assertIn("port wan: frames for wan that are longer than its MTU of 1000 bytes are dropped and count as "
                          "tx_full", program.process.stderr.read())

    def test_segments_become_packets_within_the_mtu(self):
        run("ip", "link", "set", "wan", "mtu", "1000")
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire", "--mode", "generic") as program:
            before = arrived("sink")
            send_segments("gen", 1000 - 40, 20)
            send_segments("gen", 1000 - 40 + 1, 30)
            send_segments("gen", 1400, 10)
            self.telemetry = Telemetry("twinpath-xdp")
            until("all are decided", lambda: self.total("rx_packets") == 60)
            until("those that were sent arrive", lambda: arrived("sink") == before + 20)
            self.assertEqual(20, self.total("tx_packets"))
            self.assertEqual(40, self.total("tx_full_packets"))
            self.assertEqual(40, self.telemetry.port("wan")["tx_too_long_packets"])
            self.assertEqual(60 * 54 + 200 * 960 + 300 * 961 + 100 * 1400, self.total("rx_bytes"))
            until("the fault is told", lambda: self.telemetry.fault("port wan", "too_long")["times"])
            self.telemetry.close()
            program.stop()

    def test_another_program_before_the_one_that_sends_segments(self):
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire", "--mode", "generic") as program:
            self.telemetry = Telemetry("twinpath-xdp")

            def fault():
                return self.telemetry.fault("port lan", "preceded")
            self.assertEqual(0, fault()["times"])
            for times in (1, 2):
                other = FirstClassifier("lan", b"other")
                until("the fault is told", lambda: fault()["active"])
                other.close()
                until("and ends", lambda: not fault()["active"])
                self.assertEqual(times, fault()["times"])
            self.assertEqual(0, self.telemetry.fault("port wan", "preceded")["times"])
            self.telemetry.close()
            program.stop()
            said = program.process.stderr.read()
        self.assertEqual(2, len(re.findall(r"port lan: another program of the classifier \(other, id \d+\) runs before "
                                           r"Twinpath's on lan; if it ends the chain, uncut TCP segments", said)), said)
        self.assertEqual(2, said.count("port lan: no other program of the classifier runs before Twinpath's on lan"))

    def test_pinned_programs_send_after_the_end(self):
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire", "--mode", "native",
                        "--pin") as program:
            self.telemetry = Telemetry("twinpath-xdp")
            run("ip", "link", "set", "wan", "down")
            until("it is seen", lambda: self.telemetry.fault("port wan", "link_down")["active"])
            self.telemetry.close()
            program.stop()
        self.addCleanup(shutil.rmtree, PINS)
        before = arrived("sink")
        run("ip", "link", "set", "wan", "up")
        sender = Sender("gen", 1000)
        self.addCleanup(sender.close)
        sender.send(FRAMES, per_second=20000)
        until("frames arrive", lambda: arrived("sink") == before + FRAMES)

    def test_every_frame_is_counted(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                self.in_each_mode(mode)


main()
