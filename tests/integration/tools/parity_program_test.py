#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath parity` on the command line: captures of both formats, whole and broken, the verdicts that it
writes, its messages and exit statuses. Needs root.

  parity_program_test.py TWINPATH CORRUPT_TEST_RUN
"""
import contextlib
import hashlib
import json
import mmap
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import captures
from bad_policies import check_refused

TWINPATH, CORRUPT_TEST_RUN = sys.argv[1:3]
ETHERNET, COOKED = 1, 113  # link types
MAP_HUGETLB = 0x40000
POLICY = {"version": 1, "seed": 7, "malformed": "drop", "rules": [
    {"name": "turn", "match": {"port": "lan", "proto": "udp", "dst_port": "2000-2001"},
     "loss": {"model": "random", "rate": "50%"}, "forward": "reflect"},
    {"name": "block", "match": {"proto": "udp", "dst_port": 2002}, "forward": "drop"},
    {"name": "out", "match": {"proto": "udp", "dst_port": 2003}, "forward": {"port": "wan"}}]}
ANYWHERE = {"version": 1, "default": {"loss": {"model": "random", "rate": "50%"}}}


def udp(number, size=60):
    """A UDP datagram in a frame of `size` bytes, to port 2000 + number % 5."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, number & 0xffff, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 1, number & 255]))
    return (bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip +
            struct.pack("!HHHH", 1000 + number % 50, 2000 + number % 5, size - 34, 0) +
            bytes(i & 255 for i in range(size - 42)))


