#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Shows the progress of a build, from the output of ninja on standard input.

  NINJA_STATUS='[%f/%t] ' ninja 2>&1 | tools/progress.py [--steps N] LOG

On a terminal one line is updated: steps done, time, last step. Otherwise prints a line for each tenth
of the build. Everything else, such as a compiler's messages, goes into the file LOG.
"""
import argparse
import os
import re
import select
import signal
import sys
import time

STEP = re.compile(r"\[(\d+)/(\d+)\] (.*)")
NOISE = re.compile(r"ninja: (Entering directory|no work to do)")
FEW_STEPS = 20  # a build with fewer steps prints no progress in a log


def describe(step):
    """Returns a short name for a step, because meson's names of targets and objects are long."""
    found = re.match(r"(Compiling) (?:C\+\+|C) object (?:.*/)?([^/]+)\.o$", step)
    found = found or re.match(r"(Linking|Generating) (?:.*/)?([^/]+?)(?: with a custom command.*)?$",
                              step)
    return f"{found[1]} {found[2]}" if found else step


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    """Prints the progress of one build."""

    def __init__(self, moves, steps):
        self.moves = moves  # updates one line, instead of printing lines
        self.begun = time.monotonic()
        self.done, self.total, self.tenths = 0, steps, 0
        self.what = ""

    def step(self, done, total, what):
        self.done, self.total, self.what = done, total, describe(what)
        if self.moves:
            self.draw()
        elif total >= FEW_STEPS and done * 10 // total > self.tenths:
            self.tenths = done * 10 // total
            print(f"  {self.tenths * 10:3} %  {done} of {total} steps, {self.elapsed()}", flush=True)

    def elapsed(self):
        return clock(time.monotonic() - self.begun)

    def draw(self):
        if not self.moves or not self.total:
            return
        line = f"  [{self.done}/{self.total}] {self.elapsed()}  {self.what}"
        try:
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
        except OSError:
            columns = 80
        # One column is left free: a full line would wrap on some terminals.
        print(f"\r{line[:max(1, (columns or 80) - 1)]}\033[K", end="", flush=True)

    def end(self):
        if not self.total:
            return
        if self.moves:
            print("\r\033[K", end="")
        if self.moves or (self.total >= FEW_STEPS and self.tenths < 10):
            print(f"  {self.done} of {self.total} steps in {self.elapsed()}", flush=True)


def lines(stream, idle):
    """Yields the lines of a stream. Calls `idle` each second in which none arrives."""
    rest = b""
    while True:
        if not select.select([stream], [], [], 1.0)[0]:
            idle()
            continue
        block = os.read(stream, 65536)
        if not block:
            break
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", help="file for everything that is not progress")
    parser.add_argument("--steps", type=int, default=0, metavar="N",
                        help="expected steps, for the time before the first one ends")
    arguments = parser.parse_args()
    progress = Progress(sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb",
                        arguments.steps)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with open(arguments.log, "w", encoding="utf-8") as log:
            for line in lines(sys.stdin.fileno(), progress.draw):
                found = STEP.match(line)
                if found:
                    progress.step(int(found[1]), int(found[2]), found[3])
                elif not NOISE.match(line):
                    print(line, file=log, flush=True)
    finally:
        progress.end()  # also if the build is interrupted, to remove the progress line


main()
