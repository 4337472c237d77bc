#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/progress.py shows a build's progress: one line that is updated on a terminal, tenths in a log.

  progress_test.py PATH-TO-PROGRESS
"""
import fcntl
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

PROGRESS = pathlib.Path(sys.argv.pop(1)).resolve()
ERROR = "FAILED: a.cc.o\na.cc:1: error: no\nninja: build stopped: subcommand failed.\n"


def ninja(steps, total):
    """What ninja prints of the first `steps` steps of a build."""
    return "ninja: Entering directory `build'\n" + "".join(
        f"[{i + 1}/{total}] Compiling C++ object src/a/liba.a.p/file_number_{i + 1}.cc.o\n"
        for i in range(steps))


class Progress(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name, "log")

    def in_a_log(self, text):
        return subprocess.run([PROGRESS, self.log], input=text, capture_output=True, text=True,
                              timeout=20, check=True).stdout.splitlines()

    def on_a_terminal(self, text, columns):
        """Everything that it writes to a terminal of so many columns."""
        main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        subprocess.run([PROGRESS, self.log], input=text, stdout=terminal, text=True, timeout=20,
                       check=True, env={**os.environ, "TERM": "xterm"})
        os.close(terminal)
        written = b""
        while True:
            try:
                block = os.read(main, 65536)
            except OSError:  # Linux reports this if nobody has the other end open
                break
            if not block:
                break
            written += block
        os.close(main)
        return written.decode()

    def test_a_log_gets_a_line_each_tenth(self):
        lines = self.in_a_log(ninja(40, 40))
        self.assertEqual([str(10 * i) for i in range(1, 11)], [line.split()[0] for line in lines])
        self.assertRegex(lines[-1], r"100 %  40 of 40 steps, \d+:\d\d$")

    def test_a_log_gets_nothing_of_a_short_build(self):
        self.assertEqual([], self.in_a_log(ninja(5, 5)))
        self.assertEqual([], self.in_a_log("ninja: no work to do.\n"))

    def test_a_terminal_gets_one_line_that_fits(self):
        written = self.on_a_terminal(ninja(7, 9), 30)
        drawn = re.findall(r"\r([^\r\033]+)\033\[K", written)
        self.assertEqual(7, len(drawn))
        self.assertTrue(all(len(line) <= 29 for line in drawn), drawn)
        self.assertRegex(drawn[6], r"^  \[7/9\] 0:0\d  Compiling file_")
        self.assertEqual(1, written.count("\n"))
        self.assertRegex(written, r"\r\033\[K  7 of 9 steps in 0:0\d\r\n$")

    def test_what_is_no_progress_is_kept(self):
        self.in_a_log(ninja(3, 40) + ERROR)
        self.assertEqual(ERROR, self.log.read_text(encoding="utf-8"))

    def test_ends_at_once_when_it_is_terminated(self):
        with subprocess.Popen([PROGRESS, self.log], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            process.stdin.write(ninja(4, 40))
            process.stdin.flush()
            self.assertRegex(process.stdout.readline(), "^ +10 %")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(143, process.wait(timeout=20))
            self.assertRegex(process.stdout.read(), "4 of 40 steps")


unittest.main(verbosity=2)
