#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""During a run, both paths receive frames for any MAC address. After it, however it ends, the interface has its
former setting.

  promiscuous_test.py TWINPATH-DPDK TWINPATH-XDP"""
import signal
import unittest

from both_paths import Case, link, main, on_both_paths, run
from dpdk_lab import until


def promiscuous(name):
    """Whether the user made the interface promiscuous, and how many users of it count in all."""
    facts = link(name)
    return "PROMISC" in facts["flags"], facts["promiscuity"]


class Promiscuous(Case):
    def end(self, program, number):
        program.process.send_signal(number)
        program.process.wait(30)
        until("the interface is as it was", lambda: "xdp" not in link("lan0"))

    def test_it_is_as_before_whatever_the_end(self):
        for already in (False, True):
            run("ip", "link", "set", "lan0", "promisc", "on" if already else "off")
            for number in (signal.SIGTERM, signal.SIGKILL):
                with self.subTest(already=already, number=number), self.start() as program:
                    self.assertEqual((already, already + 1), promiscuous("lan0"))
                    self.assertEqual((False, 1), promiscuous("wan0"))
                    self.end(program, number)
                    until("the hold ends", lambda a=already: promiscuous("lan0") == (a, int(a)))
                    until("the hold ends", lambda: promiscuous("wan0") == (False, 0))

    def test_the_user_changes_his_mind_during_the_run(self):
        with self.start() as program:
            run("ip", "link", "set", "lan0", "promisc", "on")
            run("ip", "link", "set", "wan0", "promisc", "on")
            run("ip", "link", "set", "wan0", "promisc", "off")
            self.assertEqual((True, 2), promiscuous("lan0"))
            self.assertEqual((False, 1), promiscuous("wan0"))
            self.end(program, signal.SIGTERM)
        self.assertEqual((True, 1), promiscuous("lan0"))
        self.assertEqual((False, 0), promiscuous("wan0"))

    def test_an_interface_that_comes_back_receives_all_frames_again(self):
        with self.start() as program:
            run("ip", "link", "del", "lan0")
            until("it is seen", lambda: program.telemetry.fault("port lan", "gone")["active"])
            self.veth("lan0", "near0")
            until("it is opened again", lambda: not program.telemetry.fault("port lan", "gone")["active"])
            self.assertEqual((False, 1), promiscuous("lan0"))
            self.end(program, signal.SIGTERM)
        self.assertEqual((False, 0), promiscuous("lan0"))


on_both_paths(Promiscuous, globals())


class VirtualDevices(Case, unittest.TestCase):
    """PMDs for kernel interfaces, given as virtual devices."""
    path = "dpdk"

    def test_it_is_as_before_whatever_the_end(self):
        for pmd in ("net_af_packet0", "net_af_xdp0"):
            for already in (False, True):
                run("ip", "link", "set", "lan0", "promisc", "on" if already else "off")
                for number in (signal.SIGKILL, signal.SIGTERM):
                    with self.subTest(pmd=pmd, already=already, number=number), self.start(
                            {"lan": f"{pmd},iface=lan0"}, "--forward", "reflect") as program:
                        self.assertEqual((already, already + 1), promiscuous("lan0"))
                        program.process.send_signal(number)
                        program.process.wait(30)
                        until("the hold ends", lambda a=already: promiscuous("lan0") == (a, int(a)))


class WithoutTheRight(Case, unittest.TestCase):
    """twinpath-xdp runs without CAP_NET_RAW, and says what that means."""
    path = "xdp"

    def command(self, *arguments):
        return ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-all", *super().command(*arguments)]

    def test_it_says_so(self):
        run("ip", "link", "set", "wan0", "promisc", "on")
        with self.start() as program:
            program.said("port lan: lan0 receives frames for its own MAC addresses only: ")
            self.assertEqual((False, 0), promiscuous("lan0"))
            self.assertEqual((True, 1), promiscuous("wan0"))
            program.stop()
            self.assertNotIn("port wan: wan0 receives", program.log())


main()
