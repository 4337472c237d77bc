#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each policy of dpdk-conf/policies does what its description says: its rules take the right packets, and not
similar ones. Uses the decision that both paths share, by `twinpath explain`.
config_shipped_policies_test checks rates and bursts.

  shipped_policies_test.py TWINPATH POLICIES
"""
import json
import pathlib
import socket
import struct
import subprocess
import sys
import unittest

TWINPATH, POLICIES = sys.argv[1], pathlib.Path(sys.argv[2])
del sys.argv[1:]

MACS = bytes.fromhex("020000000002020000000001")
SYN, ACK = 0x02, 0x10
ECT0 = 2


def frame(ethertype, payload, tags=(), size=60):
    head = MACS + b"".join(struct.pack("!HH", 0x88a8 if len(tags) > at + 1 else 0x8100, tag)
                           for at, tag in enumerate(tags)) + struct.pack("!H", ethertype)
    return (head + payload).ljust(size, b"\0")


def tcp(flags, source=1234, destination=80):
    return struct.pack("!HHIIBBHHH", source, destination, 1, 1, 0x50, flags, 1000, 0, 0)


def udp(source=1234, destination=2000):
    return struct.pack("!HHHH", source, destination, 8, 0)


def ip4(proto, payload, ecn=0, fragment=0, **more):
    size = more.get("size", 60) - 14 - 4 * len(more.get("tags", ()))
    head = struct.pack("!BBHHHBBH4s4s", 0x45, ecn, max(size, 20 + len(payload)), 7, fragment, 64, proto, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return frame(0x0800, head + payload, **more)


def ip6(source, destination, proto, payload, size=80):
    addresses = b"".join(socket.inet_pton(socket.AF_INET6, address) for address in (source, destination))
    return frame(0x86dd, struct.pack("!IHBB", 6 << 28, size - 54, proto, 64) + addresses + payload, size=size)


TCP, UDP, ICMP = (ip4(6, tcp(ACK)), ip4(17, udp()), ip4(1, bytes(8)))
ARP = frame(0x0806, bytes.fromhex("0001080006040001") + bytes(20))
IP6 = ip6("2001:db8::1", "2001:db8::2", 17, udp())
ANY = (TCP, UDP, ICMP, ARP, IP6)
INNER, OUTER = "2001:db8:0:1:2::3", "2001:db8:0:2::1"


def first_fragment(datagram=udp()):
    return ip4(17, datagram, fragment=0x2000)


# What a rule does with packets that it does not lose.
PASS, DROP = ("pass", None), ("denied", None)
LAN, WAN = ("tx", "lan"), ("tx", "wan")
# For each policy: packets, their port, the rule that takes them, and where those go that are not lost.
CASES = {
    "bursty-wifi": [(ANY, None, "default", PASS)],
    "correlated-loss": [(ANY, None, "default", PASS)],
    "dns-blackhole": [
        ((ip4(17, udp(4000, 53)), ip4(6, tcp(SYN, 4000, 53)), ip6("2001:db8::1", "2001:db8::2", 17, udp(4000, 53))),
         None, "queries", DROP),
        ((ip4(17, udp(53, 4000)), ip4(6, tcp(ACK, 53, 4000))), None, "answers", DROP),
        ((ip4(6, tcp(SYN, 4000, 853)),), None, "queries over TLS", DROP),
        ((ip4(6, tcp(ACK, 853, 4000)),), None, "answers over TLS", DROP),
        ((*ANY, ip4(17, udp(4000, 54)), ip4(17, udp(4000, 853))), None, "default", PASS)],
    "ecn-marking": [((TCP, ip4(6, tcp(ACK), ecn=ECT0)), None, "congestion", PASS),
                    ((UDP, ICMP, ARP), None, "default", PASS)],
    "every-thousandth": [(ANY, None, "default", PASS)],
    "first-packet-lost": [((UDP, IP6), None, "cold start", PASS), ((TCP, ICMP, ARP), None, "default", PASS)],
    "five-tuple": [("tcp 192.0.2.10:40000 198.51.100.20:873", None, "backup", PASS),
                   ("tcp 192.0.2.11:40001 198.51.100.20:5432", None, "replica", PASS),
                   ("udp [2001:db8::10]:6000 [2001:db8:1::20]:6000", None, "video", PASS),
                   ("udp [2001:db8::11]:6002 [2001:db8:1::20]:6002", None, "cut", None),
                   ("tcp 192.0.2.10:40001 198.51.100.20:873", None, "default", PASS),
                   ("udp 192.0.2.10:40000 198.51.100.20:873", None, "default", PASS),
                   ("tcp 198.51.100.20:873 192.0.2.10:40000", None, "default", PASS)],
    "fragments-lost": [((ip4(17, bytes(16), fragment=5), ip4(17, bytes(16), fragment=0x2005)), None,
                        "fragments behind the first", DROP),
                       ((*ANY, first_fragment()), None, "default", PASS)],
    "half-loss": [(ANY, None, "default", PASS)],
    "lab": [((ICMP,), "lan", "ping", WAN), ((ip4(6, tcp(SYN, 4000, 5201)),), "lan", "tcp clean", WAN),
            ((ip4(6, tcp(SYN, 4000, 5202)),), "lan", "tcp 1%", WAN), ((ip4(17, udp(4000, 5203)),), "lan", "udp 50%", WAN),
            ((ARP, ip4(17, udp(4000, 5204))), "lan", "rest out", WAN), (ANY, "wan", "back", LAN)],
    "conditions/link-flap": [(ANY, "lan", "lan to wan", WAN), (ANY, "wan", "wan to lan", LAN)],
    "lossy-calls": [((ip4(17, udp(4000, 49152)), ip4(17, udp(4000, 65535))), None, "rtp", PASS),
                    ((*ANY, ip4(17, udp(4000, 49151)), ip4(6, tcp(ACK, 4000, 50000))), None, "default", PASS)],
    "lossy-ipv6-subnet": [((ip6(OUTER, INNER, 6, tcp(SYN)),), None, "to the subnet", PASS),
                          ((ip6(INNER, OUTER, 17, udp()),), None, "from the subnet", PASS),
                          ((*ANY, ip6(OUTER, OUTER, 17, udp())), None, "default", PASS)],
    "mtu-blackhole": [((ip4(6, tcp(ACK), size=1415), ip4(17, udp(), size=1514)), None, "too long for IPv4", DROP),
                      ((ip6(INNER, OUTER, 17, udp(), size=1415),), None, "too long for IPv6", DROP),
                      ((*ANY, ip4(6, tcp(ACK), size=1414), ip6(INNER, OUTER, 17, udp(), size=1414)), None,
                       "default", PASS)],
    "conditions/one-flow-in-twenty": [((ICMP, ARP), None, "default", PASS)],
    "conditions/outage-every-minute": [(ANY, None, "default", PASS)],
    "reflect": [(ANY, "lan", "default", LAN)],
    "satellite": [(ANY, None, "default", PASS)],
    "syn-loss": [((ip4(6, tcp(SYN)), ip4(6, tcp(SYN | 0xc0))), None, "connection requests", PASS),
                 ((*ANY, ip4(6, tcp(SYN | ACK)), ip4(6, tcp(0x04))), None, "default", PASS)],
    "vlan-loss": [((ip4(17, udp(), tags=[100]),), "lan", "vlan 100 out", WAN),
                  ((ip4(17, udp(), tags=[100]),), "wan", "vlan 100 in", LAN),
                  ((ip4(17, udp(), tags=[200]), ip4(17, udp(), tags=[200, 100])), "lan", "provider out", WAN),
                  ((ip4(17, udp(), tags=[200, 100]),), "wan", "provider in", LAN),
                  ((*ANY, ip4(17, udp(), tags=[101]), ip4(17, udp(), tags=[101, 100])), "lan", "rest out", WAN),
                  ((*ANY, ip4(17, udp(), tags=[101])), "wan", "rest in", LAN)],
    "voip-loss": [((ip4(17, udp(4000, 5060)), ip4(17, udp(4000, 5061))), "lan", "sip out", WAN),
                  ((ip4(17, udp(4000, 49152)),), "lan", "rtp out", WAN),
                  ((ip4(17, udp(4000, 65535)),), "wan", "rtp in", LAN),
                  ((*ANY, ip4(6, tcp(ACK, 4000, 5060))), "lan", "rest out", WAN),
                  ((*ANY, ip4(17, udp(4000, 5060))), "wan", "rest in", LAN)],
    "wire": [(ANY, "lan", "lan to wan", WAN), (ANY, "wan", "wan to lan", LAN)],
}


def explain(policy, packet, port=None, **options):
    given = ["--frame", packet.hex()] if isinstance(packet, bytes) else ["--five-tuple", packet]
    if port is None and '"port"' not in (POLICIES / f"{policy}.json").read_text(encoding="utf-8"):
        port = "port0"
    if port is not None:
        given += ["--port", port]
    for name, value in options.items():
        given += [f"--{name}", str(value)]
    run = subprocess.run([TWINPATH, "explain", str(POLICIES / f"{policy}.json"), "--json", *given],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class ShippedPoliciesTest(unittest.TestCase):
    def test_each_has_its_cases(self):
        self.assertEqual({str(path.relative_to(POLICIES).with_suffix("")) for path in POLICIES.rglob("*.json")}, set(CASES))

    def test_packets_meet_their_rule_and_go_its_way(self):
        for policy, cases in CASES.items():
            for packets, port, rule, way in cases:
                for packet in [packets] if isinstance(packets, str) else packets:
                    with self.subTest(policy, packet=packet, port=port):
                        self.check_way(policy, packet, port, rule, way)

    def check_way(self, policy, packet, port, rule, way):
        """Checks the way of the first packet of the stream that is not lost. If `way` is None, all are lost."""
        for number in range(64):
            told = explain(policy, packet, port, number=number)
            self.assertEqual(rule, told["rule"])
            if told["verdict"] != "lost":
                break
            if way is None and number == 3:
                return
        self.assertEqual(way, (told["verdict"], told["out_port"]))

    def test_times(self):
        for policy, port, rule, begin, length, every in (("conditions/outage-every-minute", None, "outage", 30, 10, 60),
                                                         ("conditions/link-flap", "lan", "cut", 10, 0.2, 5)):
            for turn in (0, 1, 7):
                start = begin + turn * every
                for seconds, inside in ((start - 0.001, False), (start, True), (start + length - 0.001, True),
                                        (start + length, False)):
                    told = explain(policy, UDP, port, at=f"{round(seconds * 1000)}ms")
                    self.assertEqual(inside, told["rule"] == rule and told["verdict"] == "denied", (policy, seconds))

    def test_one_flow_in_twenty_is_broken_both_ways(self):
        for proto in ("tcp", "udp"):
            verdicts = []
            for port in range(100):
                there, back = f"10.0.0.1:{2000 + port}", "10.0.0.2:80"
                verdicts.append(explain("conditions/one-flow-in-twenty", f"{proto} {there} {back}")["verdict"])
                if port < 5 or verdicts[-1] == "denied":
                    self.assertEqual(verdicts[-1], explain("conditions/one-flow-in-twenty", f"{proto} {back} {there}")["verdict"])
            # About five of 100; the exact number depends on the policy's seed.
            self.assertTrue(1 <= verdicts.count("denied") <= 12, verdicts)

    def test_losses_to_the_packet(self):
        for policy, packet, lost in (("every-thousandth", UDP, {999, 1999}), ("first-packet-lost", UDP, {0, 2})):
            for number in (0, 1, 2, 3, 998, 999, 1000, 1999):
                told = explain(policy, packet, number=number)
                self.assertEqual(number in lost, told["verdict"] == "lost", (policy, number))

    def test_streams_are_whose_they_are_to_be(self):
        there, back, other = (f"udp 10.0.0.{a}:{p} 10.0.0.{b}:{q}"
                              for a, p, b, q in ((1, 50000, 2, 50001), (2, 50001, 1, 50000), (1, 50002, 2, 50001)))
        for policy, same_back in (("first-packet-lost", True), ("lossy-calls", False)):
            told = [explain(policy, packet) for packet in (there, back, other)]
            self.assertEqual(["flow"] * 3, [each["scope"] for each in told])
            self.assertEqual(same_back, told[0]["stream"] == told[1]["stream"], policy)
            self.assertNotEqual(told[0]["stream"], told[2]["stream"])

    def test_congestion_marks_who_is_capable_and_loses_others(self):
        for number in range(400):
            if explain("ecn-marking", TCP, number=number)["verdict"] == "lost":
                break
        told = explain("ecn-marking", ip4(6, tcp(ACK), ecn=ECT0), number=number)
        self.assertEqual(("pass", True), (told["verdict"], told["marked"]), number)


unittest.main(verbosity=2)
