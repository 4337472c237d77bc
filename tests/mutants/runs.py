# SPDX-License-Identifier: BSD-3-Clause
"""Builds the mutated tree's unit tests, learns which test evaluates which mutant, and runs them.

A mutant costs a run of its near tests until one fails. So the order of the tests decides how long it
takes: first what killed this mutant last time, then the tests that killed most, then the quick ones,
then the slow ones. The tree's folder keeps the first two (killers.json), and what was learnt about the
tests for as long as the programs are the same (baseline.json). All seconds are of CPU time, so that a busy
machine kills no mutant."""
import base64
import collections
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import zlib

PROGRAMS = ("engine_tests", "policy_tests")
TOO_LONG = (-signal.SIGXCPU, -signal.SIGKILL)
SLACK = 2  # seconds that tests may take longer than five times what they take without a mutant
TIERS = (0.3, 1.5, 6.0, float("inf"))  # tests of up to so many seconds run together
FAVOURITES = 4


@dataclasses.dataclass
class Test:
    program: pathlib.Path
    name: str
    seconds: float
    touched: bytes  # a byte for each mutant


def build(copy):
    folder = copy / "build"
    if not (folder / "build.ninja").is_file():
        subprocess.run(["meson", "setup", "-Dwerror=false", "-Dcpp_args=-w -Wno-narrowing", folder, copy],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, *(f"tests/unit/{program}" for program in PROGRAMS)], check=True)


def run(program, names, mutant=0, touched=None, seconds=600.0, **keywords):
    """The exit status and the output. The program gets a signal if it takes more than `seconds`."""
    environment = {**os.environ, "MUTANT": str(mutant)}
    if touched:
        environment["MUTANT_TOUCHED"] = touched
    done = subprocess.run(["prlimit", f"--cpu={math.ceil(seconds)}", program, f"--gtest_filter={':'.join(names)}",
                           "--gtest_fail_fast"], env=environment, check=False, **keywords)
    return done.returncode, done.stdout


def names_of(program):
    listed = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, check=True)
    suite = ""
    for line in listed.stdout.splitlines():
        line = line.split("#")[0].rstrip()
        if line.endswith("."):
            suite = line
        elif line.startswith("  "):
            yield suite + line.strip()


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(program, name, mutants, within):
    """A test alone, without a live mutant. One that takes too long has infinite seconds."""
    with tempfile.NamedTemporaryFile() as touched:
        began = cpu_seconds()
        status, _ = run(program, [name], touched=touched.name, seconds=min(within, 600), stdout=subprocess.DEVNULL)
        if status in TOO_LONG and within < 600:
            return Test(program, name, math.inf, b"")
        if status != 0:
            raise subprocess.CalledProcessError(status, [str(program), name])
        return Test(program, name, cpu_seconds() - began, pathlib.Path(touched.name).read_bytes()[:mutants + 1])


def baseline(copy, mutants, within):
    """Every test that takes at most `within` seconds, quickest first."""
    programs = [copy / "build/tests/unit" / name for name in PROGRAMS]
    digest = hashlib.sha256(b"".join(program.read_bytes() for program in programs)).hexdigest()
    file = copy.parent / "baseline.json"
    known = json.loads(file.read_text()) if file.is_file() else {}
    before = {name: Test(pathlib.Path(program), name, seconds, zlib.decompress(base64.b64decode(touched)))
              for program, name, seconds, touched in known.get("tests", ()) if known["digest"] == digest}
    tests = []
    for program in programs:
        for name in names_of(program):
            if name not in before or (before[name].seconds == math.inf and within == math.inf):
                before[name] = measured(program, name, mutants, within)
            tests.append(before[name])
    tests.sort(key=lambda test: test.seconds)
    file.write_text(json.dumps({"digest": digest, "tests": [
        (str(t.program), t.name, t.seconds, base64.b64encode(zlib.compress(t.touched)).decode()) for t in tests]}))
    return [test for test in tests if test.seconds <= within]


class Killers:
    """Which test killed which mutant, by the mutant's text without its number."""

    def __init__(self, copy):
        self.file = copy.parent / "killers.json"
        self.last = json.loads(self.file.read_text()) if self.file.is_file() else {}
        self.count = collections.Counter(self.last.values())

    def add(self, mutant, name):
        self.last[str(mutant).split(" ", 1)[1]] = name
        self.count[name] += 1

    def order(self, near, mutant):
        """Batches of tests, each of one program, by the chance that they kill for their time."""
        last = self.last.get(str(mutant).split(" ", 1)[1])
        first = [test for test in near if test.name == last]
        favourites = sorted((t for t in near if t.seconds < TIERS[0] and t.name != last and self.count[t.name]),
                            key=lambda t: -self.count[t.name])[:FAVOURITES]
        rest = [test for test in near if test not in first and test not in favourites]
        tiers = [[t for t in rest if low <= t.seconds < high] for low, high in zip((0.0,) + TIERS, TIERS)]
        for tier in (first, favourites, *tiers):
            for program in dict.fromkeys(test.program for test in tier):
                yield [test for test in tier if test.program == program]

    def save(self):
        self.file.write_text(json.dumps(self.last, indent=0, sort_keys=True))


def killer(tests, killers, mutant):
    """A test that fails with this mutant; "": none does."""
    near = [test for test in tests if test.touched[mutant.number]]
    for batch in killers.order(near, mutant):
        seconds = SLACK + 5 * sum(test.seconds for test in batch)
        status, output = run(batch[0].program, [t.name for t in batch], mutant.number, seconds=seconds,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if status != 0:
            failed = re.findall(rb"^\[  FAILED  \] (\S+)", output, re.MULTILINE)
            began = re.findall(rb"^\[ RUN      \] (\S+)", output, re.MULTILINE)  # it may have ended by a signal
            name = failed[0].decode() if failed else began[-1].decode() if began else batch[0].name
            killers.add(mutant, name)
            return name
    return ""


def show(copy, tests, mutant):
    for program in PROGRAMS:
        names = [t.name for t in tests if t.program.name == program and t.touched[mutant]]
        if names and run(copy / "build/tests/unit" / program, names, mutant)[0] != 0:
            return 0
    return 1
