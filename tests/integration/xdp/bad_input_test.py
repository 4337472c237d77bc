#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp refuses wrong input before it changes anything: exit status 2, one line that names the
mistake, and no program, pin, socket, file or process is left behind.

  bad_input_test.py TWINPATH_XDP TWINPATH
"""
import os
import re

from bad_policies import UNKNOWN_PORT, bad_policies
from xdp_lab import SOCKET, XdpTest, attached, main

LAN = ("--port", "lan=lan")


class BadInput(XdpTest):
    def setUp(self):
        super().setUp()
        self.veth("gen", "lan")

    def test_policies(self):
        work = self.folder / "policies"
        work.mkdir()
        for table in (None, UNKNOWN_PORT):
            for what, policy, error in bad_policies(work, table):
                with self.subTest(what):
                    self.refused(r"\Atwinpath-xdp: " + re.escape(error), *LAN, "--policy",
                                 str(policy), "--summary", self.folder / "summary.json")

    def test_command_lines(self):
        self.veth("far", "wan")
        whole = self.policy({}, {"name": "all", "forward": "drop"})
        for pattern, arguments in {
                "--port is required": (),
                "eth77.*NAME=DEVICE": ("--port", "eth77"),
                '--mode: found "fast", allowed auto, native, generic\n': LAN + ("--mode", "fast"),
                '"101%".*0%.*100%': LAN + ("--loss", "101%"),
                '"-0.1".*0 to 1': LAN + ("--loss", "-0.1"),
                '"nowhere".*lan': LAN + ("--forward", "nowhere"),
                "wire.*pair|wire.*even": LAN + ("--forward", "wire"),
                '--seed: found "-1", allowed an integer from 0': LAN + ("--seed", "-1"),
                '--seed: found "18446744073709551616", allowed .* to 18446744073709551615':
                    LAN + ("--seed", "18446744073709551616"),
                '--duration: found "0", allowed .* from 0.001': LAN + ("--duration", "0"),
                '--duration: found "nan"': LAN + ("--duration", "nan"),
                '--stats-interval: found "1s"': LAN + ("--stats-interval", "1s"),
                "--frobnicate": LAN + ("--frobnicate",),
                "lan.*twice": LAN + ("--port", "lan=wan"),
                "ports lan and other are the same interface, lan":
                    LAN + ("--port", "other=lan"),
                "port no: there is no interface eth77": LAN + ("--port", "no=eth77"),
                "there is no interface a{40}": ("--port", "no=" + "a" * 40),
                "--summary: /run/none/summary.json cannot be written: No such file":
                    LAN + ("--summary", "/run/none/summary.json"),
                "--summary: /run cannot be written: Is a directory":
                    LAN + ("--summary", "/run"),
                r"port lo \(lo\): .*no native XDP":
                    LAN + ("--port", "lo=lo", "--mode", "native"),
                "file prefix": LAN + ("--file-prefix", "a/b"),
                r"--loss 5% does nothing with .*policy.json: .* /rules/0 \(all\) takes everything":
                    LAN + ("--policy", whole, "--loss", "5%"),
                "--match requires --loss": LAN + ("--match", "proto=udp"),
                "--policy and --match are mutually exclusive|--match and --policy are mutually exclusive": LAN + ("--policy", whole, "--loss", "5%", "--match", "proto=udp"),
        }.items():
            with self.subTest(arguments=arguments):
                self.refused(pattern, *arguments)

    def test_a_summary_that_was_there_is_as_it_was(self):
        summary = self.folder / "summary.json"
        summary.write_text("of another run")
        self.refused("eth77", "--port", "lan=eth77", "--summary", summary)
        self.assertEqual("of another run", summary.read_text())

    def test_no_summary_is_left(self):
        self.refused("eth77", "--port", "lan=eth77", "--summary", self.folder / "summary.json")

    def test_checksums_in_generic_mode(self):
        self.refused(r"port lan \(lan\): generic mode \(as asked\) finishes no checksums, and --checksums complete asks "
                     r"for it; use native mode, or --checksums leave", *LAN, "--mode", "generic", "--checksums", "complete",
                     "--forward", "drop")

    def test_vlan_in_generic_mode(self):
        policy = self.policy({}, {"match": {"vlan": 7}, "forward": "drop"})
        self.refused(r"port lan \(lan\): generic mode.*\"vlan\"", *LAN, "--policy", policy,
                     "--mode", "generic")
        # --mode auto would be refused too, where there is no other mode.
        self.refused(r"port lo \(lo\): generic mode .*no native XDP.*\"vlan\"", *LAN, "--port",
                     "lo=lo", "--policy", policy)
        with self.start(*LAN, "--policy", policy):
            self.assertEqual("native", attached()["lan"][0])

    def test_a_file_prefix_in_use(self):
        with self.start(*LAN) as program:
            self.veth("far", "wan")
            self.refused(f"{SOCKET} is served by process {program.process.pid};.*--file-prefix",
                         "--port", "wan=wan")
            program.stop()

    def test_no_privileges(self):
        folder = self.folder / "anyone's"
        folder.mkdir()
        folder.chmod(0o777)
        for missing, prefix in {
                "CAP_NET_ADMIN and CAP_BPF and CAP_PERFMON": (
                    "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    "--bounding-set", "-all", "--inh-caps", "-all"),
                "CAP_BPF": ("setpriv", "--bounding-set", "-bpf,-sys_admin", "--inh-caps", "-all"),
        }.items():
            with self.subTest(missing=missing):
                self.refused(rf"attaching an XDP program needs {missing}: .*sudo", *LAN,
                             "--summary", folder / "summary.json", prefix=prefix,
                             environment={**os.environ, "RUNTIME_DIRECTORY": str(folder)})
                self.assertEqual([], list(folder.iterdir()))


main()
