#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A host whose own interface is the port keeps working without any setup, with IPv4 and IPv6: the interface receives the
passed packets, and keeps its addresses, routes and neighbors. Nothing is left behind, however the program ends.

  own_interface_test.py TWINPATH-DPDK"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import dpdk_lab
import isolation
from dpdk_lab import run, until

PROGRAM = os.path.abspath(sys.argv[1])
FAR = ("ip", "netns", "exec", "far")
HERE, THERE = ("192.0.2.2", "fd00::2"), ("192.0.2.1", "fd00::1")
OTHERS = "192.0.2.99"
ECHO = ("import socket\n"
        "with socket.create_server(('::', 7), family=socket.AF_INET6, dualstack_ipv6=True) as server:\n"
        "    print('listening', flush=True)\n"
        "    while True:\n"
        "        connection = server.accept()[0]\n"
        "        while data := connection.recv(1 << 16):\n"
        "            connection.sendall(data)\n")
SEND = ("import socket, sys\n"
        "sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
        "for text in ('1', '2', '3'):\n"
        "    sender.sendto(text.encode(), ('192.0.2.255', 7000))\n"
        "sender.sendto(b'last', ('192.0.2.2', 7000))\n")


def connect():
    """The interface eth1, and its peer in another network namespace."""
    run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", "far")
    for where, name, addresses in (((), "eth1", HERE), (FAR, "eth0", THERE)):
        # Off, because there is no NIC that finishes checksums.
        subprocess.run([*where, "ethtool", "-K", name, "tx", "off", "rx", "off", "gso", "off", "tso", "off", "gro", "off"],
                       check=False, capture_output=True, timeout=60)
        run(*where, "ip", "addr", "add", addresses[0] + "/24", "brd", "+", "dev", name)
        run(*where, "ip", "addr", "add", addresses[1] + "/64", "dev", name, "nodad")
        run(*where, "ip", "link", "set", name, "up")
    run("ip", "route", "add", "default", "via", THERE[0])
    run("ip", "-6", "route", "add", "default", "via", THERE[1])


def pings(address, *where, count=1):
    """How many of `count` pings are answered."""
    sent = subprocess.run([*where, "ping", "-c", str(count), "-i", "0.01", "-W", "1", address], capture_output=True,
                          text=True, check=False, timeout=60)
    found = re.search(r"(\d+) received", sent.stdout)
    return int(found[1]) if found else 0


def forget_neighbors():
    for where in ((), FAR):
        run(*where, "ip", "neigh", "flush", "all")


def configuration():
    """The addresses of eth1, and all routes except those of tp-lan's link-local network."""
    addresses = json.loads(run("ip", "-json", "addr", "show", "dev", "eth1"))[0]["addr_info"]
    routes = [route for family in ("-4", "-6") for route in json.loads(run("ip", family, "-json", "route") or "[]")
              if route["dev"] != "tp-lan"]
    return addresses, routes


