#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""If a program is stopped (SIGSTOP), every subcommand that asks it gives up after a while with one line. A
policy whose client has given up is not loaded later.

  stopped_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SPLICE
"""
import array
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import dpdk_lab
import isolation
import reloading
from wait import wait_for

isolation.require()
TWINPATH, DPDK, XDP, SPLICE = (os.path.abspath(path) for path in sys.argv[1:5])
del sys.argv[1:]
# Each program that runs until it is ended. The first two have a policy.
DATAPATHS = ([DPDK, "--port", "a=net_null0", "--forward", "drop", "--", "--no-huge"],
             [XDP, "--port", "lan=lan", "--forward", "drop"])
PROGRAMS = (*DATAPATHS, [SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"])
LONGEST = 40  # seconds; a client gives up after a few


def twinpath(*arguments):
    return subprocess.run([TWINPATH, *arguments], capture_output=True, text=True, timeout=LONGEST)


class Running:
    """A program in the background, and its log. It runs once this is made."""

    def __init__(self, command):
        self.name = os.path.basename(command[0])
        self.file = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.file)
        wait_for("the start", lambda: twinpath("stats", "--file-prefix", self.name).returncode == 0)
        if self.name != "twinpath-splice":
            control = pathlib.Path(f"/run/dpdk/{self.name}/twinpath_control")
            wait_for("the control socket", control.exists)

    def log(self):
        return pathlib.Path(self.file.name).read_text()

    def said(self, text):
        wait_for(f"{text!r} in the log", lambda: text in self.log())

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def summary(self):
        return json.loads(twinpath("stats", "--json", "--file-prefix", self.name).stdout)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait(30)
        self.file.close()


class StoppedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        dpdk_lab.veth("lan", "gen")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.policy = pathlib.Path(folder.name, "other.json")
        self.policy.write_text('{"version": 1, "default": {"forward": "reflect"}}')

    def gives_up(self, pattern, *arguments):
        shown = twinpath(*arguments)
        self.assertEqual(1, shown.returncode, arguments)
        if "--json" in arguments:
            self.assertRegex(json.loads(shown.stdout)["error"], pattern)
        else:
            self.assertEqual("", shown.stdout)
        self.assertRegex(shown.stderr, rf"\Atwinpath \w+: [^\n]*{pattern}[^\n]*\n\Z")

    def test_counters_of_a_stopped_program(self):
        for command in PROGRAMS:
            with self.subTest(command=command[0]), Running(command) as program:
                program.stop()
                for arguments in (["stats"], ["stats", "--json"], ["top"], ["stats", "--watch"]):
                    self.gives_up("does not answer within 3 s", *arguments)
                program.go_on()
                self.assertEqual(0, twinpath("stats").returncode)

    def test_a_stopped_program_hides_no_other(self):
        with Running(DATAPATHS[1]) as stopped, Running(PROGRAMS[2]):
            stopped.stop()
            shown = twinpath("stats")
            self.assertEqual(1, shown.returncode)
            self.assertTrue(shown.stdout.startswith("twinpath-splice "), shown.stdout)
            self.assertRegex(shown.stderr, r"\A[^\n]*twinpath-xdp[^\n]*does not answer within 3 s[^\n]*\n\Z")

    def test_a_watched_program_that_stops_has_not_ended(self):
        with Running(DATAPATHS[1]) as program, \
                subprocess.Popen([TWINPATH, "stats", "--watch", "0.1", "--json"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) as watching:
            watching.stdout.readline()
            program.stop()
            _, said = watching.communicate(timeout=LONGEST)
            self.assertEqual(1, watching.returncode)
            self.assertIn("does not answer within 3 s", said)
            self.assertNotIn("has ended", said)

    def test_a_policy_that_was_given_up_never_comes_into_force(self):
        for command in DATAPATHS:
            with self.subTest(command=command[0]), Running(command) as program:
                program.stop()
                self.gives_up("did not begin within 5 s: .* was not loaded, and will not be", "reload",
                              str(self.policy))
                program.go_on()
                program.said("has given up; keeping the current policy")
                self.assertEqual(0, program.summary()["reloads"]["done"])
                self.assertEqual(0, twinpath("reload", str(self.policy)).returncode)
                self.assertEqual(1, program.summary()["reloads"]["done"])
                program.said(f"reload: loaded {self.policy} (sha256 ")

    def test_a_client_that_is_killed_has_given_up(self):
        for command in DATAPATHS:
            with self.subTest(command=command[0]), Running(command) as program:
                program.stop()
                file = reloading.memory(self.policy.read_bytes())
                with reloading.connect(f"/run/dpdk/{program.name}/twinpath_control") as client:
                    client.sendmsg([b'{"reload": "killed.json"}'],
                                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
                os.close(file)
                program.go_on()
                program.said("the client that asked for killed.json has given up")
                self.assertEqual(0, program.summary()["reloads"]["done"])

    def test_a_refused_policy_leaves_a_line(self):
        self.policy.write_text('{"version": 2}')
        for command in DATAPATHS:
            with self.subTest(command=command[0]), Running(command) as program:
                self.assertEqual(2, twinpath("reload", str(self.policy)).returncode)
                program.said("reload: keeping the current policy: ")

    def test_doctor_knows_that_a_stopped_program_has_its_file_prefix(self):
        profile = self.policy.with_name("profile.json")
        profile.write_text(json.dumps({"version": 1, "eal": ["--no-huge"],
                                       "ports": [{"name": "a", "device": "net_null0"}]}))
        with Running(DATAPATHS[0]) as program:
            program.stop()
            shown = twinpath("doctor", "--json", "--profile", str(profile))
            self.assertIn("uses the file prefix 'twinpath-dpdk'", shown.stdout)


unittest.main(verbosity=2)
