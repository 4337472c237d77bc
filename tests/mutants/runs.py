# SPDX-License-Identifier: BSD-3-Clause
"""Builds the mutated tree's unit tests, learns which test evaluates which mutant, and runs them."""
import dataclasses
import os
import pathlib
import subprocess
import tempfile
import time

PROGRAMS = ("engine_tests", "policy_tests")
SLACK = 10.0  # seconds that a test may take longer than without a mutant


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


def run(program, names, mutant=0, touched=None, timeout=600.0, **keywords):
    """The exit status; None: it took too long."""
    environment = {**os.environ, "MUTANT": str(mutant)}
    if touched:
        environment["MUTANT_TOUCHED"] = touched
    try:
        return subprocess.run([program, f"--gtest_filter={':'.join(names)}", "--gtest_fail_fast"], env=environment,
                              timeout=timeout, check=False, **keywords).returncode
    except subprocess.TimeoutExpired:
        return None


def names_of(program):
    listed = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, check=True)
    suite = ""
    for line in listed.stdout.splitlines():
        line = line.split("#")[0].rstrip()
        if line.endswith("."):
            suite = line
        elif line.startswith("  "):
            yield suite + line.strip()


def baseline(copy, mutants):
    """Every test alone, without a live mutant, quickest first."""
    tests = []
    for name in PROGRAMS:
        program = copy / "build/tests/unit" / name
        for test in names_of(program):
            with tempfile.NamedTemporaryFile() as file:
                began = time.monotonic()
                status = run(program, [test], touched=file.name, stdout=subprocess.DEVNULL)
                if status != 0:
                    raise subprocess.CalledProcessError(status or 1, [str(program), test])
                touched = pathlib.Path(file.name).read_bytes()[:mutants + 1]
            tests.append(Test(program, test, time.monotonic() - began, touched))
    return sorted(tests, key=lambda test: test.seconds)


def killer(tests, mutant):
    """A test program that fails with this mutant, quick tests first; "": none does."""
    near = [test for test in tests if test.touched[mutant]]
    for quick in (True, False):
        for program in dict.fromkeys(test.program for test in near):
            some = [t for t in near if t.program == program and (t.seconds < 0.2) == quick]
            if not some:
                continue
            timeout = SLACK + 5 * sum(test.seconds for test in some)
            status = run(program, [t.name for t in some], mutant, timeout=timeout, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
            if status != 0:
                return program.name
    return ""


def show(copy, tests, mutant):
    for program in PROGRAMS:
        names = [t.name for t in tests if t.program.name == program and t.touched[mutant]]
        if names and run(copy / "build/tests/unit" / program, names, mutant) != 0:
            return 0
    return 1
