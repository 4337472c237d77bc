#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Behaviour that all programs share: the times before their log lines, SIGHUP, and the options that choose a
running program.

  alike_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SPLICE TWINPATH_SOCKET
"""
import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import dpdk_lab
import isolation
from wait import wait_for

isolation.require()
TWINPATH, DPDK, XDP, SPLICE, SOCKET = (os.path.abspath(path) for path in sys.argv[1:6])
del sys.argv[1:]
DAEMONS = ([DPDK, "--port", "a=net_null0", "--forward", "drop", "--no-huge"],
           [XDP, "--port", "lan=lan", "--forward", "drop"],
           [SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
           [SOCKET, "--port", "lan=lan", "--forward", "drop"])
SUBCOMMANDS = "check, explain, parity, reload, set, stats, top, doctor, generate, receive, compare, sweep"
LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}) \[(\d+\.\d{6})\] (twinpath-\w+): \S")


def twinpath(*arguments):
    return subprocess.run([TWINPATH, *arguments], capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def running(command, journal=None, prefix=None):
    """The program and the file of its log, once it runs. `journal` makes JOURNAL_STREAM of the log's status."""
    with tempfile.NamedTemporaryFile("r") as log:
        status = os.stat(log.name)
        environment = {**os.environ, **({"JOURNAL_STREAM": journal(status)} if journal else {})}
        with open(log.name, "w") as output, \
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output, env=environment) as process:
            try:
                prefix = prefix or os.path.basename(command[0])
                wait_for("the start", lambda: twinpath("stats", "-f", prefix).returncode == 0)
                wait_for("a line", lambda: os.stat(log.name).st_size > 0)
                yield process, pathlib.Path(log.name)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0, pathlib.Path(log.name).read_text()
            finally:
                process.kill()


# A command line of each subcommand with --json that is wrong, and one that fails later.
MISTAKES = (
    ("check", (), ("policy.json", "--port", "a b")),
    ("explain", (), ("--running", "--five-tuple", "udp 10.0.0.1:1 10.0.0.2:2")),
    ("parity", ("nope.json",), ("policy.json", "nope.pcap")),
    ("reload", (), ("policy.json", "-f", "nothing")),
    ("set", ("--rule", "a"), ("--rule", "a", "--loss", "5%", "-f", "nothing")),
    ("stats", ("--nope",), ("-f", "nothing")),
    ("doctor", ("--nope",), ("--profile", "nope.json")),
    ("generate", ("--nope",), ("--port", "nope", "--rate", "1pps")),
    ("receive", ("--nope",), ("--port", "nope")),
    ("compare", ("--nope",), ("nope.json",)))


class AlikeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        dpdk_lab.veth("lan", "gen")

    def test_log_lines_have_both_times(self):
        for command in DAEMONS:
            with self.subTest(command[0]):
                before = (time.time() - 0.001, time.monotonic())
                with running(command) as (_, log):
                    lines = log.read_text().splitlines()
                for line in lines:
                    found = LINE.match(line)
                    self.assertIsNotNone(found, line)
                    wall, monotonic, program = found.groups()
                    self.assertEqual(os.path.basename(command[0]), program)
                    wall = datetime.datetime.strptime(wall, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
                    self.assertTrue(before[0] <= wall <= time.time())
                    self.assertTrue(before[1] <= float(monotonic) <= time.monotonic())

    def test_every_subcommand_prints_errors_as_json(self):
        subcommands = re.findall(r"^  (\w+)  +", twinpath("--help").stdout.split("Subcommands:")[1], re.M)
        # That of sweep has a file, because its command's output is on stdout.
        with_json = [name for name in subcommands if re.search("--json (?!FILE)", twinpath(name, "--help").stdout)]
        self.assertEqual(sorted(with_json), sorted(name for name, *_ in MISTAKES))
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            pathlib.Path("policy.json").write_text('{"version": 1}')
            for name, *lines in MISTAKES:
                for arguments in lines:
                    with self.subTest(name, arguments=arguments):
                        plain = twinpath(name, *arguments)
                        ran = twinpath(name, *arguments, "--json")
                        self.assertIn(ran.returncode, (1, 2))
                        self.assertEqual((plain.returncode, plain.stderr), (ran.returncode, ran.stderr))
                        program, message = ran.stderr.rstrip("\n").split(": ", 1)
                        self.assertIn(program, ("twinpath", f"twinpath {name}"))
                        self.assertEqual(json.dumps({"error": message}, separators=(",", ":"), ensure_ascii=False) + "\n",
                                         ran.stdout)

    def test_the_journal_adds_the_times_itself(self):
        for command in DAEMONS:
            for journal, stamped in ((lambda file: f"{file.st_dev}:{file.st_ino}", False),
                                     (lambda file: f"{file.st_dev}:{file.st_ino + 1}", True)):
                with self.subTest(command[0], stamped=stamped), running(command, journal) as (_, log):
                    line = log.read_text().splitlines()[0]
                    self.assertEqual(stamped, LINE.match(line) is not None, line)
                    self.assertEqual(not stamped, line.startswith(os.path.basename(command[0]) + ": "), line)

    def test_sighup_without_a_policy_changes_nothing(self):
        for command in DAEMONS:
            with self.subTest(command[0]), running(command) as (process, log):
                for count in (1, 2):
                    process.send_signal(signal.SIGHUP)
                    wait_for("the answer", lambda: log.read_text().count(" SIGHUP: there is no policy") >= count)
                self.assertIsNone(process.poll())

    def test_options_that_choose_a_program(self):
        with running(DAEMONS[1]), running(DAEMONS[2]), tempfile.TemporaryDirectory() as folder:
            policy = pathlib.Path(folder, "policy.json")
            policy.write_text('{"version": 1}')
            for chosen in (["-f", "twinpath-xdp"], ["--file-prefix", "twinpath-xdp"], ["--path", "xdp"]):
                self.assertEqual("xdp", json.loads(twinpath("stats", "--json", *chosen).stdout)["path"])
                self.assertEqual(0, twinpath("reload", str(policy), *chosen).returncode)
                top = subprocess.Popen([TWINPATH, "top", "0.1", *chosen], stdout=subprocess.PIPE, text=True)
                while "Per second" not in (line := top.stdout.readline()):
                    self.assertNotIn("splice", line)
                top.send_signal(signal.SIGINT)
                top.communicate(timeout=30)
                self.assertEqual(0, top.returncode)
            self.assertEqual("splice", json.loads(twinpath("stats", "--json", "--path", "splice").stdout)["path"])
            for command in (["stats"], ["top"], ["reload", str(policy)]):
                wrong = twinpath(*command, "--path", "xdp", "-f", "twinpath-xdp")
                self.assertEqual((2, f"twinpath {command[0]}: --path and --file-prefix are mutually exclusive\n"),
                                 (wrong.returncode, wrong.stderr))

    def test_wrong_command_lines_are_said_in_one_form(self):
        seconds = "a number of seconds from 0.001 to 1000000000"
        for command, given, file_prefix in (
                *((command[:1], command[1:], True) for command in DAEMONS),
                *(([TWINPATH, name], given, name not in ("check", "parity", "doctor", "generate", "receive", "compare"))
                  for name, given in (("check", ["p"]), ("explain", ["p"]), ("parity", ["p", "c"]), ("reload", ["p"]),
                                      ("set", ["--rule", "r", "--loss", "1"]), ("stats", []), ("top", []),
                                      ("doctor", []), ("generate", ["--port", "p"]), ("receive", []),
                                      ("compare", ["p"])))):
            name = " ".join([os.path.basename(command[0]), *command[1:]])
            wrong = [(["--zzz=7"], f"--zzz: found an unknown option, allowed those of {name} --help"),
                     (["--hlep"], f'--hlep: found an unknown option, allowed those of {name} --help; did you mean '
                                  '"--help"?')]
            if name not in ("twinpath top", "twinpath parity"):  # these take more words
                wrong.append((["one", "two", "three"] if name == "twinpath explain" else ["one"],
                              f'found "{"two" if name == "twinpath explain" else "one"}", allowed no further argument '
                              f"(see {name} --help)"))
            if file_prefix:
                wrong.append((["--file-prefix"], "--file-prefix: found no value, allowed "
                              + ("NAME" if name.startswith("twinpath-") else "PREFIX")))
            if len(command) == 1 or command[1] in ("generate", "receive"):
                wrong += [(["--duration", "0"], f'--duration: found "0", allowed {seconds}'),
                          (["--duration", "1x"], f'--duration: found "1x", allowed {seconds}'),
                          (["--duration"], f"--duration: found no value, allowed {seconds}"),
                          (["--duration", "1", "--duration", "2"], "--duration: found 2 values, allowed one")]
            for arguments, said in wrong:
                with self.subTest(name, arguments=arguments):
                    if name == "twinpath explain" and arguments[0] == "one":
                        given = []
                    self.check_wrong([*command, *given, *arguments], f"{name}: {said}\n")
        for command, said in (
                ([XDP], "twinpath-xdp: --port is required (see twinpath-xdp --help)\n"),
                ([XDP, "--port"], "twinpath-xdp: --port: found no value, allowed NAME=IFACE\n"),
                ([XDP, "--port", "a=b", "--pin=x"], "twinpath-xdp: --pin: found a value, allowed none\n"),
                ([XDP, "--port", "a=b", "--match", "proto=udp"], "twinpath-xdp: --match requires --loss\n"),
                ([XDP, "--port", "a=b", "--mode", "fast"],
                 'twinpath-xdp: --mode: found "fast", allowed auto, native, generic\n'),
                ([XDP, "--port", "a=b", "--mode"],
                 "twinpath-xdp: --mode: found no value, allowed auto, native, generic\n"),
                ([DPDK, "--queues", "-1"], 'twinpath-dpdk: --queues: found "-1", allowed an integer from 1 to 64\n'),
                ([SOCKET, "--port", "a=b", "--queues", "1.5"],
                 'twinpath-socket: --queues: found "1.5", allowed an integer from 1 to 64\n'),
                ([SPLICE, *DAEMONS[2][1:], "--workers", "257"],
                 'twinpath-splice: --workers: found "257", allowed an integer from 1 to 256\n'),
                ([TWINPATH, "stats", "--watch", "nan"],
                 'twinpath stats: --watch: found "nan", allowed a number from 0.1 to 86400\n'),
                ([TWINPATH, "top", "0"], 'twinpath top: SECONDS: found "0", allowed a number from 0.1 to 86400\n'),
                ([TWINPATH, "stats", "--path", "x"],
                 'twinpath stats: --path: found "x", allowed dpdk, xdp, socket, splice\n'),
                ([TWINPATH, "generate", "--port", "p", "--stream", "256"],
                 'twinpath generate: --stream: found "256", allowed an integer from 0 to 255\n'),
                ([TWINPATH, "generate", "--port", "p", "--speed", "x"],
                 'twinpath generate: --speed: found "x", allowed a number from 0 to 1000000\n'),
                ([TWINPATH, "chekc"], f'twinpath: found "chekc", allowed a subcommand: {SUBCOMMANDS}; did you mean '
                                      '"check"?\n'),
                ([TWINPATH], f"twinpath: a subcommand is required: {SUBCOMMANDS} (see twinpath --help)\n"),
                ([TWINPATH, "--verison"], "twinpath: --verison: found an unknown option, allowed those of twinpath --help; "
                                          'did you mean "--version"?\n')):
            with self.subTest(command=command):
                self.check_wrong(command, said)

    def check_wrong(self, command, said):
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((2, said, ""), (run.returncode, run.stderr, run.stdout))

    def test_eal_arguments_that_have_options(self):
        command = [*DAEMONS[0], "--file-prefix", "alike"]
        with running(command, prefix="alike"):
            self.assertTrue(os.path.exists("/run/dpdk/alike/twinpath_control"))
        with running([*DAEMONS[0], "--", "--no-huge", "--file-prefix=alike"], prefix="alike"):
            pass
        twice = subprocess.run([*command, "--", "--file-prefix", "other"], capture_output=True, text=True, timeout=60)
        self.assertEqual((2, "twinpath-dpdk: --file-prefix is given twice: before -- and after it\n"),
                         (twice.returncode, twice.stderr))

    def test_help_has_groups_and_every_default(self):
        for command in DAEMONS:
            shown = subprocess.run([command[0], "--help"], capture_output=True, text=True, timeout=60).stdout
            groups = re.findall(r"^(\S.*):$", shown, re.MULTILINE)
            self.assertGreaterEqual(len(groups), 4, shown)
            self.assertNotIn("Options", groups)
            self.assertNotRegex(shown, r"\bU?INT\b|FLOAT")  # CLI11's types
            self.assertEqual("Other", groups[-1])
            for entry in re.split(r"\n(?=  -)", shown.partition(f"\n{groups[0]}:\n")[2]):
                if not re.match(r" *(-h|--version|--port|--listen|--to|--profile) ?", entry):
                    self.assertRegex(entry, r"[Dd]efault|\[.+\]|=", entry)


unittest.main(verbosity=2)
