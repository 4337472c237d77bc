#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`twinpath explain --running` predicts what a running program does with its next packet, and `twinpath set` changes
the loss of one of its rules, on both paths.

  running_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import dpdk_lab
import isolation
import reloading
from captures import unfinished
from wait import wait_for

isolation.require()
TWINPATH, DPDK, XDP = (os.path.abspath(path) for path in sys.argv[1:4])
del sys.argv[1:]
PACKET = ("--five-tuple", "udp 10.0.0.1:1000 10.0.0.2:2000")  # as dpdk_lab.Sender sends
MARKOV = {"model": "gilbert_elliott", "p": "30%", "r": "30%", "loss_bad": "80%", "loss_good": "10%"}
LOSSES = {"by queue": {"model": "random", "rate": "50%"}, "by flow": {"model": "random", "rate": "50%", "scope": "flow"},
          "in bursts": MARKOV, "in bursts by flow": {**MARKOV, "scope": "flow"}}


def twinpath(*arguments, status=0):
    """Runs twinpath. Returns its stdout, or its stderr if it fails with `status`."""
    ran = subprocess.run([TWINPATH, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == status, (arguments, ran)
    return ran.stderr if status else ran.stdout


class Both:
    """The tests of one path; `start` starts its program."""
    path = ""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(dir="/run")))
        self.policy = self.folder / "policy.json"
        dpdk_lab.veth("lan0", "gen0", queues=2)
        self.addCleanup(dpdk_lab.run, "ip", "link", "del", "gen0")
        self.sender = dpdk_lab.Sender("gen0")
        self.addCleanup(self.sender.close)
        self.sent = 0

    def write(self, *rules, **more):
        self.policy.write_text(json.dumps({"version": 1, "seed": 5, "rules": rules, **more}))

    def start(self, *arguments, ports=("lan=lan0",)):
        arguments = [*(word for port in ports for word in ("--port", port)), *arguments]
        summary = self.folder / "summary.json"
        if self.path == "dpdk":
            command, ready = [DPDK, *arguments, "--no-huge", "--idle", "adaptive"], ": lcores "
        else:
            command, ready = [XDP, *arguments], ": port lan"
        self.program = dpdk_lab.Running([*command, "--summary", summary], summary, f"twinpath-{self.path}", ready)
        self.addCleanup(self.end)
        wait_for("its control socket", pathlib.Path(f"/run/dpdk/twinpath-{self.path}/twinpath_control").exists)

    def end(self):
        self.program.__exit__()

    def ask(self, *arguments, packet=PACKET):
        return json.loads(twinpath("explain", "--running", "--json", *packet, *arguments))

    def send(self, count=1):
        """Sends frames, and returns how many were lost."""
        before = self.program.telemetry.total("lan", "lost_packets")
        self.sender.send(count)
        self.sent += count
        wait_for("they are decided", lambda: self.program.telemetry.total("lan", "rx_packets") == self.sent)
        return self.program.telemetry.total("lan", "lost_packets") - before

    def test_it_foretells_the_next_packets(self):
        for name, loss in LOSSES.items():
            with self.subTest(name):
                self.sent = 0
                self.write({"name": "first", "packets": 3, "forward": "drop"}, {"name": "some", "match": {"proto": "udp"},
                           "loss": loss, "forward": "drop"})
                self.start("--policy", self.policy)
                lost = []
                for number in range(10):
                    told = self.ask("--queue", "0")
                    self.assertEqual(("some", self.sent - 3) if self.sent >= 3 else ("first", self.sent),
                                     (told["rule"], told["n"]), told)
                    lost.append(self.send())
                    self.assertEqual(told["lost"], lost[-1] == 1, told)
                    if number == 4:
                        self.send(61)  # so that the next packets are of another block of 64
                self.assertIn(1, lost)
                self.assertIn(0, lost[3:])
                self.program.stop()
                self.end()

    def test_the_options_and_changes_of_the_program_count(self):
        self.start("--loss", "100%", "--match", "proto=udp,dst_port=2000", "--forward", "drop", "--seed", "9")
        self.assertEqual(("match", True), (lambda told: (told["rule"], told["lost"]))(self.ask("--queue", "0")))
        self.assertEqual(5, self.send(5))
        self.assertEqual(f"twinpath-{self.path}: rule match loses 50 %\n",
                         twinpath("set", "--rule", "match", "--loss", "50%"))
        self.program.said("set: rule match loses 50 % (sha256 ")
        told = [self.ask("--queue", "0", "--number", str(number))["lost"] for number in range(12)]
        self.assertEqual(told, [self.send() == 1 for _ in range(12)])
        self.assertEqual({True, False}, set(told))
        twinpath("set", "--rule", "match", "--loss", "0", "--path", self.path)
        self.assertEqual(0, self.send(100))
        changed = json.loads(twinpath("set", "--rule", "default", "--loss", "100%", "--json", "-f", f"twinpath-{self.path}"))
        self.assertEqual(["default", "100%", 3], [changed[key] for key in ("rule", "loss", "reloads")])
        summary = json.loads(twinpath("stats", "--json"))
        self.assertEqual(changed["policy"]["sha256"], summary["policy"]["sha256"])
        # Another packet meets the default rule.
        self.assertTrue(self.ask("--queue", "0", packet=("--five-tuple", "udp 10.0.0.1:1000 10.0.0.2:53"))["lost"])

    def test_a_policy_that_is_loaded_ends_the_changes(self):
        rule = {"name": "some", "match": {"proto": "udp"}, "loss": {"model": "random", "rate": 0, "scope": "flow"},
                "forward": "drop"}
        self.write(rule)
        self.start("--policy", self.policy)
        for load in (lambda: twinpath("reload", self.policy), lambda: self.program.process.send_signal(signal.SIGHUP)):
            twinpath("set", "--rule", "some", "--loss", "100%")
            told = self.ask("--queue", "0")
            self.assertEqual((True, "flow", 0), (told["lost"], told["scope"], told["n"]))
            self.assertEqual(2, self.send(2))
            load()
            wait_for("it is loaded", lambda: not self.ask("--queue", "0")["lost"])
            self.assertEqual(0, self.send(2))
        # A failure leaves the change.
        twinpath("set", "--rule", "some", "--loss", "100%")
        self.policy.write_text("{")
        twinpath("reload", self.policy, status=2)
        self.assertEqual(2, self.send(2))
        self.assertEqual("twinpath set: --loss: found \"101%\"", twinpath("set", "--rule", "some", "--loss", "101%",
                                                                          status=2)[:34])
        self.assertEqual("twinpath set: --rule: found \"sum\", allowed a rule's name: some, default\n",
                         twinpath("set", "--rule", "sum", "--loss", "1%", status=2))
        self.program.said("set: keeping the current policy: --rule: found \"sum\"")

    def test_times_count_as_in_the_program(self):
        self.write({"name": "late", "active": {"from": "1h"}, "forward": "drop"},
                   {"name": "now", "active": {"for": "1h"}, "forward": "drop"})
        self.start("--policy", self.policy)
        told = self.ask("--queue", "0")
        self.assertEqual(["now", [("late", "active")]],
                         [told["rule"], [(refused["rule"], refused["field"]) for refused in told["refused"]]])
        self.assertGreater(told["at_ns"], 0)
        self.assertEqual("late", self.ask("--queue", "0", "--at", "3601s")["rule"])
        twinpath("reload", self.policy)
        self.assertEqual("now", self.ask("--queue", "0")["rule"])

    def test_a_large_policy(self):
        self.write(*({"name": f"rule {number}", "match": {"dst_port": number}, "forward": "drop"}
                     for number in range(1, 3001)))
        self.start("--policy", self.policy)
        self.assertEqual("rule 2000", self.ask("--queue", "0")["rule"])
        self.send(7)
        self.assertEqual(7, self.ask("--queue", "0")["n"])

    def test_the_program_completes_or_leaves_checksums(self):
        frame = ("--frame", unfinished(0)[0].hex())
        dpdk_lab.run("ethtool", "-K", "gen0", "gro", "on")  # for native mode, which finishes checksums
        for setting in ("complete", "leave", ""):
            self.start("--forward", "reflect", *(("--checksums", setting) if setting else ()))
            self.assertEqual(setting != "leave", self.ask("--queue", "0", packet=frame)["checksum_completed"])
            for option in ("complete", "leave"):
                told = self.ask("--queue", "0", "--checksums", option, packet=frame)
                self.assertEqual(option == "complete", told["checksum_completed"])
            self.program.stop()
            self.end()

    def test_wrong_requests_are_refused(self):
        """These are requests that `twinpath` never sends."""
        self.start("--forward", "drop")
        socket = f"/run/dpdk/twinpath-{self.path}/twinpath_control"
        frame, kinds = bytes(60), ('{"reload": FILE} with the policy\'s text, {"set": {"rule": NAME, "loss": RATE}}, '
                                   '{"ask": {"port": NAME, "queue": NUMBER or null}} with a frame, and {"sources": true}')
        for request, data, error in (
                ({"ask": {"port": "lan", "queue": 2**32}}, frame, "a request: found something else, allowed " + kinds),
                ({"ask": {"port": "lan", "queue": -1}}, frame, "a request: found something else, allowed " + kinds),
                ({"ask": {"port": 5}}, frame, "a request: found something else, allowed " + kinds),
                ({"sources": False}, None, "a request: found something else, allowed " + kinds),
                ({"set": {"rule": "default"}}, None, "a request: found something else, allowed " + kinds),
                ({"ask": {"port": "lan"}}, None, "the frame: found no descriptor, allowed a sealed memfd"),
                ({"reload": "policy"}, None, "the policy: found no descriptor, allowed a sealed memfd"),
                ({"ask": {"port": "lan"}}, b"", "the frame: found 0 bytes, allowed 1 to 65535"),
                ({"ask": {"port": "lan"}}, bytes(65536), "the frame: found 65536 bytes, allowed 1 to 65535"),
                ({"ask": {"port": "lan", "queue": 2**32 - 1}}, frame, "--queue: found 4294967295, allowed 0")):
            with self.subTest(request=request, bytes=data and len(data)):
                file = None if data is None else reloading.memory(data)
                try:
                    answer = reloading.ask(socket, json.dumps(request).encode(), file)
                finally:
                    if file is not None:
                        os.close(file)
                self.assertTrue(answer["wrong"] and answer["error"].startswith(error), answer)
        self.assertEqual(0, self.send(5))  # the program goes on

    def test_what_is_missing_is_said(self):
        dpdk_lab.veth("wan0", "gen1")
        self.addCleanup(dpdk_lab.run, "ip", "link", "del", "gen1")
        explain = ("explain", "--running", *PACKET)
        self.assertIn("no Twinpath program runs: nothing runs at ", twinpath(*explain, status=1))
        self.start("--forward", "drop", ports=("lan=lan0", "wan=wan0"))
        for arguments, error in (
                ((), '--port: found nothing, allowed one of the program\'s ports: lan, wan'),
                (("--port", "nope"), '--port: found "nope", allowed one of the program\'s ports: lan, wan'),
                (("--port", "lan", "--queue", "7"), "--queue: found 7, allowed 0"),
                (("--port", "lan", "--path", "xdp", "-f", "x"), "--path and --file-prefix are mutually exclusive")):
            self.assertTrue(twinpath(*explain, *arguments, status=2).startswith(f"twinpath explain: {error}"), arguments)
        if self.path == "xdp":
            self.assertIn("--queue: found nothing, allowed 0 to 1: port lan has 2 queues",
                          twinpath(*explain, "--port", "lan", status=2))
        self.assertIn("as the program's next packet\n", twinpath(*explain, "--port", "wan"))
        self.assertEqual("twinpath explain: POLICY is required, or --running (see twinpath explain --help)\n",
                         twinpath("explain", *PACKET, status=2))
        for arguments, error in (((*explain, self.policy), "POLICY and --running are mutually exclusive"),
                                 (("explain", self.policy, *PACKET, "-f", "x"), "--path and --file-prefix need --running")):
            self.assertEqual(f"twinpath explain: {error}\n", twinpath(*arguments, status=2))


class OfDpdk(Both, unittest.TestCase):
    path = "dpdk"


class OfXdp(Both, unittest.TestCase):
    path = "xdp"


unittest.main(verbosity=2)
