#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath sweep on a running twinpath-xdp between two hosts: what ping and iperf3 lose follows the loss that was set;
the policy from before is restored, whatever ends the sweep; and mistakes are refused before anything changes.

  sweep_test.py TWINPATH_XDP TWINPATH
"""
import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

from reloading import ask
from wait import wait_for
from xdp_lab import XdpTest, main, remove, run

TWINPATH = os.path.realpath(sys.argv[2])
CONTROL = pathlib.Path("/run/dpdk/twinpath-xdp/twinpath_control")
WIRE = [{"name": f"to {to}", "match": {"port": port}, "forward": {"port": to}} for port, to in (("lan", "wan"), ("wan", "lan"))]
ICMP = {"name": "echo", "match": {"port": "lan", "proto": "icmp"}, "loss": {"model": "periodic", "every": 1000}, "forward": {"port": "wan"}}
UDP = {"name": "data", "match": {"port": "lan", "proto": "udp", "length": "500-65535"},
       "loss": {"model": "random", "rate": "0%"}, "forward": {"port": "wan"}}
# The counts of ping's summary as JSON.
PING = ("ip netns exec near ping -q -c 40 -i 0.01 -W 1 10.9.0.2 | "
        r"sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/{\"sent\": \1, \"received\": \2}/p'")


class Sweep(XdpTest):
    def setUp(self):
        super().setUp()
        for name, interface, address in (("near", "lan", "10.9.0.1/24"), ("far", "wan", "10.9.0.2/24")):
            run("ip", "netns", "add", name)
            self.addCleanup(run, "ip", "netns", "del", name)
            run("ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", name)
            self.addCleanup(remove, interface)
            run("ip", "link", "set", interface, "up")
            run("ip", "-n", name, "addr", "add", address, "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
            run("ip", "netns", "exec", name, "ethtool", "-K", "eth0", "gro", "on", "tx", "off")

    def begin(self, *rules):
        """Starts the program with a policy of these rules and a wire."""
        self.file = self.policy({"forward": "drop"}, *rules, *WIRE, seed=3)
        program = self.start("--port", "lan=lan", "--port", "wan=wan", "--policy", self.file)
        self.addCleanup(program.__exit__)
        return program

    def sweep(self, *arguments, status=0):
        result = subprocess.run([TWINPATH, "sweep", self.file, *arguments], capture_output=True, text=True, timeout=120,
                                check=False)
        self.assertEqual(status, result.returncode, result.stderr + result.stdout)
        return result

    def sources(self):
        return ask(CONTROL, json.dumps({"sources": True}).encode())["ok"]


class SweepTest(Sweep):
    def test_what_ping_loses_is_what_was_set(self):
        self.begin(ICMP)
        run(TWINPATH, "set", "--rule", "to lan", "--loss", "0%")
        before = self.sources()
        report = self.folder / "report"
        shown = self.sweep("--set", "/rules/0/loss/every=10,4,2", "--set", "/seed=1,2", "--repeat", "2",
                           "--get", "sent=/sent", "--get", "received=/received", "--report", str(report),
                           "--csv", str(self.folder / "runs.csv"), "--", "sh", "-c", PING)
        results = json.loads((report / "results.json").read_text())
        self.assertTrue(results["complete"])
        self.assertEqual(12, len(results["runs"]))
        for one in results["runs"]:
            self.assertEqual("", one["problem"])
            self.assertEqual({"sent": 40, "received": 40 - 40 // one["set"]["/rules/0/loss/every"]}, one["results"])
        self.assertEqual([(10, 36), (10, 36), (4, 30), (4, 30), (2, 20), (2, 20)],
                         [(row["set"]["/rules/0/loss/every"], row["results"]["received"]["median"]) for row in results["summary"]])
        # The second repetition begins with another combination.
        self.assertEqual([{"/rules/0/loss/every": 10, "/seed": 1}, {"/rules/0/loss/every": 10, "/seed": 2}],
                         [results["runs"][0]["set"], results["runs"][6]["set"]])
        self.assertEqual(before, self.sources())
        self.assertRegex(shown.stdout, r"(?m)^2 +2 +40 \(40 to 40\) +20 \(20 to 20\) +[\d.]+ \([\d.]+ to [\d.]+\) +2 +0$")
        self.assertIn("/rules/0/loss/every=10, /seed=1, repetition 1: sent 40, received 36", shown.stdout)
        self.assertRegex(shown.stderr, r"6 of 12 \[#+\.+\] 0:\d\d left, /rules/0/loss/every=10, /seed=2")
        with open(self.folder / "runs.csv", encoding="utf-8", newline="") as file:
            self.assertEqual(["36"] * 4 + ["30"] * 4 + ["20"] * 4,
                             sorted((row["received"] for row in csv.DictReader(file)), reverse=True))
        page = (report / "index.html").read_text()
        self.assertEqual(results, json.loads(re.search(r'id="results">(.*?)</script>', page, re.S)[1]))
        self.assertEqual(12, page.count('<rect class="heat'))  # six cells for each of two results
        self.assertNotRegex(page, r"\b(src|href)=|url\(|@import")

    def test_what_iperf3_loses_follows_the_rate(self):
        self.begin(UDP)
        server = subprocess.Popen(["ip", "netns", "exec", "far", "iperf3", "-s"], stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait, 30)
        self.addCleanup(server.kill)
        wait_for("iperf3", lambda: ":5201 " in run("ip", "netns", "exec", "far", "ss", "-ltn"))
        rates = {"0%": 0, "2%": 0.02, "10%": 0.1}
        output = self.sweep("--set", f"/rules/0/loss/rate={','.join(rates)}", "--get", "lost=/end/sum/lost_packets",
                            "--get", "packets=/end/sum/packets", "--settle", "50ms", "--timeout", "30s", "--json", "-",
                            "--", *"ip netns exec near iperf3 -c 10.9.0.2 -u -b 16M -l 1000 -t 1 -J".split()).stdout
        runs = json.loads(output)["runs"]
        self.assertEqual(list(rates), [one["set"]["/rules/0/loss/rate"] for one in runs])
        for one in runs:
            self.assertEqual("", one["problem"])
            self.assertGreater(one["results"]["packets"], 1000)
            self.assert_loss(rates[one["set"]["/rules/0/loss/rate"]], one["results"]["lost"], one["results"]["packets"], 5)

    def test_a_failed_command_is_a_row_and_not_the_end(self):
        self.begin(ICMP)
        result = self.sweep("--set", "/seed=1,2,3", "--get", "n=/n", "--json", str(self.folder / "r.json"), "--", "sh", "-c",
                            "if [ $TWINPATH_SET_SEED = 2 ]; then echo no route >&2; exit 7; fi; echo \"{\\\"n\\\": \\\"$1\\\"}\"",
                            "sh", "[a,b]")
        runs = json.loads((self.folder / "r.json").read_text())["runs"]
        self.assertEqual([0, 7, 0], [one["exit_status"] for one in runs])
        self.assertEqual(["", "exit status 7: no route", ""], [one["problem"] for one in runs])
        self.assertEqual(["[a,b]", None, "[a,b]"], [one["results"]["n"] for one in runs])
        self.assertIn("  /seed=2: exit status 7: no route", result.stdout)
        every = self.sweep("--set", "/seed=1", "--", "false", status=1)
        self.assertIn("every run failed", every.stderr)


class EndTest(Sweep):
    def test_an_interrupted_sweep_restores_the_policy_and_goes_on(self):
        self.begin(ICMP)
        before = self.sources()
        report, flag = self.folder / "report", self.folder / "flag"
        arguments = ["--set", "/rules/0/loss/every=2,3,4", "--report", str(report), "--",
                     "sh", "-c", f"[ $TWINPATH_SET_RULES_0_LOSS_EVERY = 2 -o -e {flag} ] || sleep 987"]
        sweep = subprocess.Popen([TWINPATH, "sweep", self.file, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
        self.addCleanup(sweep.kill)
        wait_for("the second run", lambda: '"every": 3' in self.sources()["text"])
        sweep.send_signal(signal.SIGINT)
        output, _ = sweep.communicate(timeout=30)
        self.assertEqual(0, sweep.returncode)
        self.assertIn("The sweep was interrupted after 1 of 3 runs", output)
        self.assertEqual(before, self.sources())
        self.assertNotIn("sleep 987", run("ps", "-eo", "args"))
        self.assertFalse(json.loads((report / "results.json").read_text())["complete"])
        flag.touch()
        self.sweep(*arguments[:4], "--resume", *arguments[4:])
        results = json.loads((report / "results.json").read_text())
        self.assertTrue(results["complete"])
        self.assertEqual([2, 3, 4], [one["set"]["/rules/0/loss/every"] for one in results["runs"]])
        other = self.sweep("--set", "/seed=1", "--report", str(report), "--resume", "--", "true", status=2)
        self.assertIn("is of another sweep: policy, command, --set and --get must be the same", other.stderr)

    def test_a_program_that_ends_is_the_end(self):
        program = self.begin(ICMP)
        result = self.sweep("--set", "/seed=1,2", "--", "sh", "-c", f"kill {program.process.pid}; sleep 1", status=1)
        self.assertIn("nothing runs at", result.stderr)

    def test_options_of_the_program_are_noted(self):
        self.file = self.policy({"forward": "drop"}, *WIRE)
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--seed", "9"):
            before = self.sources()
            self.assertIsNone(before["text"])
            output = self.sweep("--set", "/rules/0/forward=drop,pass", "--", "true").stdout
            self.assertIn("twinpath-xdp was started with --seed 9, which changes every policy", output)
            self.assertEqual({**before, "text": '{"version": 1}'}, self.sources())


class MistakesTest(Sweep):
    def test_mistakes_are_refused_before_anything_changes(self):
        self.begin(ICMP)
        before = self.sources()
        rate, command = "/rules/0/loss/every", ["--", "touch", str(self.folder / "ran")]
        for arguments, words in (
                (["--set", f"{rate}=10,0", *command], f"--set {rate}=0: {self.file}: {rate}: found 0, allowed an integer from 1"),
                (["--set", f"{rate}=10", "--set", "/rules/0/forward=wam", *command], "/rules/0/forward: found \"wam\""),
                (["--set", "/rules/9/loss=1", *command], "--set /rules/9/loss=1: found item \"9\" of /rules, allowed 0 to 2"),
                (["--set", "/rules/0/forward/port=dmz", *command], "dmz"),
                (["--set", "/sed=1", *command], "/sed: "),
                (["--set", "rate=1", *command], "--set: found \"rate=1\", allowed POINTER=VALUE"),
                (command, "--set is required"),
                (["--set", f"{rate}=1", "--get", "x", *command], "--get: found \"x\", allowed NAME=POINTER"),
                (["--set", f"{rate}=1", "--settle", "1", *command], "--settle: found \"1\", allowed a duration"),
                (["--set", f"{rate}=1", "--timeout", "1y", *command], "--timeout: found \"1y\", allowed a duration"),
                (["--set", f"{rate}=1", "--resume", *command], "--resume needs --report DIR"),
                (["--set", f"{rate}=1", "--repeat", "0", *command], "--repeat"),
                (["--set", f"{rate}=1", "--write", self.file, *command], "which is POLICY, allowed another file"),
                (["--set", f"{rate}=1", "--write", "/tmp/p", "--path", "xdp", *command], "are mutually exclusive"),
                (["--set", f"{rate}=1", "--path", "dpdk", *command], "nothing runs at"),
                (["--set", f"{rate}=1", "--json", "-", "--csv", "-", *command], "are mutually exclusive"),
                (["--set", f"{rate}=1", "--json", "/nowhere/r.json", *command], "cannot write /nowhere/r.json"),
                (["--set", f"{rate}=1", "--", "no-such-program"], "there is no program no-such-program"),
                (["--set", f"{rate}=1"], "a command is required, behind all options and --"),
                (["--set", f"{rate}=1", "touch", "x"], "touch")):
            with self.subTest(arguments):
                result = self.sweep(*arguments, status=1 if "nothing runs" in words else 2)
                self.assertIn(words, result.stderr)
                self.assertEqual(1, result.stderr.count("\n"), result.stderr)
                self.assertFalse((self.folder / "ran").exists())
                self.assertEqual(before, self.sources())

    def test_a_file_gets_the_policies_and_is_as_before(self):
        self.file = self.policy({"forward": "drop"}, ICMP, *WIRE)
        for before in (None, "as it was"):
            target = self.folder / "written.json"
            if before:
                target.write_text(before)
            output = self.sweep("--set", "/rules/0/loss/every=5,6", "--write", str(target), "--get", "every=/rules/0/loss/every",
                                "--json", "-", "--", "sh", "-c", 'cat "$TWINPATH_POLICY"').stdout
            self.assertEqual([5, 6], [one["results"]["every"] for one in json.loads(output)["runs"]])
            self.assertEqual(before, target.read_text() if target.exists() else None)


main()
