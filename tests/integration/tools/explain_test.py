#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath explain` on the command line says what both real paths do, in words and for scripts, and refuses
wrong input. Needs root.

  explain_test.py TWINPATH POLICIES
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

from bad_policies import check_refused
from captures import unfinished, write

TWINPATH, POLICIES = sys.argv[1], pathlib.Path(sys.argv[2])
FIVE_TUPLE = "tcp 10.0.0.1:1234 192.0.2.1:80"
LOSSES = [
    {"model": "random", "rate": "50%"},
    {"model": "random", "rate": "50%", "scope": "packet"},
    {"model": "random", "rate": "50%", "scope": "flow", "ecn_mark": True},
    {"model": "correlated", "rate": "50%", "correlation": "50%"},
    {"model": "gilbert_elliott", "p": "20%", "r": "20%", "loss_bad": "90%", "loss_good": "10%",
     "scope": "flow", "flow": "bidirectional"},
    {"model": "four_state", "p13": "20%", "p31": "20%", "p32": "20%", "p14": "10%"},
    {"model": "periodic", "every": 3, "offset": 1},
    {"model": "sequence", "packets": [0, "3-4", "64-70"], "repeat": 100}]
COPIES = 130  # of each frame: three blocks of 64


def udp(number):
    """An ECN-capable datagram to port 2000 + number."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 2, 46, 7, 0, 64, 17, 0, bytes([10, 0, 0, 1]),
                     bytes([10, 0, 1, 1]))
    return (bytes.fromhex("0200000000020200000000010800") + ip +
            struct.pack("!HHHH", 1000, 2000 + number, 26, 0) + bytes(18))


class Explain(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def explain(self, policy, *arguments):
        run = subprocess.run([TWINPATH, "explain", str(policy), *map(str, arguments)],
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""), arguments)
        return json.loads(run.stdout) if "--json" in arguments else run.stdout

    def policy(self, **policy):
        file = self.folder / "policy.json"
        file.write_text(json.dumps({"version": 1, "seed": 11, **policy}))
        return file

    def test_it_tells_what_both_paths_do(self):
        policy = self.policy(malformed="drop", rules=[
            {"name": "outage", "active": {"from": "500s", "for": "20s"}, "forward": "drop"},
            *({"name": f"loss {number}", "match": {"proto": "udp", "dst_port": 2000 + number},
               "loss": loss, "forward": "reflect" if number % 2 else "pass"}
              for number, loss in enumerate(LOSSES)),
            {"name": "some", "packets": 70, "flows": "50%", "match": {"src": "10.0.0.0/8"},
             "loss": {"model": "random", "rate": "50%"}}],
            default={"loss": {"model": "periodic", "every": 2}})
        frames = [udp(number) for number in range(len(LOSSES) + 1)] + [udp(0)[:30]]
        # One frame a second, with its copies after it. The outage takes the last copies of one frame.
        capture = self.folder / "a.pcap"
        write(capture, [frame for frame in frames for _ in range(COPIES)])
        verdicts = self.folder / "verdicts"
        subprocess.run([TWINPATH, "parity", str(policy), str(capture), "--verdicts",
                        str(verdicts)], check=True, capture_output=True, timeout=60)
        decided = [json.loads(line) for line in verdicts.read_text().splitlines()[::2]]
        self.assertEqual(len(decided), len(frames) * COPIES)
        seen = set()
        at_outage = 0
        for kind in range(len(frames)):
            for copy in (0, 1, 2, 62, 63, 64, 65, 100, 128, 129):
                n = kind * COPIES + copy
                told = self.explain(policy, "--pcap", capture, "--packet", n + 1, "--at", f"{n}s",
                                    "--number", copy, "--port", "port0", "--json")
                at_outage += told["rule"] == "outage"
                for key in ("rule", "verdict", "out_port", "sha256", "port", "queue"):
                    self.assertEqual(told[key], decided[n][key], (kind, copy, told, decided[n]))
                seen.add((kind, told["verdict"], told.get("marked")))
        self.assertGreater(at_outage, 0)
        for kind in range(len(LOSSES)):
            if kind != 1:  # its copies are one packet
                self.assertGreaterEqual(len({s for s in seen if s[0] == kind}), 2, kind)
        self.assertIn((2, "pass", True), seen)
        self.assertIn((len(frames) - 1, "malformed", None), seen)

    def test_a_packet_of_a_capture_comes_after_those_before_it(self):
        policy = self.policy(rules=[
            {"name": "outage", "active": {"from": "50s", "for": "10s"}, "forward": "drop"},
            {"name": "some", "packets": 20, "match": {"dst_port": "2000-2003"},
             "loss": {"model": "periodic", "every": 3}},
            *({"name": f"loss {number}", "match": {"proto": "udp", "dst_port": 2000 + number},
               "loss": loss} for number, loss in enumerate(LOSSES))])
        frames = [udp((3 * n + n // 8) % len(LOSSES)) for n in range(200)]
        capture = self.folder / "a.pcap"
        write(capture, frames)
        verdicts = self.folder / "verdicts"
        subprocess.run([TWINPATH, "parity", str(policy), str(capture), "--verdicts",
                        str(verdicts)], check=True, capture_output=True, timeout=60)
        decided = [json.loads(line) for line in verdicts.read_text().splitlines()[::2]]
        seen = set()
        of = ("--port", "port0", "--pcap", capture)
        for n in (*range(40), 50, 59, *range(60, len(frames), 7)):
            told = self.explain(policy, *of, "--packet", n + 1, "--json")
            for key in ("n", "rule", "verdict", "out_port", "sha256", "port", "queue"):
                self.assertEqual(told[key], decided[n][key], (told, decided[n]))
            self.assertEqual(told["at_ns"], n * 10**9)
            seen.add((told["rule"], told["verdict"]))
        for rule in ("outage", "some", *(f"loss {number}" for number in (0, 1, 2, 4, 6, 7))):
            self.assertIn(rule, {rule for rule, _ in seen})
        self.assertGreaterEqual(sum(verdict == "lost" for _, verdict in seen), 4)
        self.assertIn(", after 60 packets of the capture\n",
                      self.explain(policy, *of, "--packet", 61))
        # Given their number, or a time, that counts.
        told = self.explain(policy, *of, "--packet", 1, "--at", "55s", "--json")
        self.assertEqual(told["rule"], "outage")
        told = self.explain(policy, *of, "--packet", 61, "--number", 0, "--json")
        self.assertEqual((told["rule"], told["at_ns"]), ("some", 0))

    def test_words_are_for_people(self):
        policy = self.policy(rules=[
            {"name": "calls", "match": {"dst": "10.0.0.0/8"}, "forward": "drop"},
            {"name": "later", "active": {"from": "1m"}, "forward": "drop"},
            {"name": "web", "match": {"dst_port": "80-89"},
             "loss": {"model": "random", "rate": "50%"}, "forward": {"port": "wan"}}])
        self.assertEqual(self.explain(policy, "--five-tuple", FIVE_TUPLE, "--at", "5s"), """\
