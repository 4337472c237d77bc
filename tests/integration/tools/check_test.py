#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath check` as a person runs it: exit statuses, one clear error, and what a script reads.

  check_test.py TWINPATH POLICIES
"""
import json
import pathlib
import subprocess
import sys
import unittest

from bad_policies import check_refused

TWINPATH, POLICIES = sys.argv[1], pathlib.Path(sys.argv[2])


def check(*arguments):
    return subprocess.run([TWINPATH, "check", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60)


class CheckTest(unittest.TestCase):
    def test_every_shipped_policy_is_good_and_warns_of_nothing(self):
        policies = sorted(POLICIES.glob("*.json"))
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

    def test_wrong_usage_is_refused(self):
        for error, arguments in (("POLICY is required", ["check"]),
                                 ("The following argument was not expected: more",
                                  ["check", POLICIES / "wire.json", "more"]),
                                 ("The following argument was not expected: --policy",
                                  ["check", "--policy", POLICIES / "wire.json"])):
            check_refused(self, "twinpath", [TWINPATH, *arguments], error)
        for error, *ports in (('--port: found "lan,wan", allowed a port\'s name: ', "lan,wan"),
                              ("--port: port lan is given twice", "lan", "lan")):
            options = [word for port in ports for word in ("--port", port)]
            check_refused(self, "twinpath check",
                          [TWINPATH, "check", *options, POLICIES / "wire.json"], error)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
