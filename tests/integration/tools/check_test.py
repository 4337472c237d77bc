#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath check` on the command line: exit statuses, one clear error, and the JSON for scripts.

  check_test.py TWINPATH POLICIES
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from bad_policies import check_refused

TWINPATH, POLICIES = sys.argv[1], pathlib.Path(sys.argv[2])


def check(*arguments):
    return subprocess.run([TWINPATH, "check", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60)


class CheckTest(unittest.TestCase):
    def test_every_shipped_policy_is_good_and_warns_of_nothing(self):
        policies = sorted(POLICIES.rglob("*.json"))
        self.assertGreaterEqual(len(policies), 20)
        for policy in policies:
            run = check("--json", policy)
            self.assertEqual((run.returncode, run.stderr), (0, ""), policy)
            report = json.loads(run.stdout)
            self.assertEqual(report["warnings"], [], policy)
            self.assertEqual(report["rules"][-1]["name"], "default")
            for rule in report["rules"]:
                self.assertTrue(rule["reachable"] or rule["name"] == "default", (policy, rule))
                self.assertEqual(rule["loss_rate"] > 0, rule["model"] != "none", (policy, rule))

    def test_words_are_for_people(self):
        run = check("--port", "lan", "--port", "wan", POLICIES / "wire.json")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("1. lan to wan: everything on port lan: lose 1 % at random (1 in 100), one "
                      "stream per port and queue; send the rest out of wan\n", run.stdout)

    def test_every_mistake_is_told_with_its_place_and_a_hint(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = pathlib.Path(folder, "policy.json")
            policy.write_text("""{"version": 1,
  "rules": [
    {"match": {"port": 80, "protocol": "udp"}},
    {"match": {"proto": "upd", "dst": "10.0.0.1/8"}},
    {"match": {"proto": "udp"}, "forward": {"port": "wna"}}],
  "sed": 7}
""")
            run = check(policy)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            places = []
            for line in run.stderr.splitlines():
                self.assertRegex(line, rf"^twinpath check: {re.escape(str(policy))}: /\S+: found .*, allowed ")
                places.append(re.search(r" \((line \d+, column \d+)\)$", line)[1])
            self.assertEqual(places, [f"line {line}, column {column}" for line, column in
                                      ((3, 16), (3, 28), (4, 16), (4, 32), (6, 3))])
            for hint in ("a TCP or UDP port is dst_port or src_port", 'did you mean "proto"?',
                         'did you mean "udp"?', 'did you mean "seed"?'):
                self.assertEqual(run.stderr.count(f"; {hint} (line "), 1, run.stderr)
            told = json.loads(check("--json", policy).stdout)
            self.assertEqual([(m["pointer"], m["line"]) for m in told["mistakes"]],
                             [("/rules/0/match/port", 3), ("/rules/0/match/protocol", 3),
                              ("/rules/1/match/proto", 4), ("/rules/1/match/dst", 4), ("/sed", 6)])
            # Mistakes about ports are reported only if everything else is right.
            policy.write_text('{"version": 1, "default": {"forward": {"port": "outsied"}}}')
            run = check("--port", "outside", policy)
            self.assertRegex(run.stderr, r'\A[^\n]*; did you mean "outside"\? \(line 1, column \d+\)\n\Z')

    def test_a_program_tells_the_first_mistake_and_how_many_follow(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = pathlib.Path(folder, "policy.json")
            policy.write_text('{"version": 1, "sed": 7, "default": {"forward": "dorp"}}')
            run = subprocess.run([TWINPATH, "explain", policy, "--frame", "00"], capture_output=True, text=True,
                                 timeout=60)
            self.assertEqual(run.returncode, 2)
            self.assertRegex(run.stderr, r'\A[^\n]*/sed: found an unknown key, .*; did you mean "seed"\? '
                             r"\(line 1, column 16\) \(and 1 more mistake: twinpath check\)\n\Z")

    def test_a_rule_that_wider_ones_cover_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = pathlib.Path(folder, "policy.json")
            policy.write_text(json.dumps({"version": 1, "rules": [
                {"name": "all udp", "match": {"proto": "udp"}},
                {"name": "dns", "match": {"proto": "udp", "dst_port": 53}, "forward": "drop"}]}))
            run = check(policy)
            self.assertEqual(run.returncode, 0)
            self.assertIn("/rules/1 (dns) can never match: /rules/0 (all udp) takes UDP\n", run.stdout)

    def test_wrong_usage_is_refused(self):
        for error, arguments in (("POLICY is required", ["check"]),
                                 ('found "more", allowed no further argument (see twinpath check --help)',
                                  ["check", POLICIES / "wire.json", "more"]),
                                 ("--policy: found an unknown option, allowed those of twinpath check --help",
                                  ["check", "--policy", POLICIES / "wire.json"])):
            check_refused(self, "twinpath check", [TWINPATH, *arguments], error)
        for error, *ports in (('--port: found "lan,wan", allowed a port\'s name: ', "lan,wan"),
                              ("--port: port lan is given twice", "lan", "lan")):
            options = [word for port in ports for word in ("--port", port)]
            check_refused(self, "twinpath check",
                          [TWINPATH, "check", *options, POLICIES / "wire.json"], error)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
