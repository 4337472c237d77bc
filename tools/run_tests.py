#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of build folders by `meson test`, and counts what it reports.

A GoogleTest program counts by its cases (meson's JUnit report), any other test as one. A program
that reports no failed case and still fails -- a crash, a time-out, a leak -- is one failure.
"""
import argparse
import fnmatch
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

PASSED = {"OK", "EXPECTEDFAIL"}


def chosen_tests(folder, suite, pattern):
    """Names of the tests of `folder` that are in `suite` (if any) and match `pattern` (if any)."""
    listing = subprocess.run(["meson", "introspect", "--tests", folder], check=True,
                             capture_output=True, text=True).stdout
    names = []
    for test in json.loads(listing):
        suites = [name.split(":")[-1] for name in test["suite"]]
        if suite and suite not in suites:
            continue
        label = "/".join(suites) + "/" + test["name"]
        if pattern and pattern not in label and not fnmatch.fnmatch(label, pattern):
            continue
        names.append(test["name"])
    return names


def cases_of(folder, names):
    """Test name -> (passed, failed, skipped) cases, for those of `names` that reported cases."""
    counts = {}
    report = pathlib.Path(folder, "meson-logs/testlog.junit.xml")
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        # meson names it PROJECT.TEST.SUITE, or PROJECT, which holds the tests without cases.
        name = next((name for name in names if suite.get("name").startswith(f"twinpath.{name}.")),
                    None)
        if name is None:
            continue
        passed, failed, skipped = counts.get(name, (0, 0, 0))
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None:
                skipped += 1
            elif case.get("status") != "notrun":
                passed += 1
        counts[name] = (passed, failed, skipped)
    return counts


def run_folder(folder, suite, pattern, jobs):
    """Runs one build folder's tests. Returns (passed, failed, skipped)."""
    names = chosen_tests(folder, suite, pattern)
    if not names:
        return 0, 0, 0
    print(f"\n{folder}: {len(names)} tests", flush=True)
    log = pathlib.Path(folder, "meson-logs/testlog.json")
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                    "--num-processes", str(jobs), "--timeout-multiplier", "4"] + ["twinpath:" + name for name in names],
                   check=False)
    if not log.exists():
        return 0, len(names), 0
    results = {}
    for line in log.read_text().splitlines():
        test = json.loads(line)
        results[test["name"]] = test["result"]
    cases = cases_of(folder, results)
    passed = skipped = 0
    failed = max(0, len(names) - len(results))
    for name, result in results.items():
        ok, bad, left_out = cases.get(name, (0, 0, 0))
        if result == "SKIP":
            left_out = max(left_out, 1)
        elif result in PASSED:
            ok += not (ok or bad or left_out)
        else:
            bad += not bad
        passed, failed, skipped = passed + ok, failed + bad, skipped + left_out
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filter", default="", help="part of a test's name, or a glob")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("folders", nargs="+", help="build folder, or FOLDER:SUITE")
    arguments = parser.parse_args()
    total = [0, 0, 0]
    for folder in arguments.folders:
        name, _, suite = folder.partition(":")
        counts = run_folder(name, suite, arguments.filter, arguments.jobs)
        total = [a + b for a, b in zip(total, counts)]
    if not any(total):
        print(f"No test matches '{arguments.filter}'.")
    print()
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    return 1 if total[1] or not any(total) else 0


sys.exit(main())
