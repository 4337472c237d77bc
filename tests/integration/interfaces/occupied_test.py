#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An interface that has an XDP program is refused on both paths and by the doctor, however the program is attached.
The error names a command that detaches the program, and the command works.

  occupied_test.py TWINPATH-DPDK TWINPATH-XDP TWINPATH XDP-OBJECT

XDP-OBJECT holds a program bare_drop that is not Twinpath's."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from both_paths import PROGRAMS, Case, link, main, on_both_paths, run
from dpdk_lab import until

TWINPATH, OBJECT = (os.path.abspath(path) for path in sys.argv[3:5])
PINS = pathlib.Path("/sys/fs/bpf/twinpath")


class Occupied(Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(shutil.rmtree, PINS, ignore_errors=True)

    def pin(self):
        """twinpath-xdp ends, and leaves its program pinned on lan0."""
        subprocess.run([PROGRAMS["xdp"], "--port", "lan.1=lan0", "--forward", "drop", "--pin", "--duration", "0.01"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=60)
        self.assertIn("xdp", link("lan0"))

    def holders(self):
        """Returns the ways to attach a program: a name, and a function that attaches one to lan0."""
        def link_of_somebody():
            self.pin()
            elsewhere = PINS.parent / "elsewhere"
            PINS.rename(elsewhere)
            self.addCleanup(shutil.rmtree, elsewhere, ignore_errors=True)

        def netlink(kind):
            run("ip", "link", "set", "lan0", kind, "object", OBJECT, "program", "bare_drop")
        yield "our pin", self.pin
        yield "a link of somebody", link_of_somebody
        yield "native", lambda: netlink("xdpdrv")
        yield "generic", lambda: netlink("xdpgeneric")

    def take_off(self, command):
        subprocess.run(["sh", "-c", command], check=True, timeout=60)
        until("the program is off", lambda: "xdp" not in link("lan0"))

    def test_the_command_of_the_refusal_works(self):
        for name, occupy in self.holders():
            with self.subTest(name):
                occupy()
                result = subprocess.run(self.command({"lan": "lan0"}, "--forward", "reflect"), capture_output=True,
                                        text=True, timeout=60)
                self.assertEqual(2, result.returncode)
                self.take_off(re.search(r"lan0 already has .*, or: (.*)\n\Z", result.stderr)[1])
                with self.start({"lan": "lan0"}, "--forward", "reflect") as program:
                    program.stop()

    def test_the_fix_of_the_doctor_works(self):
        if self.path == "xdp":
            return  # the doctor judges profiles, which twinpath-dpdk has
        profile = self.folder / "profile.json"
        profile.write_text(json.dumps({"version": 1, "eal": ["--no-huge"],
                                       "ports": [{"name": "lan", "device": "lan0"}]}))
        for name, occupy in self.holders():
            with self.subTest(name):
                occupy()
                result = subprocess.run([TWINPATH, "doctor", "--json", "--profile", profile], capture_output=True,
                                        text=True, timeout=60)
                self.assertEqual(1, result.returncode)
                fix, = (check["mend"] for check in json.loads(result.stdout)["checks"]
                        if check["grade"] == "missing" and "has the XDP program" in check["found"])
                self.take_off(fix)


on_both_paths(Occupied, globals())
main()
