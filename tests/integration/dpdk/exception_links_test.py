#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Somebody deletes an exception port, sets it down or moves it to another network namespace during a run. The log and
telemetry report the fault, packets that are passed during it are counted, and the exception port is recreated.

  exception_links_test.py TWINPATH-DPDK"""
import json
import os
import sys
import tempfile
import time
import unittest

import dpdk_lab
import isolation
from dpdk_lab import arrived, run, until

PROGRAM = os.path.abspath(sys.argv[1])


class ExceptionLinks(unittest.TestCase):
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        dpdk_lab.veth("lan0", "near0")
        self.addCleanup(run, "ip", "link", "del", "near0")
        self.program = dpdk_lab.Dpdk(PROGRAM, folder.name, "--port", "lan=lan0", "--forward", "pass", *self.options)
        self.addCleanup(self.program.__exit__)
        self.telemetry = self.program.telemetry
        dpdk_lab.quiet("tp-lan")
        self.sender = dpdk_lab.Sender("near0")
        self.addCleanup(self.sender.close)

    def both_ways(self):
        """Checks that frames reach tp-lan, and that frames that the kernel sends by it leave by the port."""
        before = arrived("tp-lan")
        self.sender.send(100, per_second=5000)
        until("frames reach the kernel", lambda: arrived("tp-lan") >= before + 100)
        out, before = dpdk_lab.Sender("tp-lan"), arrived("near0")
        out.send(100, per_second=5000)
        out.close()
        until("frames of the kernel leave", lambda: arrived("near0") >= before + 100)

    def made_again(self, times):
        until("it is made again", lambda: self.telemetry.fault("port lan", "exception_gone")["times"] == times
              and not self.telemetry.fault("port lan", "exception_gone")["active"])
        dpdk_lab.quiet("tp-lan")
        self.both_ways()

    def ends(self, **times):
        """Ends the run; checks how often these faults of the exception port began, and that none lasts."""
        summary = self.program.stop()
        faults = {f["fault"]: f for f in summary["faults"] if f["fault"].startswith("exception")}
        self.assertEqual(times, {what: faults[f"exception_{what}"]["times"] for what in times})
        self.assertEqual([], [fault for fault, found in faults.items() if found["active"]])
        return summary["totals"]

    def test_it_is_deleted(self):
        self.both_ways()
        mac = json.loads(run("ip", "-json", "link", "show", "tp-lan"))[0]["address"]
        for times in (1, 2):
            gone = time.monotonic()
            run("ip", "link", "del", "tp-lan")
            self.program.said("port lan: exception port tp-lan disappeared; ", since=gone)
            self.made_again(times)
            self.program.said("port lan: exception port tp-lan was recreated", since=gone)
            self.assertEqual(mac, json.loads(run("ip", "-json", "link", "show", "tp-lan"))[0]["address"])
        totals = self.ends(gone=2)
        self.assertGreaterEqual(totals["pass_packets"], 300)

    def test_it_is_moved_to_another_network_namespace(self):
        run("ip", "netns", "add", "elsewhere")
        self.addCleanup(run, "ip", "netns", "delete", "elsewhere")
        run("ip", "link", "set", "tp-lan", "netns", "elsewhere")
        self.made_again(1)
        self.assertNotIn("tp-lan", run("ip", "-netns", "elsewhere", "link"))
        self.ends(gone=1)

    def test_somebody_elses_interface_has_its_name(self):
        run("sh", "-c", "ip link set tp-lan down && ip link set tp-lan name tp-old && "
            "ip link add tp-lan type veth peer name tp-other && ip link del tp-old")
        self.program.said("port lan: exception port tp-lan: another interface of this name exists: "
                          "ip link del tp-lan")
        self.sender.send(100, per_second=5000)
        until("what is passed is counted", lambda: self.telemetry.total("lan", "tx_full_packets") == 100)
        run("ip", "link", "del", "tp-lan")
        self.made_again(1)
        self.ends(gone=1)

    def test_it_is_set_down(self):
        for times in (1, 2):
            run("ip", "link", "set", "tp-lan", "down")
            until("it is seen", lambda: self.telemetry.fault("port lan", "exception_down")["active"])
            self.program.said("port lan: exception port tp-lan is down; passed packets count as tx_full: "
                              "ip link set dev tp-lan up")
            run("ip", "link", "set", "tp-lan", "up")
            until("it is over", lambda: not self.telemetry.fault("port lan", "exception_down")["active"])
            self.assertEqual(times, self.telemetry.fault("port lan", "exception_down")["times"])
        self.both_ways()
        self.ends(down=2)


class Adaptive(ExceptionLinks):
    """The worker sleeps while no frames come."""
    options = ("--idle", "adaptive")


isolation.require()
unittest.main(argv=sys.argv[:1], verbosity=2)
