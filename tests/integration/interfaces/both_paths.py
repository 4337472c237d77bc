# SPDX-License-Identifier: BSD-3-Clause
"""Tests of behaviour that both paths share on kernel interfaces: a wire of two veth pairs, near0 - lan0 and
wan0 - far0, and one of the programs on lan0 and wan0.

A test file runs as FILE TWINPATH-DPDK TWINPATH-XDP [ARGUMENT]... and ends with main(). Each of its test cases is
a class `Case` with tests, of which on_both_paths(Case) makes one class for each path."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import dpdk_lab
import isolation
from dpdk_lab import run

PROGRAMS = {"dpdk": os.path.abspath(sys.argv[1]), "xdp": os.path.abspath(sys.argv[2])}
PREFIX = "both"


def main():
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)


def on_both_paths(case, names):
    """Puts a class for each path into `names`, a module's globals()."""
    for path in PROGRAMS:
        name = case.__name__ + path.capitalize()
        names[name] = type(name, (case, unittest.TestCase), {"path": path})


def link(name):
    """Returns the kernel's data about an interface."""
    return json.loads(run("ip", "-json", "-details", "link", "show", "dev", name))[0]


class Case:
    """The wire, and the programs on it."""
    path = None  # "dpdk" or "xdp"
    queues = 1   # RX queues that lan0 and wan0 may have

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for near, far in (("lan0", "near0"), ("wan0", "far0")):
            self.veth(near, far)

    def veth(self, near, far):
        """Creates a veth pair, and removes it at the end, whatever its name is then. `far` receives redirected frames."""
        dpdk_lab.veth(near, far, queues=self.queues)
        run("ethtool", "-K", far, "gro", "on")
        self.addCleanup(self.remove, link(far)["ifindex"])

    @staticmethod
    def remove(index):
        for one in json.loads(run("ip", "-json", "link")):
            if one["ifindex"] == index:
                run("ip", "link", "del", "dev", one["ifname"])

    def command(self, ports, *arguments):
        """The command that runs this path's program on `ports`, interfaces by the names of ports."""
        words = [word for name, interface in ports.items() for word in ("--port", f"{name}={interface}")]
        tail = ["--", "--no-huge", f"--file-prefix={PREFIX}"] if self.path == "dpdk" else ["--file-prefix", PREFIX]
        return [PROGRAMS[self.path], *words, *arguments, *tail]

    def start(self, ports=None, *arguments):
        """Starts this path's program on the wire, or on `ports`, and waits until it runs."""
        ports = ports or {"lan": "lan0", "wan": "wan0"}
        arguments = arguments or ("--forward", "wire")
        summary = self.folder / "summary.json"
        ready = ": lcores " if self.path == "dpdk" else f": port {list(ports)[-1]}: "
        program = dpdk_lab.Running(self.command(ports, *arguments, "--summary", str(summary)), summary, PREFIX, ready)
        self.addCleanup(program.__exit__)
        return program

    def refused(self, pattern, ports, *arguments):
        """Checks that this path's program ends with status 2, and with one line that matches `pattern`."""
        result = subprocess.run(self.command(ports, *arguments), capture_output=True, text=True, timeout=60)
        self.assertEqual(2, result.returncode, result.stderr)
        self.assertRegex(result.stderr, rf"\Atwinpath-{self.path}: [^\n]+\n\Z")
        self.assertRegex(result.stderr, pattern)
