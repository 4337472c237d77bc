#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Names of interfaces: alternative names work on both paths. Names that DPDK cannot parse are refused before
anything is changed, also by the doctor.

  names_test.py TWINPATH-DPDK TWINPATH-XDP TWINPATH"""
import json
import os
import re
import subprocess
import sys

from both_paths import Case, link, main, on_both_paths, run
from dpdk_lab import until

TWINPATH = os.path.abspath(sys.argv[3])
IMPOSSIBLE = ("a,b", "x=y", "a,queue_count=2", "c[d")
ODD = ("a]b", 'g"h', "i;j", "k'l", "m$n", "net_null7")
LONG = "an_alternative_name_of_more_than_fifteen_bytes"


class Names(Case):
    def doctor(self, interface):
        """The doctor's exit status for a profile with this interface, and its words."""
        profile = self.folder / "profile.json"
        profile.write_text(json.dumps({"version": 1, "eal": ["--no-huge"],
                                       "ports": [{"name": "lan", "device": interface}]}))
        result = subprocess.run([TWINPATH, "doctor", "--profile", profile], capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout

    def test_names_with_a_meaning_in_arguments(self):
        self.veth("a", "plain0")
        for name in IMPOSSIBLE:
            with self.subTest(name=name):
                self.veth(name, "odd0")
                if self.path == "dpdk":
                    self.refused(rf"port lan: interface .*{re.escape(name)}: DPDK supports no interface whose name contains",
                                 {"lan": name})
                    status, words = self.doctor(name)
                    self.assertEqual(1, status)
                    self.assertIn("DPDK supports no interface whose name contains", words)
                else:
                    with self.start({"lan": name}, "--forward", "reflect") as program:
                        self.assertIn("xdp", link(name))
                        program.stop()
                run("ip", "link", "del", "dev", name)
                self.assertNotIn("xdp", link("a"))

    def test_odd_names(self):
        for name in ODD:
            with self.subTest(name=name):
                self.veth(name, "odd0")
                with self.start({"lan": name}, "--forward", "reflect") as program:
                    self.assertIn("xdp", link(name))
                    self.assertEqual(name, program.telemetry.port("lan")["device"])
                    program.stop()
                run("ip", "link", "del", "dev", name)

    def test_alternative_names(self):
        for name in ("other", LONG):
            with self.subTest(name=name):
                run("ip", "link", "property", "add", "dev", "lan0", "altname", name)
                with self.start({"lan": name}, "--forward", "reflect") as program:
                    self.assertIn("xdp", link("lan0"))
                    self.assertEqual(name, program.telemetry.port("lan")["device"])
                    run("ip", "link", "del", "lan0")
                    until("it is seen", lambda p=program: p.telemetry.fault("port lan", "gone")["active"])
                    self.veth("lan0", "near0")
                    run("ip", "link", "property", "add", "dev", "lan0", "altname", name)
                    until("it is opened again", lambda p=program: not p.telemetry.fault("port lan", "gone")["active"])
                    self.assertIn("xdp", link("lan0"))
                    program.stop()
                if self.path == "dpdk":
                    status, words = self.doctor(name)
                    self.assertEqual(0, status, words)
                run("ip", "link", "property", "del", "dev", "lan0", "altname", name)

    def test_one_interface_by_two_names(self):
        run("ip", "link", "property", "add", "dev", "lan0", "altname", "other")
        self.refused("lan0", {"lan": "lan0", "wan": "other"})

    def test_an_address_label_is_no_interface(self):
        self.refused(r"lan0:1", {"lan": "lan0:1"})


on_both_paths(Names, globals())
main()
