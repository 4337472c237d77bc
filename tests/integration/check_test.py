#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath check` as a person runs it: exit statuses, one clear error, and what a script reads.

  check_test.py TWINPATH POLICIES
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TWINPATH, POLICIES = sys.argv[1], pathlib.Path(sys.argv[2])

# What is wrong, the file's octets, and what the error says behind the file's name.
BAD = [
    ("empty", b"", "found nothing"),
    ("truncated", b'{"version": 1, "rules": [', "line 1, column 26: "),
    ("nested", b'{"version": ' + b"[" * 100000, "/version/0/0"),
    ("NaN", b'{"version": 1,\n"seed": NaN}', "line 2, column 9: "),
    ("negative", b'{"version": 1, "default": {"loss": {"model": "random", "rate": -0.1}}}',
     "/default/loss/rate: found -0.1, allowed a fraction from 0 to 1"),
    ("above one", b'{"version": 1, "default": {"loss": {"model": "random", "rate": 1.1}}}',
     "/default/loss/rate: found 1.1, allowed a fraction from 0 to 1"),
    ("above 100 %", b'{"version": 1, "default": {"loss": {"model": "random", "rate": "101%"}}}',
     '/default/loss/rate: found "101%", allowed a fraction from 0 to 1'),
    ("twice", b'{"version": 1, "seed": 1, "seed": 2}', "/seed: found the key twice"),
    ("unknown key", b'{"version": 1, "sed": 1}', "/sed: found an unknown key, allowed version"),
    ("host bits", b'{"version": 1, "rules": [{"match": {"dst": "10.0.0.1/8"}}]}',
     '/rules/0/match/dst: found "10.0.0.1/8", which has host bits set behind /8, '
     'allowed "10.0.0.0/8"'),
    ("reversed", b'{"version": 1, "rules": [{"match": {"dst_port": "2-1"}}]}',
     '/rules/0/match/dst_port: found "2-1", a range that runs backwards, allowed "1-2"'),
]


def check(*arguments):
    return subprocess.run([TWINPATH, "check", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60)


class CheckTest(unittest.TestCase):
    def refused(self, error, *arguments):
        run = check(*arguments)
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertEqual(run.stderr.count("\n"), 1)
        self.assertIn(error, run.stderr)

    def test_every_shipped_policy_is_good_and_warns_of_nothing(self):
        policies = sorted(POLICIES.glob("*.json"))
        self.assertGreaterEqual(len(policies), 6)
        for policy in policies:
            run = check("--json", policy)
            self.assertEqual((run.returncode, run.stderr), (0, ""), policy)
            report = json.loads(run.stdout)
            self.assertEqual(report["warnings"], [], policy)
            self.assertEqual(report["rules"][-1]["name"], "default")

    def test_words_are_for_people(self):
        run = check("--port", "lan", "--port", "wan", POLICIES / "wire.json")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("1. lan to wan: everything on port lan: lose 1 % at random (1 in 100), one "
                      "stream a port and queue; send the rest out of wan\n", run.stdout)

    def test_each_mistake_is_one_error_that_says_where(self):
        with tempfile.TemporaryDirectory() as folder:
            policy = pathlib.Path(folder, "policy.json")
            for what, octets, error in BAD:
                with self.subTest(what):
                    policy.write_bytes(octets)
                    self.refused(f"twinpath check: {policy}: {error}", policy)
            with policy.open("wb") as stream:
                stream.truncate(100_000_000)
            self.refused("found 100000000 octets, allowed 33554432", policy)
            self.refused("found a directory", folder)
            self.refused("found No such file or directory", pathlib.Path(folder, "none.json"))

    def test_a_port_that_the_program_has_not_is_refused(self):
        self.refused('/rules/0/forward/port: found "wan", allowed one of the program\'s ports: lan',
                     "--port", "lan", POLICIES / "wire.json")

    def test_wrong_usage_is_refused(self):
        self.refused("POLICY is required")
        self.refused("--policy", "--policy", POLICIES / "wire.json")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
