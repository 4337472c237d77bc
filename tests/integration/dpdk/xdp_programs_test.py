#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The XDP program of an AF_XDP port of twinpath-dpdk is detached, or replaced by another program. The log and
telemetry report the fault, the other program stays, and the port recovers by itself.

  xdp_programs_test.py TWINPATH-DPDK XDP-OBJECT

XDP-OBJECT holds a program bare_drop that is not Twinpath's."""
import os
import sys
import time

from dpdk_lab import arrived, run, until
from link_lab import Links, main

OBJECT = os.path.abspath(sys.argv[2])


class XdpProgramsTest(Links):
    def test_an_xdp_program_that_is_taken_off(self):
        """`ip link set wan0 xdp off` detaches it."""
        for _ in range(2):
            taken = time.monotonic()
            run("ip", "link", "set", "wan0", "xdp", "off")
            said, line = self.program.said("port wan: wan0 lost the port's XDP program", since=taken)
            recovered, _ = self.program.said("port wan: recovered", since=taken)
            self.wan_works_both_ways()
            print(f"taken off, told after {1000 * (said - taken):.0f} ms, back {1000 * (recovered - said):.0f} ms "
                  f"later; {line}", flush=True)
        self.the_others_go_on()
        self.faults_over(self.program.stop(), 2, "detached")
        self.nothing_stays()

    def test_an_xdp_program_that_is_replaced(self):
        taken = time.monotonic()
        run("ip", "-force", "link", "set", "wan0", "xdp", "obj", OBJECT, "program", "bare_drop")
        program = self.program_of("wan0")
        said, line = self.program.said(f"port wan: wan0 has another XDP program (bare_drop, id {program})", since=taken)
        self.assertEqual(self.telemetry.fault("port wan", "detached")["active"], 1)
        self.sent(1000)
        until("frames leave by it", lambda: arrived("wan1") == 1000)
        self.the_others_go_on()
        self.assertEqual(self.program_of("wan0"), program)
        off = time.monotonic()
        run("ip", "link", "set", "wan0", "xdp", "off")
        recovered, _ = self.program.said("port wan: recovered", since=off)
        self.wan_works_both_ways()
        print(f"another program, told after {1000 * (said - taken):.0f} ms; {line}; when it was taken off, back after "
              f"{1000 * (recovered - off):.0f} ms", flush=True)
        # The other program is left alone at the end of the run, too.
        again = time.monotonic()
        run("ip", "-force", "link", "set", "wan0", "xdp", "obj", OBJECT, "program", "bare_drop")
        program = self.program_of("wan0")
        self.program.said(f"port wan: wan0 has another XDP program (bare_drop, id {program})", since=again)
        summary = self.program.stop()
        self.assertEqual(self.program_of("wan0"), program)
        run("ip", "link", "set", "wan0", "xdp", "off")
        self.assertEqual([("port wan", "detached", True, 2)],
                         [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]
                          if f["subject"] == "port wan" and f["fault"] != "link_down"])
        self.nothing_stays()


main()
