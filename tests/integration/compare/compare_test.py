#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A tiny comparison, end to end: its figures are in the JSON, in the CSV and on the page; every packet is
accounted for; it goes on where it was interrupted; and nothing is left behind, also after kill -9.

  compare_test.py TWINPATH POLICY
"""
import csv
import html
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import isolation
from wait import wait_for

TWINPATH, POLICY = (os.path.abspath(path) for path in sys.argv[1:])
del sys.argv[1:]
ENGINES = ["xdp-native", "packet_mmap"]
TINY = ["--size", "64", "--trial", "50ms",
        "--load", "50%", "--load-trial", "100ms"]
TMP = pathlib.Path(os.environ.get("TMPDIR", "/tmp"))


def compare(*arguments, policy=POLICY):
    return subprocess.run([TWINPATH, "compare", policy, *arguments], capture_output=True, text=True,
                          check=False, timeout=200)


def left_behind():
    """Folders of runs, and processes that belong to one."""
    found = [str(path) for path in TMP.glob("twinpath-??????")]
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "compare-1" in words or "compare" in words[:2]:
            found.append(" ".join(words))
    return found


class CompareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.report = pathlib.Path(cls.folder.name) / "report"
        cls.run_of = compare(*TINY, "--engine", ",".join([*ENGINES, "pf_ring"]), "--loss", "10%", "--repetitions", "1", "--report", str(cls.report))
        if cls.run_of.returncode:
            raise AssertionError(cls.run_of.stderr + cls.run_of.stdout)
        cls.results = json.loads((cls.report / "results.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_every_packet_of_every_trial_is_accounted_for(self):
        self.assertGreaterEqual(len(self.results["trials"]), 4)
        for trial in self.results["trials"]:
            self.assertGreater(trial["sent_packets"], 0)
            self.assertEqual(0, trial["unexplained_packets"], trial)

    def test_both_engines_were_measured_with_the_same_policy(self):
        self.assertTrue(self.results["complete"])
        self.assertEqual((5000, 0, ""), tuple(self.results["sameness"][key] for key in
                                              ("frames", "different", "problem")))
        self.assertEqual(set(ENGINES), {row["engine"] for row in self.results["throughputs"]})
        for trial in self.results["trials"]:
            self.assertEqual("10%", trial["loss"])
            self.assertAlmostEqual(trial["lost_asked"], trial["matched_packets"] / 10, places=3)
            # Six standard deviations: no seed of the policy's is chosen for this.
            n = trial["matched_packets"]
            self.assertLess(abs(trial["lost_packets"] - n / 10), 6 * (n * 0.09) ** 0.5 + 1, trial)

    def test_latency_is_measured_at_the_load(self):
        loads = [trial for trial in self.results["trials"] if trial["purpose"] == "load"]
        self.assertTrue(loads)
        for trial in loads:
            self.assertEqual(0.5, trial["load"])
            values = [trial[f"latency_{name}_ns"] for name in ("p50", "p99", "p999", "max")]
            self.assertGreater(values[0], 0)
            self.assertEqual(sorted(values), values)

    def test_an_engine_that_is_not_here_is_a_row_with_the_reason(self):
        [row] = [row for row in self.results["engines"] if row["name"] == "pf_ring"]
        self.assertTrue(row["why"] and row["needs"], row)
        self.assertIn("pf_ring", self.run_of.stdout)

    def test_commands_are_those_that_were_run(self):
        for row in self.results["engines"]:
            if row["name"] in ENGINES:
                self.assertIn("--port lan=lan0 --port wan=wan0", row["commands"][0])
                self.assertIn("policy-loss-10%.json", row["commands"][0])

    def test_the_page_has_the_same_figures_and_needs_nothing_else(self):
        page = (self.report / "index.html").read_text()
        data = re.search(r'<script type="application/json" id="results">(.*?)</script>', page, re.S)[1]
        self.assertEqual(self.results, json.loads(data))
        section = re.search(r'<section id="throughput">(.*?)</section>', page, re.S)[1]
        rows = {html.unescape(cells[0]): cells for cells in
                (re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", section))
                if cells}
        for throughput in self.results["throughputs"]:
            shown = re.fullmatch(r"(?:at least )?([\d.]+) ([kM]?)pps", rows[throughput["engine"]][3])
            value = float(shown[1]) * {"": 1, "k": 1e3, "M": 1e6}[shown[2]]
            self.assertAlmostEqual(1, value / throughput["pps"], delta=0.006)
        self.assertNotRegex(page, r"\b(src|href)=|url\(|@import")

    def test_csv_has_a_line_for_each_trial(self):
        with open(self.report / "results.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([str(trial["sent_packets"]) for trial in self.results["trials"]],
                         [row["sent_packets"] for row in rows])

    def test_nothing_is_left_behind(self):
        self.assertEqual([], left_behind())
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertNotRegex(links, "gen0|lan0|wan0|rcv0")


class WholeRunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.report = pathlib.Path(self.folder.name) / "report"
        self.tiny = [*TINY, "--engine", "xdp-redirect", "--load-repetitions", "0", "--report", str(self.report)]

    def results(self):
        return json.loads((self.report / "results.json").read_text())

    def test_a_run_goes_on_and_two_runs_are_compared(self):
        first = compare(*self.tiny, "--repetitions", "1")
        self.assertEqual(0, first.returncode, first.stderr)
        before = self.results()
        more = compare(*self.tiny, "--repetitions", "2", "--resume")
        self.assertEqual(0, more.returncode, more.stderr)
        after = self.results()
        self.assertEqual(before["throughputs"], after["throughputs"][:1])
        self.assertEqual([0, 1], [row["repetition"] for row in after["throughputs"]])
        other = compare(*self.tiny, "--flows", "9", "--resume")
        self.assertEqual(2, other.returncode)
        self.assertIn("other options", other.stderr)
        again = compare(*self.tiny, "--repetitions", "1", "--against", str(self.report / "results.json"), "--json")
        self.assertEqual(0, again.returncode, again.stderr)
        self.assertEqual(1, len(json.loads(again.stdout)["throughputs"]))
        self.assertEqual(after, json.loads((self.report / "results.previous.json").read_text()))
        self.assertIn('id="against"', (self.report / "index.html").read_text())

    def test_every_yardstick_conserves_its_packets(self):
        """Frames end at the receiver, at the generator (xdp-tx), or in the engine (xdp-drop)."""
        names = ["xdp-drop", "xdp-tx", "xdp-dilih", "route", "bridge"]
        run = compare(*TINY, "--engine", ",".join(names), "--repetitions", "1",
                      "--report", str(self.report))
        self.assertEqual(0, run.returncode, run.stderr)
        results = self.results()
        self.assertEqual([], [row for row in results["engines"] if row.get("why")])
        self.assertEqual(names, [row["engine"] for row in results["throughputs"]])
        for trial in results["trials"]:
            self.assertEqual(0, trial["unexplained_packets"], trial)
        with_latency = {trial["engine"] for trial in results["trials"] if trial["purpose"] == "load"}
        self.assertLessEqual(with_latency, {"xdp-dilih", "route", "bridge"})
        dilih = [trial for trial in results["trials"] if trial["engine"] == "xdp-dilih"]
        lost = sum(trial["policy_packets"] for trial in dilih)
        decided = lost + sum(trial["received_packets"] + trial["tx_ring_packets"] for trial in dilih)
        self.assertLess(abs(lost - decided / 2), 5 * (decided / 4) ** 0.5)  # five standard deviations

    def start(self):
        """A long run, once it has measured a case."""
        run = subprocess.Popen([TWINPATH, "compare", POLICY, *self.tiny, "--repetitions", "100"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.kill)
        for line in run.stdout:
            if line.startswith(b"xdp-redirect"):
                return run
        raise AssertionError("nothing was measured")

    def test_a_signal_ends_the_run_and_leaves_what_it_has(self):
        run = self.start()
        run.send_signal(signal.SIGTERM)
        output = run.stdout.read().decode()
        self.assertEqual(0, run.wait(100), output)
        self.assertIn("interrupted", output)
        self.assertFalse(self.results()["complete"])
        self.assertTrue(self.results()["throughputs"])
        wait_for("the end of everything", lambda: not left_behind())

    def test_kill_9_leaves_nothing_behind(self):
        run = self.start()
        self.assertTrue(left_behind())
        run.kill()
        run.wait(100)
        wait_for("the end of everything", lambda: not left_behind())
        self.assertTrue(self.results()["throughputs"])


class WrongUsageTest(unittest.TestCase):
    def test_mistakes_are_named_and_touch_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "report")
            bad = os.path.join(folder, "bad.json")
            pathlib.Path(bad).write_text('{"version": 1, "default": {"forward": {"port": "dmz"}}}', encoding="utf-8")
            for arguments, words in (
                    (["--engine", "vpp"], "there is no engine vpp; there are: xdp-native"),
                    (["--size", "59"], "--size: /sizes/0: found 59, allowed an integer from 60"),
                    (["--trial", "1"], "--trial: /trial: found 1, allowed a duration"),
                    (["--profile", bad], "bad.json: "),
                    (["--against", bad], "is not a result of twinpath compare"),
                    (["--resume"], "results.json"),
                    (["--port", "lan=eth9"], "are given together"),
                    (["--port", "dmz=eth9"], "allowed lan and wan"),
                    (["--programs", folder], "no program twinpath in")):
                with self.subTest(arguments):
                    run = compare(*arguments, "--report", report)
                    self.assertEqual(2, run.returncode, run.stderr)
                    self.assertIn(words, run.stderr)
                    self.assertEqual(1, run.stderr.count("\n"))
            run = compare("--report", report, policy=bad)
            self.assertEqual(2, run.returncode)
            self.assertIn("the policy names dmz", run.stderr)

    def test_without_capabilities_it_says_what_it_needs(self):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", TWINPATH, "compare",
                                  POLICY, "--report", folder],
                                 capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(2, run.returncode)
        self.assertIn("run it as root", run.stderr)
        wait_for("the end of everything", lambda: not left_behind())


isolation.require()
unittest.main(verbosity=2)
