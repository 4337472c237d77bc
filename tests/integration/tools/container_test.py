#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A container may hide /sys or /proc: each program then names what is missing, and a fix that works. If /sys
belongs to another network namespace, programs ask the kernel instead, and never tell the user to unbind the
host's NIC.

  container_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP TWINPATH_SPLICE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import dpdk_lab
import isolation
from captures import write

isolation.require()
TWINPATH, DPDK, XDP, SPLICE = (os.path.abspath(path) for path in sys.argv[1:5])
del sys.argv[1:]
NULL = [DPDK, "--port", "a=net_null0", "--forward", "drop", "--duration", "0.1", "--no-huge"]
LAN = [XDP, "--port", "lan=lan", "--forward", "drop", "--duration", "0.1"]
MOUNTS = {"/sys": "sysfs", "/proc": "proc"}


def run(script, *arguments):
    """Runs a shell script in its own mount namespace, with `arguments` as "$@"."""
    return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *arguments], capture_output=True,
                          text=True, timeout=90)


class Hidden(unittest.TestCase):
    """With an empty folder at /sys or /proc."""

    @classmethod
    def setUpClass(cls):
        dpdk_lab.veth("lan", "gen")
        cls.folder = tempfile.TemporaryDirectory()
        cls.capture = pathlib.Path(cls.folder.name, "a.pcap")
        write(cls.capture, [bytes(60)])
        cls.policy = pathlib.Path(cls.folder.name, "p.json")
        cls.policy.write_text('{"version": 1, "default": {"forward": "drop"}}')

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        dpdk_lab.run("ip", "link", "del", "lan")

    def refused(self, program, script, *command):
        ended = run(script, *command)
        self.assertEqual((2, ""), (ended.returncode, ended.stdout), ended.stderr)
        self.assertRegex(ended.stderr, rf"\A{program}: [^\n]+\n\Z")
        return ended.stderr

    def test_what_is_missing_is_named_with_a_fix_that_fixes(self):
        for place, system in MOUNTS.items():
            hide = f"mount -t tmpfs none {place}"
            needs = {("twinpath-dpdk", *NULL), ("twinpath-dpdk", *NULL[:-1]),
                     ("twinpath parity", TWINPATH, "parity", self.policy, self.capture)}
            if place == "/sys":
                needs.add(("twinpath-xdp", *LAN))
            for program, *command in needs:
                with self.subTest(place=place, command=command):
                    error = self.refused(program, hide + ' && exec "$@"', *map(str, command))
                    fix = f"mount -t {system} {system} {place}"
                    self.assertIn(f"{place} is empty", error)
                    self.assertTrue(error.endswith(f": {fix}\n"), error)
                    mended = run(f'{hide} && {fix} && exec "$@"', *map(str, command))
                    self.assertEqual(0, mended.returncode, mended.stderr)

    def test_doctor_says_so_and_nothing_else(self):
        for place, system in MOUNTS.items():
            with self.subTest(place=place):
                ended = run(f'mount -t tmpfs none {place} && exec "$@"', TWINPATH, "doctor", "--json")
                self.assertEqual((1, ""), (ended.returncode, ended.stderr))
                report = json.loads(ended.stdout)
                self.assertFalse(report["starts"])
                self.assertEqual([(system, f"mount -t {system} {system} {place}")],
                                 [(check["check"], check["mend"]) for check in report["checks"]])
                mended = run(f'mount -t tmpfs none {place} && {report["checks"][0]["mend"]} && exec "$@"', TWINPATH,
                             "doctor", "--json")
                self.assertGreater(len(json.loads(mended.stdout)["checks"]), 5)

    def test_programs_that_need_neither_run_without(self):
        splice = [SPLICE, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--duration", "0.1"]
        for place in MOUNTS:
            for command in ([TWINPATH, "check", str(self.policy)], splice, *([LAN] if place == "/proc" else [])):
                with self.subTest(place=place, command=command):
                    ended = run(f'mount -t tmpfs none {place} && exec "$@"', *command)
                    self.assertEqual(0, ended.returncode, ended.stderr)

    def test_a_library_that_aborts_has_the_last_word(self):
        """DPDK's EAL aborts if it finds no size of hugepages."""
        ended = run('mount --bind /dev/null /proc/meminfo && exec "$@"', *NULL[:-1])
        self.assertNotEqual(0, ended.returncode)
        self.assertIn("/proc/meminfo", ended.stderr)


class OtherNetwork(unittest.TestCase):
    """In a network namespace inside that of /sys, as after `nsenter --net`: both have an interface lan0."""

    @classmethod
    def setUpClass(cls):
        dpdk_lab.veth("lan0", "far0")
        dpdk_lab.run("ip", "link", "set", "lan0", "mtu", "9000")
        dpdk_lab.run("ip", "link", "set", "far0", "mtu", "9000")

    def inside(self, setup, *command):
        return subprocess.run(["unshare", "--net", "sh", "-c", f'{setup}; exec "$@"', "sh", *map(str, command)],
                              capture_output=True, text=True, timeout=90)

    def test_the_kernel_is_asked_about_the_interface_not_sys(self):
        make = "ip link add lan0 index 77 type veth peer name far0; ip link set lan0 up; ip link set far0 up"
        on_lan0 = [DPDK, "--port", "a=lan0", "--forward", "drop", "--no-huge", "--duration", "0.1"]
        ended = self.inside(make, *on_lan0)
        self.assertEqual(0, ended.returncode, ended.stderr)
        ended = self.inside(f"{make}; ip link set lan0 mtu 4000", *on_lan0)
        self.assertEqual(2, ended.returncode)
        self.assertIn("interface lan0 has an MTU of 4000 bytes", ended.stderr)
        ended = self.inside("true", *on_lan0)
        self.assertIn("there is no interface 'lan0'", ended.stderr)

    def test_doctor_judges_the_interfaces_of_its_namespace(self):
        ended = self.inside("ip link add here type veth peer name peer", TWINPATH, "doctor", "--json")
        subjects = {check["subject"] for check in json.loads(ended.stdout)["checks"] if check["check"] == "interface"}
        self.assertEqual({"here", "peer"}, subjects)

    def test_nobody_is_told_to_unbind_the_nic_of_another_namespace(self):
        """No NIC of the machine has an interface in this namespace. `isolation` mounts the namespace's /sys."""
        for command in ([TWINPATH, "doctor"], [TWINPATH, "doctor", "--json"]):
            for ended in (subprocess.run(command, capture_output=True, text=True, timeout=90),
                          self.inside("true", *command)):
                self.assertNotRegex(ended.stdout, "unbind|driver_override|driverctl")
        nics = [path.parent.name for path in pathlib.Path("/sys/bus/pci/devices").glob("*/class")
                if path.read_text().startswith("0x0200") and (path.parent / "driver").exists()]
        for nic in nics:
            ended = subprocess.run([DPDK, "--port", f"a={nic}", "--no-huge"], capture_output=True, text=True,
                                   timeout=90)
            self.assertEqual(2, ended.returncode)
            self.assertIn("no interface of it is in this network namespace", ended.stderr)
            self.assertNotRegex(ended.stderr, "unbind|driver_override|driverctl")


unittest.main(verbosity=2)
