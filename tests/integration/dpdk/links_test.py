#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Links that go down and interfaces that disappear under twinpath-dpdk: the other ports continue, every
packet is counted, the log and telemetry report the fault, and the port recovers by itself.

  links_test.py TWINPATH-DPDK"""
import os
import time

import dpdk_lab
from dpdk_lab import arrived, run, until
from link_lab import Links, main


class LinksTest(Links):
    def test_a_link_goes_down_and_comes_up(self):
        self.sent(1000)
        until("all arrive", lambda: arrived("wan1") == 1000)
        for turn in range(2):
            down = time.monotonic()
            run("ip", "link", "set", "wan1", "down")
            said, line = self.program.said("port wan: link down", since=down)
            self.assertEqual(self.telemetry.port("wan")["link"], "down")
            self.assertEqual(self.telemetry.fault("port wan", "link_down")["active"], 1)
            self.assertEqual(self.telemetry.ask("/twinpath/info")["faults_active"], 1)
            self.sent(700)
            self.the_others_go_on()
            up = time.monotonic()
            run("ip", "link", "set", "wan1", "up")
            before = arrived("wan1")
            self.lan.send(1)
            recovered, _ = self.program.said("port wan: link up, after", since=up)
            self.sent(999)
            until("frames arrive again", lambda b=before: arrived("wan1") >= b + 999)
            print(f"link down told after {1000 * (said - down):.0f} ms, up again after {1000 * (recovered - up):.0f} ms"
                  f" ({line.split(': ', 1)[1]})", flush=True)
            self.assertEqual(self.telemetry.fault("port wan", "link_down"),
                             {**self.telemetry.fault("port wan", "link_down"), "active": 0, "times": turn + 1})
        summary = self.program.stop()
        wan = self.ports(summary)["wan"]
        # The kernel accepted these frames while there was no link, dropped them, and counts them.
        self.assertEqual(summary["totals"]["tx_full_packets"], 0)
        self.assertEqual(arrived("wan1") + wan["interface_tx_dropped_packets"], self.lan.number)
        self.assertGreaterEqual(wan["interface_tx_dropped_packets"], 1400)
        self.faults_over(summary, 2, "link_down")

    def test_an_interface_is_set_down_and_up(self):
        run("ip", "link", "set", "wan0", "down")
        self.program.said("port wan: link down")
        self.sent(3000)  # more than the TX ring of wan0 holds
        self.the_others_go_on()
        self.assertGreater(self.telemetry.port("wan")["tx_full_packets"], 0)
        up = time.monotonic()
        run("ip", "link", "set", "wan0", "up")
        recovered, _ = self.program.said("port wan: link up, after", since=up)
        self.sent(100)
        refused = self.telemetry.total("lan", "tx_full_packets")
        until("frames that waited arrive, too", lambda: arrived("wan1") == self.lan.number - refused)
        print(f"set down, {refused} of {self.lan.number} refused meanwhile; up again after "
              f"{1000 * (recovered - up):.0f} ms", flush=True)
        summary = self.program.stop()
        self.assertEqual(summary["totals"]["tx_full_packets"], refused)
        self.faults_over(summary, 1, "link_down")

    def test_an_interface_vanishes_and_comes_back(self):
        free, came = [], 0
        for turn in range(4):
            gone = time.monotonic()
            run("ip", "link", "del", "wan0")
            said, _ = self.program.said("port wan: wan0 disappeared", since=gone)
            self.assertEqual(self.telemetry.port("wan")["link"], "gone")
            self.assertEqual(self.telemetry.fault("port wan", "gone")["active"], 1)
            self.sent(100 if turn else 3000)
            self.the_others_go_on()
            back = time.monotonic()
            self.make("wan0")
            recovered, line = self.program.said("port wan: recovered", since=back)
            self.sent(1000)
            until("frames arrive at the new one", lambda: arrived("wan1") == 1000)
            came += 1000
            free.append(self.telemetry.ask("/twinpath/info")["mempool_0_free_mbufs"])
            if turn == 0:
                print(f"gone told after {1000 * (said - gone):.0f} ms; {line}")
            print(f"back after {1000 * (recovered - back):.0f} ms, {free[-1]} mbufs free", flush=True)
        summary = self.program.stop()
        wan = self.ports(summary)["wan"]
        self.assertEqual(came + summary["totals"]["tx_full_packets"] + wan["gone_tx_packets"]
                         + wan["interface_tx_dropped_packets"], self.lan.number)
        self.assertEqual(wan["tx_full_packets"], summary["totals"]["tx_full_packets"])
        # The mbufs of the removed device are free again. Otherwise a ring of them would be missing each time.
        self.assertLess(free[0] - free[-1], 1000, free)
        self.faults_over(summary, 4, "gone")
        self.nothing_stays()

    def test_an_interface_goes_to_another_network_namespace_and_back(self):
        """The XDP program stays attached to the interface there and back."""
        run("ip", "netns", "add", "elsewhere")
        self.addCleanup(run, "ip", "netns", "delete", "elsewhere")
        for until_then in ("its device is closed", "it is gone", "nothing is seen of it"):
            devices = self.devices()
            moved = time.monotonic()
            run("ip", "link", "set", "wan0", "netns", "elsewhere")
            if until_then != "nothing is seen of it":
                self.program.said("port wan: wan0 disappeared", since=moved)
                if until_then == "its device is closed":
                    until("its device is closed", lambda d=devices: self.devices() < d)
                self.the_others_go_on()
                self.assertIn("xdp", run("ip", "-netns", "elsewhere", "link", "show", "wan0"))
            back = time.monotonic()
            run("ip", "-netns", "elsewhere", "link", "set", "wan0", "netns", str(os.getpid()))
            dpdk_lab.quiet("wan0")
            recovered, _ = self.program.said("port wan: recovered", since=back)
            self.wan_works_both_ways()
            print(f"until {until_then}; back from there after {1000 * (recovered - back):.0f} ms", flush=True)
        self.assertNotIn("already has", self.program.log())
        self.faults_over(self.program.stop(), 3, "gone")
        self.nothing_stays()

    def test_another_interface_of_the_same_name_and_number(self):
        self.another_takes_its_place()

    def test_an_interface_that_comes_back_with_another_mtu_is_refused(self):
        run("ip", "link", "del", "wan0")
        self.program.said("port wan: wan0 disappeared")
        back = time.monotonic()
        run("ip", "link", "add", "wan0", "mtu", "9000", "type", "veth", "peer", "name", "wan1")
        self.program.said("port wan: interface wan0 has an MTU of 9000", since=back)
        self.the_others_go_on()
        for end in ("wan0", "wan1"):
            run("ip", "link", "set", end, "mtu", "1500", "up")
        self.program.said("port wan: recovered", since=back)
        until("the link is up", lambda: self.telemetry.ask("/twinpath/info")["faults_active"] == 0)
        self.assertEqual(self.telemetry.fault("port wan", "gone")["times"], 1)


main()