IPv4 tcp 10.0.0.1:1234 > 192.0.2.1:80, 60 bytes, received by wan, queue 0, 5 s after the start

  1. calls: no: dst 192.0.2.1 is not in 10.0.0.0/8
  2. later: no: it matches, but is active from 1 min on, not at 5 s
  3. web: matches: TCP or UDP, destination ports 80 to 89

rule web: lose 50 % at random (1 in 2), one stream per port and queue; send the rest out of wan
  stream     rule web on port wan, queue 0
             keys 0xf5f7fb76145d8ca6 and 0x9d0fc25d4144f626
  packet     0 of the stream, counted from 0
  lost: no, the draw is not below the threshold
    draw       0x87d835d24d5b2afe = 0.530643 of 1
    threshold  0x8000000000000000 = 0.5 of 1
  loss       not lost

verdict: tx, out of wan
""")
        self.assertEqual(self.explain(policy, "--frame", " 00:11\n2233\n"), """\
malformed, 4 bytes, received by wan, queue 0, 0 s after the start

The frame is malformed. It is read only in part (cut): its Ethernet header needs 14 bytes, but the frame has 4

  1. calls: no: dst: the IP header could not be read
  2. later: no: it matches, but is active from 1 min on, not at 0 s
  3. web: no: dst_port: the IP header could not be read
  default: matches: everything else

rule default: pass to the kernel
  loss       the rule loses nothing