def pcap(frames, link_type=ETHERNET, order="<", length=len):
    """The bytes of a pcap file. length(frame) is the original length in a frame's record."""
    data = struct.pack(order + "IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type)
    for number, frame in enumerate(frames):
        data += struct.pack(order + "IIII", number, 0, len(frame), length(frame)) + frame
    return data


def pcapng(frames):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    data = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    data += block(1, struct.pack("<HHI", ETHERNET, 0, 262144))
    for frame in frames:
        data += block(6, struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + frame)
    return data


class Parity(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.policy = self.write("policy.json", json.dumps(POLICY).encode())
        self.anywhere = self.write("anywhere.json", json.dumps(ANYWHERE).encode())
        left = self.left_behind()
        self.addCleanup(lambda: self.assertEqual(left, self.left_behind()))

    def write(self, name, data):
        (self.folder / name).write_bytes(data)
        return self.folder / name

    @staticmethod
    def left_behind():
        """What a run might leave on the machine."""
        return (sorted(os.listdir("/sys/class/net")),
                [name for name in sorted(os.listdir("/run/dpdk")) if "replay" in name]
                if os.path.isdir("/run/dpdk") else [],
                sorted(os.listdir("/dev/hugepages")) if os.path.isdir("/dev/hugepages") else [])

    def run_it(self, *arguments, **environment):
        return subprocess.run([TWINPATH, "parity", *map(str, arguments)], capture_output=True,
                              text=True, timeout=60, env={**os.environ, **environment}, check=False)

    def finds(self, text, *arguments):
        """It ends with status 0 and `text`."""
        run = self.run_it(*arguments)
        self.assertEqual((run.returncode, run.stderr, run.stdout), (0, "", text))

    def refused(self, error, *arguments):
        check_refused(self, "twinpath parity", [TWINPATH, "parity", *arguments], error)

    def verdicts(self, *arguments):
        """The lines of --verdicts of a run without differences, by path."""
        file = self.folder / "verdicts"
        run = self.run_it(*arguments, "--verdicts", file)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual([line.pop("path") for line in lines], ["xdp", "dpdk"] * (len(lines) // 2))
        self.assertEqual(lines[0::2], lines[1::2])
        return lines[0::2]

    def test_reads_both_formats_and_both_byte_orders(self):
        frames = [udp(n) for n in range(100)]
        for data in (pcap(frames), pcap(frames, order=">"), pcapng(frames)):
            capture = self.write("a.capture", data)
            self.finds("frames 100, equal 100, different 0\n", self.policy, capture)
        self.finds("frames 200, equal 200, different 0\n", self.policy, capture, capture)
        self.finds("frames 0, equal 0, different 0\n", self.policy,
                   self.write("none.pcap", pcap([])))

    def test_it_needs_no_hugepages_that_others_take(self):
        """Free hugepages that another program has reserved seem available, but cannot be used."""
        pool = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
        free, reserved = (int((pool / name).read_text()) for name in ("free_hugepages", "resv_hugepages"))
        with contextlib.ExitStack() as stack:
            if free > reserved:
                stack.enter_context(mmap.mmap(-1, (free - reserved) << 21,
                                              mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB))
                self.assertEqual(free, int((pool / "free_hugepages").read_text()))
            self.finds("frames 9, equal 9, different 0\n", self.policy,
                       self.write("a.pcap", pcap([udp(n) for n in range(9)])))

    def test_a_verdict_is_told_for_each_frame_and_path(self):
        frames = [udp(n) for n in range(100)] + [udp(7)[:33]]
        verdicts = self.verdicts(self.policy, self.write("a.pcap", pcap(frames[:60])),
                                 self.write("b.pcap", pcap(frames[60:])))
        self.assertEqual([v["n"] for v in verdicts], list(range(101)))
        seen = set()
        for frame, verdict in zip(frames[:100], verdicts):
            kind = verdict["n"] % 5
            turned = frame[6:12] + frame[:6] + frame[12:]
            rule, *allowed = {
                0: ("turn", ("tx", "lan", turned), ("lost", None, None)),
                1: ("turn", ("tx", "lan", turned), ("lost", None, None)),
                2: ("block", ("denied", None, None)),
                3: ("out", ("tx", "wan", frame)),
                4: ("default", ("pass", None, frame))}[kind]
            digests = [(what, port, data and hashlib.sha256(data).hexdigest())
                       for what, port, data in allowed]
            self.assertEqual((verdict["port"], verdict["queue"], verdict["rule"]), ("lan", 0, rule))
            self.assertIn((verdict["verdict"], verdict["out_port"], verdict["sha256"]), digests)
            seen.add((kind, verdict["verdict"]))
        self.assertGreaterEqual(seen, {(0, "tx"), (0, "lost"), (1, "tx"), (1, "lost")})
        self.assertEqual(verdicts[100], {"n": 100, "port": "lan", "queue": 0, "rule": None,
                                         "verdict": "malformed", "out_port": None, "sha256": None})

    def test_any_two_paths(self):
        capture = self.write("a.pcap", pcap([udp(n) for n in range(100)]))
        for paths in ("xdp,socket", "socket,dpdk", "dpdk,socket", "socket,xdp"):
            file = self.folder / "verdicts"
            self.finds("frames 100, equal 100, different 0\n", "--paths", paths, "--verdicts", file, self.policy, capture)
            lines = [json.loads(line)["path"] for line in file.read_text().splitlines()]
            self.assertEqual(paths.split(",") * 100, lines)
        for paths in ("xdp", "xdp,xdp", "xdp,dpdk,socket", "xdp,afp"):
            self.refused("--paths: found ", "--paths", paths, self.policy, capture)

    def test_paths_complete_or_leave_checksums_alike(self):
        policy = self.write("wire.json", json.dumps({"version": 1, "default": {"forward": {"port": "wan"}}}).encode())
        left, finished = zip(*(captures.unfinished(n) for n in range(100)))
        capture = self.write("a.pcap", pcap(left))
        file = self.folder / "verdicts"
        for paths in ("xdp,dpdk", "xdp,socket"):
            for options, sent in (((), left), (("--checksums", "leave"), left), (("--checksums", "complete"), finished)):
                self.finds("frames 100, equal 100, different 0\n", *options, "--paths", paths, "--verdicts", file, policy,
                           capture)
                self.assertEqual([hashlib.sha256(frame).hexdigest() for frame in sent for _ in range(2)],
                                 [json.loads(line)["sha256"] for line in file.read_text().splitlines()])
        self.refused('--checksums: found "no", allowed "complete" or "leave"', "--checksums", "no", policy, capture)

    def test_queues_share_the_frames_by_flow_and_have_losses_of_their_own(self):
        capture = self.write("a.pcap", pcap([udp(n % 50) for n in range(500)]))
        verdicts = self.verdicts(self.anywhere, capture, "--queues", 4)
        self.assertEqual({v["queue"] for v in verdicts}, {0, 1, 2, 3})
        for flow in range(50):
            self.assertEqual(len({v["queue"] for v in verdicts[flow::50]}), 1)
        alone = self.verdicts(self.anywhere, capture)
        self.assertEqual({v["queue"] for v in alone}, {0})
        self.assertNotEqual([v["verdict"] for v in alone], [v["verdict"] for v in verdicts])
        self.assertEqual(alone, self.verdicts(self.anywhere, capture), "not the same again")

    def test_sixteen_ports_on_as_many_queues_as_fit(self):
        capture = self.write("a.pcap", pcap([udp(n) for n in range(40)]))
        ports = [f"p{i}" for i in range(16)]
        policy = self.write("wide.json", json.dumps({"version": 1, "rules": [
            {"match": {"port": here}, "forward": {"port": there}}
            for here, there in zip(ports, ports[1:] + ports[:1])]}).encode())
        verdicts = self.verdicts(policy, capture, "--queues", 8, "--port", "p15")
        self.assertEqual({(v["verdict"], v["out_port"]) for v in verdicts}, {("tx", "p0")})
        self.refused("--queues: found 9 queues on each of 16 ports, allowed 128 over all ports",
                     policy, capture, "--queues", 9)

    def test_the_port_is_the_policys_first_or_the_one_given(self):
        capture = self.write("a.pcap", pcap([udp(n) for n in range(20)]))
        for arguments, port in (([], "lan"), (["--port", "lan"], "lan"), (["--port", "wan"], "wan")):
            verdicts = self.verdicts(self.policy, capture, *arguments)
            self.assertEqual({v["port"] for v in verdicts}, {port})
            self.assertEqual("turn" in {v["rule"] for v in verdicts}, port == "lan")
        self.refused('--port: found "lna", allowed a port that the policy names: lan, wan',
                     self.policy, capture, "--port", "lna")

    def test_a_policy_without_ports_runs_on_any(self):
        """Losses depend on the port's name: each port has another sequence."""
        capture = self.write("a.pcap", pcap([udp(n) for n in range(200)]))
        fates = {}
        for arguments, port in (([], "port0"), (["--port", "eth1"], "eth1")):
            verdicts = self.verdicts(self.anywhere, capture, *arguments)
            self.assertEqual({v["port"] for v in verdicts}, {port})
            fates[port] = [v["verdict"] for v in verdicts]
        self.assertNotEqual(fates["port0"], fates["eth1"])
        self.refused('--port: found "a b", allowed a port\'s name: ', self.anywhere, capture,
                     "--port", "a b")

    def test_every_length_of_frame_is_fed_or_counted(self):
        frames = [udp(1)[:length] for length in range(61)]  # runts
        frames += [udp(n, size) for n in range(5)
                   for size in (1514, 1518, 1522, 2048, 3520, 3521, 9014, 16384, 65535)]
        too_long = [udp(1, 60000) + bytes(5536), bytes(262144)]
        capture = self.write("a.pcap", pcap(frames[:70] + too_long + frames[70:]))
        for policy in (self.policy, self.anywhere):
            self.finds(f"frames {len(frames)}, equal {len(frames)}, different 0\n"
                       "skipped 2 of more than 65535 bytes, which no port receives\n",
                       policy, capture)
        verdicts = self.verdicts(self.policy, capture)
        self.assertEqual([v["n"] for v in verdicts], [*range(70), *range(72, len(frames) + 2)])
        self.assertEqual({v["verdict"] for v in verdicts[:60]}, {"malformed"})
        self.assertNotIn("malformed", {v["verdict"] for v in verdicts[60:]})
        # Where rules take them, the IP header is read from 34 bytes on, and the ports from 42 on.
        matched = self.write("match.json", json.dumps({**POLICY, "malformed": "match", "rules": [
            *POLICY["rules"], {"name": "udp", "match": {"proto": "udp"}}]}).encode())
        self.assertEqual([v["rule"] for v in self.verdicts(matched, capture)[:61]],
                         ["default"] * 34 + ["udp"] * 8 + ["turn"] * 19)

    def test_frames_that_the_capture_cut_short_are_told(self):
        capture = self.write("a.pcap", pcap([udp(n)[:40 + n % 21] for n in range(21)],
                                            length=lambda frame: 60))
        self.finds("frames 21, equal 21, different 0\n"
                   "ran 20 that are cut short in the capture (by a snapshot length: "
                   "capture with tcpdump -s 0)\n", self.policy, capture)

    def test_json_is_one_object(self):
        capture = self.write("a.pcap", pcap([udp(n) for n in range(50)] + [bytes(70000)],
                                            length=lambda frame: 70000))
        run = self.run_it(self.policy, capture, "--json", "--queues", 2, "--port", "wan")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(json.loads(run.stdout), {
            "policy": str(self.policy), "port": "wan", "queues": 2,
            "captures": [{"file": str(capture), "frames": 51}], "frames": 50, "equal": 50,
            "different": 0, "cut": 50, "skipped": 1, "differences": [], "counter_differences": [],
            "bursts": {"different": 0, "first": None, "counter_differences": []}})

    def test_one_bit_of_one_frame_is_found_shown_and_status_1(self):
        capture = self.write("a.pcap", pcap([udp(4) for n in range(40)]))  # all are passed
        lie = {"LD_PRELOAD": CORRUPT_TEST_RUN, "CORRUPT_TEST_RUN_FRAME": "17"}
        run = self.run_it(self.policy, capture, **lie)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        lines = run.stdout.splitlines()
        self.assertEqual(lines[:5], [
            "frames 40, equal 39, different 1", "", "frame 17: port lan, queue 0, 60 bytes",
            "  xdp   pass       rule default  60 bytes leave",
            "  dpdk  pass       rule default  60 bytes leave"])
        self.assertRegex(lines[5], "^  the bytes that leave differ from byte 0 on: 0300.* and 0200")
        self.assertEqual(lines[6], "  IPv4 udp 10.0.0.1:1004 > 10.0.1.4:2004")
        run = self.run_it(self.policy, capture, "--json", "--verdicts", self.folder / "v", **lie)
        report = json.loads(run.stdout)
        self.assertEqual((run.returncode, report["different"], report["differences"][0]["n"]),
                         (1, 1, 17))
        xdp, dpdk = (json.loads(line) for line in
                     (self.folder / "v").read_text().splitlines()[34:36])
        self.assertEqual((xdp["path"], dpdk["path"], dpdk["sha256"]),
                         ("xdp", "dpdk", hashlib.sha256(udp(4)).hexdigest()))
        self.assertNotEqual(xdp["sha256"], dpdk["sha256"])
        # The same without corruption.
        lie["CORRUPT_TEST_RUN_FRAME"] = "1000"
        self.assertEqual(self.run_it(self.policy, capture, **lie).returncode, 0)

    def test_what_is_no_whole_capture_is_refused(self):
        whole, verdicts = pcap([udp(n) for n in range(100)]), self.folder / "verdicts"
        broken = bytearray(whole)
        broken[24 + 76 + 8:24 + 76 + 12] = b"\xf0\xff\xff\xff"
        for name, data, error in (
                ("empty", b"", ": not a pcap or pcapng capture: "),
                ("text", b"hello, world, this is a text\n", ": not a pcap or pcapng capture: "),
                ("head", whole[:20], ": not a pcap or pcapng capture: "),
                ("cooked", pcap([udp(1)], COOKED), ": its link type is LINUX_SLL (Linux cooked v1);"
                 " only Ethernet frames are supported"),
                ("cut", whole[:-10], ": packet 100: truncated dump file"),
                ("cut ng", pcapng([udp(n) for n in range(100)])[:-10], ": packet 100: truncated"),
                ("length", bytes(broken), ": packet 2: invalid packet capture length 4294967280")):
            with self.subTest(name):
                capture = self.write(name, data)
                self.refused(f"{capture}{error}", self.policy, capture, "--verdicts", verdicts)
                self.assertFalse(verdicts.exists(), "half an answer is left")
        absent = self.folder / "absent"
        self.refused(f"cannot open the capture {absent}: No such file or directory", self.policy,
                     absent)
        self.refused(f"{self.folder}: not a pcap or pcapng capture: ", self.policy, self.folder)
        # A good one before it changes nothing.
        self.refused("cannot open the capture ", self.policy, self.write("whole", whole), absent)

    def test_wrong_usage_is_refused(self):
        capture = self.write("a.pcap", pcap([udp(1)]))
        self.refused("cannot write /proc/none/verdicts", self.policy, capture, "--verdicts",
                     "/proc/none/verdicts")
        for error, *arguments in (("CAPTURE is required", self.policy),
                                  ("POLICY is required",),
                                  ('--queues: found "0", allowed an integer from 1 to 64', self.policy, capture,
                                   "--queues", 0),
                                  ('--queues: found "65", allowed an integer from 1 to 64', self.policy, capture,
                                   "--queues", 65),
                                  ("--loss: found an unknown option, allowed those of twinpath parity --help", self.policy,
                                   capture, "--loss")):
            check_refused(self, "twinpath parity", [TWINPATH, "parity", *arguments], error)

    def test_without_root_it_says_so(self):
        self.folder.chmod(0o755)
        capture = self.write("a.pcap", pcap([udp(1)]))
        check_refused(self, "twinpath parity",
                      ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                       "--bounding-set", "-all", TWINPATH, "parity", self.policy, capture],
                      "unshare(CLONE_NEWNET): Operation not permitted; a network namespace needs "
                      "CAP_SYS_ADMIN: run it as root, with sudo")

    def test_one_hugepage_is_enough(self):
        """It needs no hugepages: if there are too few, it uses ordinary memory."""
        capture = self.write("a.pcap", pcap([udp(n) for n in range(40)]))
        script = ('for f in /sys/kernel/mm/hugepages/*/free_hugepages; do mount --bind "$0" "$f"; '
                  'done; mount --bind "$1" /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages; '
                  'shift; exec "$@"')
        run = subprocess.run(["unshare", "--mount", "bash", "-c", script,
                              self.write("none", b"0\n"), self.write("one", b"1\n"), TWINPATH,
                              "parity", self.policy, capture], capture_output=True, text=True,
                             timeout=60, check=False)
        self.assertEqual((run.returncode, run.stderr, run.stdout),
                         (0, "", "frames 40, equal 40, different 0\n"))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
