#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of build folders with `meson test`, and counts the results.

Every case of a GoogleTest program counts (meson's JUnit report has them); any other test counts
once. A program that fails without a failed case (a crash, a timeout, a leak) is one failure. A skipped
test is a failure, too, unless MAY_SKIP names it, because nobody notices when a test stops running.

meson runs the tests in the order of the build files, which name the longest tests first.
"""
import argparse
import fnmatch
import json
import pathlib
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# Tests that may be skipped: name -> reason.
MAY_SKIP = {}

PASSED = {"OK", "EXPECTEDFAIL"}
# How Python's unittest ends a run in which it skipped tests: "OK (skipped=2)".
UNITTEST_SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*\bskipped=(\d+)", re.MULTILINE)


class Counts:
    """Numbers of tests or cases, by result."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed,
                      self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def all(self):
        return self.passed + self.failed + self.skipped


def chosen_tests(folder, suite, without, pattern):
    """Returns the names of the tests of `folder` that are in `suite` (if given), not in `without` (if
    given), and match `pattern` (if given)."""
    listing = subprocess.run(["meson", "introspect", "--tests", folder], check=True,
                             capture_output=True, text=True).stdout
    names = []
    for test in json.loads(listing):
        suites = [name.split(":")[-1] for name in test["suite"]]
        if (suite and suite not in suites) or without in suites:
            continue
        label = "/".join(suites) + "/" + test["name"]
        if pattern and pattern not in label and not fnmatch.fnmatch(label, pattern):
            continue
        names.append(test["name"])
    return names


def cases_of(report, names):
    """Returns a map from test to Counts of its cases, for those of `names` that reported cases."""
    counts = {}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        # meson names a suite PROJECT.TEST.SUITE, or PROJECT if it holds the tests without cases.
        name = next((name for name in names if suite.get("name").startswith(f"twinpath.{name}.")),
                    None)
        if name is None:
            continue
        found = counts.setdefault(name, Counts())
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                found.failed += 1
            elif case.find("skipped") is not None:
                found.skipped += 1
            elif case.get("status") != "notrun":
                found.passed += 1
    return counts


def count(test, cases):
    """Returns the Counts of one test, from its line in meson's log and the cases that it reported."""
    found = Counts() + cases
    if test["result"] == "SKIP":
        found.skipped = max(found.skipped, 1)
    elif test["result"] in PASSED:
        found.passed += not found.all()
        hidden = UNITTEST_SKIPPED.search(test.get("stderr", "") + test.get("stdout", ""))
        found.skipped += int(hidden[1]) if hidden else 0
    else:
        found.failed += not found.failed
    if found.skipped and test["name"] in MAY_SKIP:
        print(f"{test['name']}: {found.skipped} skipped: {MAY_SKIP[test['name']]}")
    elif found.skipped:
        print(f"{test['name']}: {found.skipped} skipped, which counts as a failure: MAY_SKIP in "
              "tools/run_tests.py does not name this test", file=sys.stderr)
        found.failed, found.skipped = found.failed + found.skipped, 0
    return found


def run_meson(command):
    """Runs `meson test`. SIGTERM to this program ends meson, which ends the tests."""
    with subprocess.Popen(command) as meson:
        def terminate(*_):
            meson.terminate()
            meson.wait()
            sys.exit(143)

        signal.signal(signal.SIGTERM, terminate)
        meson.wait()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def run_folder(folder, names, jobs, logs):
    """Runs some tests of one build folder. The names of meson's logs begin with `logs`."""
    if not names:
        return Counts()
    print(f"\n{folder}: {len(names)} tests", flush=True)
    log = pathlib.Path(folder, "meson-logs", logs + ".json")
    log.unlink(missing_ok=True)
    run_meson(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--logbase", logs,
               "--num-processes", str(jobs), "--timeout-multiplier", "4"]
              + ["twinpath:" + name for name in names])
    if not log.exists():
        return Counts(failed=len(names))
    results = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    cases = cases_of(log.with_suffix(".junit.xml"), [test["name"] for test in results])
    counts = Counts(failed=max(0, len(names) - len(results)))
    for test in results:
        counts += count(test, cases.get(test["name"], Counts()))
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", metavar="PATTERN",
                        help="part of a test's name, or a glob")
    parser.add_argument("--without", default="", metavar="SUITE", help="leave this suite out")
    parser.add_argument("--jobs", type=int, default=2, help="tests that run at once")
    parser.add_argument("--logs", default="testlog", metavar="NAME",
                        help="begins the names of meson's logs")
    parser.add_argument("--save", metavar="FILE", help="write the counts to a file, print no summary")
    parser.add_argument("--add", metavar="FILE", action="append", default=[],
                        help="add the counts that --save wrote; no such file is one failure")
    parser.add_argument("folders", nargs="*", help="build folder, or FOLDER:SUITE")
    arguments = parser.parse_args()
    total = Counts()
    for folder in arguments.folders:
        name, _, suite = folder.partition(":")
        names = chosen_tests(name, suite, arguments.without, arguments.filter)
        total += run_folder(name, names, arguments.jobs, arguments.logs)
    for file in map(pathlib.Path, arguments.add):
        total += Counts(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else Counts(failed=1)
    if arguments.save:
        pathlib.Path(arguments.save).write_text(json.dumps(vars(total)), encoding="utf-8")
        return 1 if total.failed else 0
    if not total.all():
        print(f"No test matches '{arguments.filter}'.")
    print(f"\n{total}", flush=True)
    return 1 if total.failed or not total.all() else 0


sys.exit(main())
