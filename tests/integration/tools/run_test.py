#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/run without other preparation: both paths lose at the configured rate, the hosts see it, every packet is
counted, and nothing is left behind.

  run_test.py PATH-TO-RUN
"""
import math
import os
import pathlib
import re
import subprocess
import sys
import unittest

RUN = sys.argv.pop(1)


def machine():
    namespaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    return (namespaces, sorted(os.listdir("/sys/class/net")),
            pathlib.Path("/proc/self/mountinfo").read_text(),
            pathlib.Path("/proc/sys/vm/nr_hugepages").read_text())


def run(*arguments):
    return subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=150,
                          check=False)


def number(text):
    return float(text.replace(",", "").replace("%", ""))


class FirstContact(unittest.TestCase):
    def setUp(self):
        self.before = machine()

    def tearDown(self):
        self.assertEqual(self.before, machine())

    def test_both_paths_lose_what_was_asked(self):
        result = run("--quick")
        print(result.stdout)
        self.assertEqual(0, result.returncode, result.stderr)
        rows = re.findall(r"^ *(dpdk|xdp) +(ping|TCP|UDP) +([\d,]+) +([\d.]+ %) +([\d.]+ %) +"
                          r"[\d.]+ % to [\d.]+ % +(\S.*)$", result.stdout, re.MULTILINE)
        self.assertEqual([(path, traffic) for path in ("dpdk", "xdp")
                          for traffic in ("ping", "TCP", "TCP", "UDP")],
                         [row[:2] for row in rows])
        for path, traffic, packets, asked, reached, seen in rows:
            with self.subTest(path=path, traffic=traffic, asked=asked):
                rate = number(asked) / 100
                deviation = math.sqrt(rate * (1 - rate) / number(packets))
                # The table rounds to thousandths of a percent. The number of packets of TCP is not fixed.
                self.assertLessEqual(abs(number(reached) / 100 - rate), 5 * deviation + 1e-5)
                self.assertRegex(seen, r"^(50 of 50 answered|[1-9][\d,]* Mbit/s|[\d.]+ % of [\d,]+)")

    def test_a_policy_of_a_default_alone(self):
        policy = pathlib.Path(RUN).resolve().parents[1] / "dpdk-conf/policies/reflect.json"
        result = run("--quick", "--path", "xdp", "--policy", str(policy))
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertRegex(result.stdout, r"xdp +default +\d+ +0 % +0 % ")

    def test_a_policy_for_other_ports_is_told_so(self):
        # In the build folder, because the temporary one may be under /run, which the lab covers.
        policy = pathlib.Path.cwd() / f"first_contact_{os.getpid()}.json"
        policy.write_text('{"version": 1, "rules": [{"match": {"port": "left"}, '
                          '"forward": {"port": "right"}}]}')
        self.addCleanup(policy.unlink)
        for path in ("dpdk", "xdp"):
            result = run("--path", path, "--policy", str(policy))
            self.assertEqual(2, result.returncode)
            self.assertIn("named lan and wan", result.stderr)

    def test_wrong_usage_is_told(self):
        hidden = pathlib.Path("/run", f"first_contact_{os.getpid()}.json")
        hidden.write_text('{"version": 1}')
        self.addCleanup(hidden.unlink)
        for arguments in (["--path", "udp"], ["--policy", "/nonexistent"], ["--what"],
                          ["--policy", str(hidden)]):
            result = run(*arguments)
            self.assertEqual(2, result.returncode)
            self.assertRegex(result.stderr, r"^run: .*\n$")


unittest.main(verbosity=2)
