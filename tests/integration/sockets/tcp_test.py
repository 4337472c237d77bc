#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A wire between two hosts on plain veths carries TCP and UDP: the hosts leave checksums and segments to NICs that do
not exist. A host's own stack gets what passes, with unfinished checksums and all.

  tcp_test.py TWINPATH_SOCKET TWINPATH ENGINE
"""
from socket_lab import ENGINE, SocketTest
from tcp_hosts import BYTES, Hosts, run
from xdp_lab import main


class Tcp(Hosts, SocketTest):
    def setUp(self):
        super().setUp()
        self.make_hosts()
        if ENGINE != "packet_mmap":  # which sends segments on uncut
            for host in (self.client, self.server):
                host.run("ethtool", "-K", "eth0", "tso", "off", "gso", "off")
            run("ethtool", "-K", "eth1", "tso", "off", "gso", "off")

    def carried(self, address):
        for more in ((), ("--reverse",)):
            end = self.iperf3("--bytes", str(BYTES), *more, address=address)
            self.assertGreater(end["sum_received"]["bytes"], BYTES / 4)  # the rest is in buffers
            end = self.iperf3("--udp", "--bytes", "500000", "--bitrate", "8M", "--length", "1000", *more,
                              address=address)
            self.assertLess(end["sum"]["lost_packets"], 0.5 * end["sum"]["packets"])  # on a busy machine
        for host in (self.client, self.server):
            for name in ("TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors"):
                self.assertEqual(0, host.counter(name), name)

    def test_a_wire(self):
        with self.start("--port", "lan=eth1", "--port", "wan=eth2", "--forward", "wire") as program:
            for address in ("10.9.0.2", "fd09::2"):
                with self.subTest(address=address):
                    self.carried(address)
            summary = program.stop()
        for queue in summary["queues"]:
            self.assertGreater(queue["checksums_completed"], 100, queue)
        if ENGINE == "packet_mmap":  # segments go on uncut
            self.assertEqual(0, summary["totals"]["tx_full_packets"])

    def test_a_host_behind_pass(self):
        """The client talks to the stack of eth1 itself."""
        run("ip", "address", "add", "10.9.0.3/24", "dev", "eth1")
        self.server.run = lambda *command: run(*command)
        self.server.command = lambda *command: list(command)
        with self.start("--port", "lan=eth1", "--forward", "pass") as program:
            end = self.iperf3("--bytes", str(BYTES), address="10.9.0.3")
            self.assertGreater(end["sum_received"]["bytes"], BYTES / 4)
            summary = program.stop()
        totals = summary["totals"]
        self.assertEqual(totals["rx_packets"], totals["pass_packets"] + totals["tx_full_packets"])


main()