verdict: pass
""")

    def test_an_answer_is_shown_and_what_is_not_answered(self):
        policy = self.policy(default={"forward": "reflect-echo"})
        ping = "020000000002020000000001080045000024000100004001 66d60a0000010a000002 {} 12340007 6162636465666768"
        request, reply = ping.format("0800542f").replace(" ", ""), ping.format("00005c2f").replace(" ", "")
        self.assertTrue(self.explain(policy, "--frame", request, "--port", "lan").endswith(
            "\nverdict: tx, out of lan\n"))
        self.assertTrue(self.explain(policy, "--frame", reply, "--port", "lan").endswith(
            "\nverdict: denied, no request that the rule answers\n"))

    def test_why_a_frame_was_not_read_to_the_end(self):
        rules = [{"name": "web", "match": {"dst_port": 80}}, {"name": "tcp", "match": {"proto": "tcp"}}]
        links = "020000000002020000000001"
        tcp = "4500 0018 0001 2000 40 06 46d7 0a000001 0a000002 03e80050"  # a first fragment of 4 bytes
        options = "3c 00 010400000000" * 9
        deep = "60000000 0050 3c 40" + "20010db8000000000000000000000001" * 2 + options + "11" * 8
        for frame, reason, malformed, rule in (
                (links + "0800" + tcp, "cut", True, "tcp"),
                (links + "0800" + tcp.replace("4500", "4400"), "contradiction", True, "default"),
                (links + "86dd" + deep, "too deep", False, "default")):
            told = self.explain(self.policy(rules=rules), "--frame", frame, "--port", "lan", "--json")
            self.assertEqual((told["unread"]["reason"], told["rule"], told["malformed"]),
                             (reason, rule, told["unread"]["about"] if malformed else None))
            dropped = self.explain(self.policy(rules=rules, malformed="drop"), "--frame", frame,
                                   "--port", "lan", "--json")
            self.assertEqual((dropped["unread"], dropped["rule"], dropped["verdict"]),
                             (told["unread"], *((None, "malformed") if malformed else (rule, "pass"))))
        self.assertEqual(self.explain(self.policy(rules=rules, malformed="drop"), "--frame",
                                      links + "0800" + tcp, "--port", "lan").split("\n\n")[1],
                         "No rule is tried: the frame is malformed: its TCP header needs 20 bytes, but "
                         "the first fragment has 4 left (cut)")

    def test_five_tuples_make_packets_of_both_ip_versions(self):
        policy = self.policy(rules=[{"name": "web", "match": {"tcp_flags": "syn,!ack"}}])
        for five_tuple, about, size, rule in (
                (FIVE_TUPLE, "IPv4 tcp 10.0.0.1:1234 > 192.0.2.1:80", 60, "web"),
                ("tcp [2001:db8::1]:1 [::1]:80", "IPv6 tcp [2001:db8::1]:1 > [::1]:80", 74, "web"),
                ("udp [::1]:1 [::2]:53", "IPv6 udp [::1]:1 > [::2]:53", 62, "default"),
                ("icmpv6 ::1 ::2", "IPv6 icmpv6 ::1 > ::2", 62, "default"),
                ("132 10.0.0.1 10.0.0.2", "IPv4 protocol 132 10.0.0.1 > 10.0.0.2", 60, "default")):
            told = self.explain(policy, "--five-tuple", five_tuple, "--port", "lan", "--json")
            self.assertEqual((told["frame"], told["rule"], told["malformed"]),
                             ({"about": about, "octets": size}, rule, None))

    def test_the_port_completes_or_leaves_checksums(self):
        policy = self.policy(default={"forward": {"port": "wan"}})
        left, finished = unfinished(3)
        for options, sent in (((), left), (("--checksums", "leave"), left), (("--checksums", "complete"), finished)):
            told = self.explain(policy, "--port", "wan", "--frame", left.hex(), *options, "--json")
            self.assertEqual((told["checksum_completed"], told["sha256"]),
                             (sent == finished, hashlib.sha256(sent).hexdigest()))
        complete = ("--port", "wan", "--checksums", "complete")
        self.assertIn("\n  checksum   unfinished, so it is finished before the packet leaves\n",
                      self.explain(policy, "--frame", left.hex(), *complete))
        self.assertNotIn("  checksum ", self.explain(policy, "--frame", finished.hex(), *complete))
        passed = self.policy(default={"forward": "pass"})
        self.assertFalse(self.explain(passed, "--frame", left.hex(), *complete, "--json")["checksum_completed"])

    def test_every_shipped_policy_explains_a_packet(self):
        for policy in sorted(POLICIES.glob("*.json")):
            text = policy.read_text()
            port = ("--port", "eth0") if '"port"' not in text else ()
            told = self.explain(policy, "--five-tuple", FIVE_TUPLE, "--number", 1000, "--json", *port)
            self.assertIsNotNone(told["rule"], policy)
            self.assertEqual(told["lost"], told["marked"] or told["verdict"] == "lost", policy)

    def test_wrong_input_is_refused(self):
        wire, loss = POLICIES / "wire.json", POLICIES / "half-loss.json"
        capture = self.folder / "a.pcap"
        write(capture, [udp(0), udp(1)])
        given = ("--five-tuple", FIVE_TUPLE)
        five_tuples = ("--five-tuple: found {}, allowed \"tcp 10.0.0.1:1234 192.0.2.1:80\", \"udp "
                       "[2001:db8::1]:5000 [2001:db8::2]:53\" or \"icmp 10.0.0.1 192.0.2.1\"\n")
        ports = ("--five-tuple: found {}, allowed ports at both ends with tcp and udp, and no "
                 "ports with other protocols\n")
        walked = self.policy(default={"loss": {"model": "gilbert_elliott", "p": "1%"}})
        for error, policy, *arguments in (
                ("found 0 packets to explain, allowed one of --frame, --pcap and --five-tuple\n",
                 wire),
                ("found 2 packets to explain, allowed one of --frame, --pcap and --five-tuple\n",
                 wire, *given, "--frame", "00"),
                ('--frame: found "0x00", allowed 1 to 65535 bytes of two hex digits\n', wire,
                 "--frame", "0x00"),
                ('--frame: character 3: found "0", allowed 1 to 65535 bytes of two hex digits\n', wire,
                 "--frame", "000"),
                ('--frame: found " ", allowed 1 to 65535 bytes of two hex digits\n', wire,
                 "--frame", " "),
                ("--packet needs --pcap\n", wire, *given, "--packet",
                 1),
                (f"--packet: found 3, allowed 1 to 2 (the packets of {capture})\n", wire,
                 "--pcap", capture, "--packet", 3),
                ("cannot open the capture /nowhere: No such file or directory\n", wire, "--pcap",
                 "/nowhere"),
                (f"{wire}: not a pcap or pcapng capture: ", wire, "--pcap", wire),
                *((five_tuples.format(json.dumps(text)), wire, "--five-tuple", text) for text in (
                    "", "tcp", "tcp 10.0.0.1:1 10.0.0.2:2 more", "quic 10.0.0.1:1 10.0.0.2:2",
                    "256 10.0.0.1 10.0.0.2", "tcp 10.0.0.1:65536 10.0.0.2:2", "tcp 10.0.0:1 10.0.0.2:2",
                    "udp [::1]5 [::2]:53", "udp [::1:5 [::2]:53", "udp ] [", "tcp : :")),
                *((ports.format(json.dumps(text)), wire, "--five-tuple", text) for text in (
                    "tcp 10.0.0.1 10.0.0.2:2", "icmp 10.0.0.1:1 10.0.0.2:2", "udp ::1 ::2")),
                ('--five-tuple: found "udp 10.0.0.1:1 [::1]:2", allowed two addresses of one IP '
                 "version\n", wire, "--five-tuple", "udp 10.0.0.1:1 [::1]:2"),
                ('--five-tuple: found "0 ::1 ::2", allowed a protocol that is not an IPv6 extension '
                 "header (use --frame for those)\n", wire, "--five-tuple", "0 ::1 ::2"),
                ('--port: found "dmz", allowed a port that the policy names: lan, wan\n', wire,
                 *given, "--port", "dmz"),
                ('--at: found "5", allowed 0s to ten years: a whole number of us, ms, s, m or h\n',
                 loss, *given, "--port", "lan", "--at", 5),
                ('--checksums: found "no", allowed "complete" or "leave"\n', wire, *given, "--checksums", "no"),
                ("--port: found nothing, allowed the port's name in the program: the policy names no port",
                 loss, *given),
                ("--number: found 10000001, allowed at most 10000000 for a loss with memory, "
                 "such as that of rule default\n", walked, *given, "--port", "lan", "--number", 10_000_001)):
            with self.subTest(error):
                check_refused(self, "twinpath explain",
                              [TWINPATH, "explain", policy, *arguments], error)
        for error, *arguments in (
                ("POLICY is required", *given),
                ('--queue: found "65536", allowed an integer from 0 to 65535', wire, *given, "--queue", 65536),
                ('--packet: found "0", allowed an integer from 1 to ', wire, "--pcap", capture, "--packet", 0),
                ('--number: found "281474976710657", allowed an integer from 0 to ', wire, *given, "--number",
                 2**48 + 1)):
            with self.subTest(error):
                check_refused(self, "twinpath explain", [TWINPATH, "explain", *arguments], error)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
