#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program refuses every bad policy: exit status 2, one line that says where, what was found and
what is allowed, and nothing left behind.

  policies_test.py [--any-port] NAME COMMAND...

The program's errors begin with NAME. The path of the policy's file replaces {} in COMMAND. The program
has one port, lan; with --any-port it has the ports that the policy names.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from bad_policies import UNKNOWN_PORT, bad_policies, check_refused

ANY_PORT = sys.argv[1] == "--any-port"
NAME, *COMMAND = sys.argv[1 + ANY_PORT:]


def machine():
    """What a program may leave behind."""
    links = subprocess.run(["ip", "-oneline", "link"], capture_output=True, text=True, check=True)
    folders = ["/run/dpdk", "/dev/hugepages", "/sys/fs/bpf"]
    hugepages = pathlib.Path("/sys/kernel/mm/hugepages").glob("*/free_hugepages")
    return (links.stdout, [sorted(os.listdir(f)) if os.path.isdir(f) else [] for f in folders],
            [count.read_text() for count in hugepages])


class Policies(unittest.TestCase):
    def test_bad_ones_are_refused_and_nothing_is_left(self):
        for table in (None,) if ANY_PORT else (None, UNKNOWN_PORT):
            with tempfile.TemporaryDirectory() as folder:
                before = machine()
                for what, policy, error in bad_policies(folder, table):
                    with self.subTest(what):
                        check_refused(self, NAME, [part.replace("{}", str(policy))
                                                   for part in COMMAND], error)
                        self.assertEqual(before, machine())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
