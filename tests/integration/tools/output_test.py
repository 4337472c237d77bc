#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program that cannot write its standard output fails, unless that is a terminal that hung up. A program
ends with its terminal, unless nohup started it.

  output_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SPLICE POLICY"""
import contextlib
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import time
import unittest

import dpdk_lab
import isolation
from wait import wait_for

isolation.require()
*PROGRAMS, POLICY = (os.path.abspath(path) for path in sys.argv[1:6])
TWINPATH, DPDK, XDP, SPLICE = PROGRAMS
del sys.argv[1:]
# Each of these does some work and ends.
RUNS = ([TWINPATH, "check", POLICY],
        [DPDK, "--port", "a=net_null0", "--forward", "drop", "--packets", "1000", "--", "--no-huge"],
        [XDP, "--port", "lan=lan", "--forward", "drop", "--duration", "0.01"],
        [SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--duration", "0.01"])


class OutputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        dpdk_lab.veth("lan", "gen")

    def each(self, commands, output, status):
        """Runs each command with this standard output. A failure must say so in its last line."""
        for command in commands:
            with self.subTest(command=" ".join(command)):
                # SIGPIPE would end twinpath before it can print an error; the daemons ignore it themselves.
                ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60,
                                       restore_signals=False)
                name = os.path.basename(command[0])
                self.assertEqual(status, ended.returncode, ended.stderr)
                said = f"{name}: cannot write the output"
                self.assertEqual(int(status == 1), ended.stderr.count(said), ended.stderr)
                if status == 1:
                    self.assertEqual(said, ended.stderr.splitlines()[-1])

    def test_a_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.each(RUNS, full, 1)
            self.each([[program, option] for program in PROGRAMS for option in ("--help", "--version")], full, 1)

    def test_a_pipe_that_nobody_reads(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            self.each(RUNS, pipe, 1)

    def test_a_terminal_that_is_gone(self):
        ours, its = os.openpty()
        os.close(ours)
        with os.fdopen(its, "w") as terminal:
            self.each(RUNS, terminal, 0)

    def test_another_failure_is_not_hidden(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            for command, status in (([*RUNS[1][:-2], "--summary", "/dev/full", *RUNS[1][-2:]], 1), ([DPDK, "--no"], 2)):
                ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(status, ended.returncode)
                self.assertNotIn("cannot write the output", ended.stderr)

    def end_of_terminal(self, command, ignored):
        """Returns whether `command` still runs a second after its terminal was closed, and its exit status. Ends a
        running program by SIGTERM."""
        reader, writer = os.pipe()
        process, terminal = pty.fork()
        if process == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
            os.dup2(writer, 2)
            os.execv(command[0], command)
        os.close(writer)
        with os.fdopen(reader) as said:
            said.readline()  # the program has printed its first line
            time.sleep(0.5)  # and runs
            os.close(terminal)
            ended, deadline = (0, 0), time.monotonic() + 1
            while ended[0] == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
                ended = os.waitpid(process, os.WNOHANG)
            runs = ended[0] == 0
            if runs:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
                ended = os.waitpid(process, 0)
            said.read()
        return runs, os.waitstatus_to_exitcode(ended[1])

    def test_nohup(self):
        for run in RUNS[1:]:
            command = [word for word in run if word not in ("--packets", "1000", "--duration", "0.01")]
            for ignored in (False, True):
                with self.subTest(command=" ".join(command), ignored=ignored):
                    self.assertEqual((ignored, 0), self.end_of_terminal(command, ignored))

    @contextlib.contextmanager
    def without(self, descriptors, command):
        """`command` in the background, started with these descriptors closed. It ends with status 0."""
        closed = " ".join(f"{number}<&-" for number in descriptors)
        process = subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", *command], stdout=subprocess.DEVNULL)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            self.assertEqual(0, process.wait(60))
        finally:
            process.kill()
            process.wait(60)

    def answers(self, program):
        """Whether its telemetry socket accepts connections."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            path = f"/run/dpdk/{os.path.basename(program)}/dpdk_telemetry.v2"
            return client.connect_ex(path) == 0

    def expect_null(self, process, descriptors):
        """Files and sockets are opened later, so none of them can have a standard descriptor's number."""
        def links():
            with contextlib.suppress(FileNotFoundError):
                return {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in descriptors}
        wait_for("/dev/null", lambda: links() == {"/dev/null"}, 30)

    def wait_until_it_handles_sigterm(self, process):
        def blocked():
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            return int(status.split("SigBlk:")[1].split()[0], 16)
        wait_for("SIGTERM to be held", lambda: blocked() >> signal.SIGTERM - 1 & 1)

    def test_closed_standard_descriptors_are_dev_null(self):
        for run in RUNS[1:]:
            command = [word for word in run if word not in ("--packets", "1000", "--duration", "0.01")]
            for descriptors in ((0,), (1,), (2,), (0, 1, 2)):
                with self.subTest(command=" ".join(command), closed=descriptors), \
                        self.without(descriptors, command) as process:
                    wait_for("the start", lambda: self.answers(command[0]))
                    self.expect_null(process, descriptors)
        # twinpath itself, with something to watch.
        with self.without((), [word for word in RUNS[3] if word not in ("--duration", "0.01")]):
            wait_for("the start", lambda: self.answers(SPLICE))
            for descriptors in ((0,), (1,), (2,), (0, 1, 2)):
                with self.subTest(command="twinpath top", closed=descriptors), \
                        self.without(descriptors, [TWINPATH, "top", "0.1"]) as process:
                    self.expect_null(process, descriptors)
                    self.wait_until_it_handles_sigterm(process)

    def test_a_good_output(self):
        self.each(RUNS, subprocess.DEVNULL, 0)


unittest.main(verbosity=2)
