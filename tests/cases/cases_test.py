#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every case on both paths, the compiled XDP program and the DPDK worker, by `twinpath parity --verdicts`.
Each folder here is a case: a policy, the frames that are sent, and the expected result for each frame.
README.md describes the files.

  cases_test.py TWINPATH [CASE]...
"""
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

import captures

CASES = pathlib.Path(__file__).resolve().parent
TWINPATH = sys.argv[1]
WANTED = sys.argv[2:]
SECOND = 1_000_000  # microseconds, a capture's unit of time


class Frame:
    """A frame that is sent: its bytes, the port that receives it, and its arrival in microseconds."""

    def __init__(self, data, port, at):
        self.data, self.port, self.at = data, port, at


def lines_of(path):
    """Yields (place, words) for each line that is not just a comment."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = shlex.split(line, comments=True)
        if words:
            yield f"{path}:{number}", words


def read_frames(path):
    """The frames of a send.txt, in order."""
    frames, options, data = [], None, b""

    def finish():
        if options is not None:
            frames.extend([Frame(data, options["port"], int(float(options["at"]) * SECOND))]
                          * int(options["times"]))
    for place, words in lines_of(path):
        if words[0] == "frame":
            finish()
            options, data = {"port": None, "at": "0", "times": "1"}, b""
            for word in words[1:]:
                key, _, value = word.partition("=")
                assert key in options and value, f"{place}: found {word}, allowed port=, at=, times="
                options[key] = value
        else:
            assert options is not None, f"{place}: bytes before the first frame"
            data += bytes.fromhex("".join(words))
    finish()
    return frames


def numbers_of(text):
    """The frame numbers of a list such as "1,3-5", counted from 1."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def read_expectations(path, frames):
    """Returns a map from a frame's number to (rule, verdict, out port, forwarded bytes), from an expect.txt."""
    expected, numbers = {}, []
    for place, words in lines_of(path):
        if words[0].endswith(":"):
            numbers = list(numbers_of(words[0][:-1]))
            rule, verdict, port = (words[1:] + ["-"])[:3]
            assert not expected.keys() & set(numbers), f"{place}: a frame has two expectations"
            for number in numbers:
                leaves = bytearray(frames[number - 1].data) if verdict in ("tx", "pass") else None
                expected[number] = (None if rule == "-" else rule, verdict,
                                    None if port == "-" else port, leaves)
        else:  # "at OFFSET HEX": bytes that the path changes
            assert words[0] == "at" and numbers, f"{place}: found {words[0]}, allowed at OFFSET HEX"
            offset, data = int(words[1]), bytes.fromhex("".join(words[2:]))
            for number in numbers:
                expected[number][3][offset:offset + len(data)] = data
    assert sorted(expected) == list(range(1, len(frames) + 1)), f"{path}: not every frame is there once"
    return expected


class CasesTest(unittest.TestCase):
    maxDiff = None

    def paths(self, policy, capture, ingress):
        """Path -> its decisions on the frames of a capture, in order."""
        verdicts = capture.with_suffix(".jsonl")
        run = subprocess.run([TWINPATH, "parity", *ingress, "--verdicts", verdicts, policy, capture],
                             capture_output=True, text=True, timeout=60, check=False)
        # Exit status 1: the paths differ. At least one is not as expected, and says so below.
        self.assertIn(run.returncode, (0, 1), run.stderr)
        found = {}
        for line in verdicts.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line)
            found.setdefault(answer["path"], []).append(
                tuple(answer[key] for key in ("rule", "verdict", "out_port", "sha256")))
        self.assertEqual({"xdp", "dpdk"}, found.keys())
        return found

    def check_case(self, case):
        frames = read_frames(case / "send.txt")
        expected = read_expectations(case / "expect.txt", frames)
        with tempfile.TemporaryDirectory() as folder:
            for port in dict.fromkeys(frame.port for frame in frames):  # parity takes one port at a time
                numbers = [number for number, frame in enumerate(frames, 1) if frame.port == port]
                capture = pathlib.Path(folder, f"{port}.pcap")
                captures.write_at(capture, [(frames[number - 1].at, frames[number - 1].data)
                                            for number in numbers])
                wanted = []
                for number in numbers:
                    *decision, leaves = expected[number]
                    wanted.append((*decision, leaves and hashlib.sha256(leaves).hexdigest()))
                ingress = ("--port", port) if port else ()
                for path, answers in self.paths(case / "policy.json", capture, ingress).items():
                    self.assertEqual(dict(zip(numbers, wanted)), dict(zip(numbers, answers)),
                                     f"{case.name} on {path}, frames that come in by {port}")


def add_tests():
    for policy in sorted(CASES.glob("*/policy.json")):
        case = policy.parent
        if not WANTED or case.name in WANTED:
            setattr(CasesTest, f"test_{case.name}", lambda self, case=case: self.check_case(case))


add_tests()
unittest.main(argv=sys.argv[:1], verbosity=2)