class OwnInterface(unittest.TestCase):
    options = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(self.folder.cleanup)
        run("ip", "netns", "add", "far")
        self.addCleanup(run, "ip", "netns", "delete", "far")
        connect()
        until("no address is tentative", lambda: "tentative" not in run("ip", "addr", "show", "dev", "eth1"))
        self.addCleanup(subprocess.run, ["ip", "link", "del", "eth1"], check=False, capture_output=True, timeout=60)

    def start(self, *arguments):
        self.program = dpdk_lab.Dpdk(PROGRAM, self.folder.name, "--port", "lan=eth1", "--forward", "pass", *arguments,
                                     *self.options)
        self.addCleanup(self.program.__exit__)
        self.program.said("port lan: exception port tp-lan (net_tap); passed packets arrive at eth1")

    def works(self):
        """Checks both directions, from empty neighbor tables on."""
        for here, there in zip(HERE, THERE):
            for address, where in ((there, ()), (here, FAR)):
                forget_neighbors()
                until(f"{address} answers", lambda a=address, w=where: pings(a, *w))

    def test_everything_works_and_nothing_is_left(self):
        before = configuration()
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.start()
            self.works()
            self.assertEqual(before, configuration())
            echo = subprocess.Popen([*FAR, sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
            self.addCleanup(echo.stdout.close)
            self.addCleanup(echo.wait)
            self.addCleanup(echo.kill)
            echo.stdout.readline()
            for address in THERE:
                with socket.create_connection((address, 7), timeout=30) as connection:
                    text = os.urandom(200_000)
                    connection.sendall(text)
                    self.assertEqual(text, connection.makefile("rb").read(len(text)))
            echo.kill()
            if number == signal.SIGTERM:
                counts = self.program.stop()["totals"]
                self.assertEqual(counts["rx_packets"], counts["pass_packets"])
            else:
                self.program.process.kill()
                self.program.process.wait(30)
            until("tp-lan is gone", lambda: "tp-lan" not in run("ip", "link"))
            until("no XDP program is left", lambda: "xdp" not in run("ip", "link", "show", "eth1"))
            self.works()
            self.assertEqual(before, configuration())

    def test_a_broadcast_arrives_once(self):
        self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("", 7000))
            receiver.settimeout(30)
            run(*FAR, sys.executable, "-c", SEND)
            self.assertEqual([b"1", b"2", b"3", b"last"], [receiver.recv(100) for _ in range(4)])

    def test_only_eth1_answers_arp(self):
        """The host is configured not to answer for an address of lo, which another machine serves."""
        run("ip", "addr", "add", f"{OTHERS}/32", "dev", "lo")
        self.addCleanup(run, "ip", "addr", "del", f"{OTHERS}/32", "dev", "lo")
        pathlib.Path("/proc/sys/net/ipv4/conf/eth1/arp_ignore").write_text("1", encoding="ascii")
        self.start()
        until("its own address answers", lambda: pings(HERE[0], *FAR))
        self.assertEqual(0, pings(OTHERS, *FAR, count=2))

    def test_half_of_the_pings_are_lost(self):
        self.start("--match", "proto=icmp", "--loss", "50%")
        until("a ping is answered", lambda: pings(HERE[0], *FAR))
        answered = pings(HERE[0], *FAR, count=200)
        self.assertTrue(60 < answered < 140, answered)
        rule = next(rule for rule in self.program.stop()["rules"] if rule["name"] == "match")
        self.assertGreaterEqual(rule["lost_packets"], 200 - answered)

    def test_routes_to_the_exception_port_work_too(self):
        self.start()
        run("ip", "route", "add", "192.0.2.1/32", "dev", "tp-lan", "src", "192.0.2.2")
        run("ip", "-6", "route", "add", "fd00::1/128", "dev", "tp-lan", "src", "fd00::2")
        self.works()
        self.assertGreater(self.program.telemetry.port("lan")["exception_tx_packets"], 4)
        for address in ("192.0.2.2/24", "fd00::2/64"):
            run("ip", "addr", "del", address, "dev", "eth1")
            run("ip", "addr", "add", address, "dev", "tp-lan", *(["nodad"] if ":" in address else []))
        self.works()

    def test_a_bridge_takes_the_exception_port(self):
        self.start()
        run("ip", "link", "add", "br0", "type", "bridge")
        self.addCleanup(run, "ip", "link", "del", "br0")
        run("ip", "link", "set", "tp-lan", "master", "br0")
        run("ip", "link", "set", "br0", "up")
        received = pathlib.Path("/sys/class/net/br0/statistics/rx_packets")
        forget_neighbors()  # so that a ping begins with ARP, which reaches all of a bridge
        until("frames reach the bridge", lambda: pings(HERE[0], *FAR) == 0 and int(received.read_text()) > 0)
        run("ip", "link", "set", "tp-lan", "nomaster")
        self.works()

    def test_it_works_again_when_its_interfaces_were_made_again(self):
        self.start()
        self.works()
        run("ip", "link", "del", "tp-lan")
        self.program.said("port lan: exception port tp-lan was recreated")
        self.works()
        run("ip", "link", "del", "eth1")
        until("it is seen", lambda: self.program.telemetry.fault("port lan", "gone")["active"])
        connect()
        until("it is over", lambda: not self.program.telemetry.fault("port lan", "gone")["active"])
        self.works()


class Adaptive(OwnInterface):
    """The worker sleeps while no frames come."""
    options = ("--idle", "adaptive")


isolation.require()
unittest.main(argv=sys.argv[:1], verbosity=2)
