#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A wire between two hosts on plain veths, like those of containers, forwards TCP and UDP on both paths. Nobody
turns an offload off, so the hosts leave checksums and segmentation to NICs that do not exist.

  tcp_test.py TWINPATH-DPDK TWINPATH-XDP"""
import pathlib
import subprocess
import tempfile
import unittest

import dpdk_lab
from both_paths import PREFIX, PROGRAMS, main
from tcp_hosts import BYTES, Hosts
from wait import wait_for

class Tcp(Hosts, unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.make_hosts()

    def start(self, path, *arguments):
        summary = self.folder / "summary.json"
        tail = ["--", "--no-huge", f"--file-prefix={PREFIX}"] if path == "dpdk" else ["--file-prefix", PREFIX]
        ready = ": lcores " if path == "dpdk" else ": port wan: "
        return dpdk_lab.Running([PROGRAMS[path], "--port", "lan=eth1", "--port", "wan=eth2", "--forward", "wire",
                                 *arguments, "--summary", str(summary), *tail], summary, PREFIX, ready)

    def carries(self, path, *arguments, completes):
        offloads = self.client.offloads(), self.server.offloads()
        with self.start(path, *arguments) as program:
            for more in ((), ("--reverse",)):
                for address in ("10.9.0.2", "fd09::2"):
                    with self.subTest(more=more, address=address):
                        end = self.iperf3("--bytes", str(BYTES), *more, address=address)
                        self.assertGreater(end["sum_received"]["bytes"], BYTES / 4)  # the rest is in buffers
                        end = self.iperf3("--udp", "--bytes", "500000", "--bitrate", "8M", "--length", "1000", *more,
                                          address=address)
                        self.assertLess(end["sum"]["lost_packets"], 0.5 * end["sum"]["packets"])  # on a busy machine
            for host in (self.client, self.server):
                for name in ("TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors"):
                    self.assertEqual(0, host.counter(name), name)
            summary = program.stop()
        self.assertEqual(0, sum(queue["tx_full_packets"] for queue in summary["queues"] if path == "xdp"))
        for queue in summary["queues"]:
            self.assertEqual(completes, queue["checksums_completed"] > 500, queue)
            self.assertLessEqual(queue["checksums_completed"], queue["tx_packets"])
        self.assertEqual(offloads, (self.client.offloads(), self.server.offloads()))
        return program.log()

    def test_dpdk(self):
        log = self.carries("dpdk", completes=True)
        self.assertEqual(2, log.count(", completes checksums"))

    def test_xdp_native(self):
        for host in (self.client, self.server):
            host.run("ethtool", "-K", "eth0", "gro", "on")  # without, a veth drops what native mode sends it
        log = self.carries("xdp", "--mode", "native", completes=True)
        self.assertEqual(2, log.count(", completes checksums"))

    def test_xdp_generic(self):
        """A plain veth gets generic mode. The kernel knows which checksums are unfinished, and segments arrive uncut."""
        log = self.carries("xdp", completes=False)
        self.assertEqual(2, log.count(", generic mode"))
        self.assertNotIn("completes checksums", log)
        self.assertNotIn("IFACE tso off", log)

    def test_left_as_asked(self):
        for host in (self.client, self.server):
            host.run("ethtool", "-K", "eth0", "gro", "on")
        for path in PROGRAMS:
            with self.subTest(path=path), self.start(path, "--checksums", "leave") as program:
                before = self.server.counter("TcpInCsumErrors")
                sender = subprocess.Popen(self.client.command("iperf3", "--client", "10.9.0.2"),
                                          stdout=subprocess.DEVNULL)
                wait_for("the server drops it", lambda: self.server.counter("TcpInCsumErrors") > before, 30)
                sender.kill()
                sender.wait(30)
                summary = program.stop()
                self.assertEqual([0, 0], [queue["checksums_completed"] for queue in summary["queues"]])


main()
