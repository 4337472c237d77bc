#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every script of tools/ has --help, and refuses an unknown option before it does anything.

  usage_test.py FOLDER-OF-TOOLS
"""
import os
import pathlib
import subprocess
import sys
import unittest

TOOLS = pathlib.Path(sys.argv.pop(1)).resolve()


def scripts():
    return sorted(path for path in TOOLS.iterdir() if path.is_file() and os.access(path, os.X_OK))


def run(script, *arguments):
    return subprocess.run([script, *arguments], capture_output=True, text=True, timeout=20,
                          check=False, stdin=subprocess.DEVNULL, cwd="/")


class Usage(unittest.TestCase):
    def test_there_are_scripts(self):
        self.assertLessEqual({"run", "test", "deps", "lint", "host", "sandbox", "bench", "release", "package",
                              "image"},
                             {script.name for script in scripts()})

    def test_help_shows_the_usage_and_no_code(self):
        for script in scripts():
            for option in ("--help", "-h"):
                with self.subTest(script=script.name, option=option):
                    result = run(script, option)
                    self.assertEqual((0, ""), (result.returncode, result.stderr))
                    self.assertRegex(result.stdout, rf"\b{script.name} ")
                    self.assertNotRegex(result.stdout, r"shellcheck|SPDX|\nset -|\nsource ")

    def test_an_unknown_option_is_refused(self):
        for script in scripts():
            with self.subTest(script=script.name):
                result = run(script, "--nonesuch")
                self.assertEqual((2, ""), (result.returncode, result.stdout))
                self.assertRegex(result.stderr, "--nonesuch|usage: ")

    def test_packages_are_listed_for_known_releases(self):
        for release, sanitizers in (("bookworm", "libclang-rt-14-dev"), ("trixie", "libclang-rt-19-dev")):
            self.assertIn(sanitizers, run(TOOLS / "deps", "--list", release).stdout.split())
        result = run(TOOLS / "deps", "--list", "sid")
        self.assertEqual((2, "", "deps: --list: found 'sid', allowed bookworm or trixie\n"),
                         (result.returncode, result.stdout, result.stderr))


unittest.main(verbosity=2)
