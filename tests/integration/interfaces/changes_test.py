#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""If somebody changes an interface during a run in a way that the path cannot follow, both paths report one fault,
which ends when the interface is as before.

  changes_test.py TWINPATH-DPDK TWINPATH-XDP"""
from both_paths import Case, main, on_both_paths, run
from dpdk_lab import until


class Changes(Case):
    queues = 4

    def setUp(self):
        super().setUp()
        for name in ("lan0", "wan0"):
            run("ethtool", "-L", name, "rx", "1")
            run("ethtool", "-K", name, "rxvlan", "off")
        self.program = self.start()

    def changed(self, fault, said, change, back, subject="port lan"):
        """Makes and undoes a change twice. Checks that the fault begins once each time, and ends."""
        telemetry = self.program.telemetry
        for times in (1, 2):
            run(*change)
            until(f"{fault} is seen", lambda: telemetry.fault(subject, fault)["active"])
            _, line = self.program.said(f"{subject}: {said}")
            run(*back)
            until(f"{fault} is over", lambda: not telemetry.fault(subject, fault)["active"])
            self.assertEqual(times, telemetry.fault(subject, fault)["times"])
        summary = self.program.stop()
        self.assertEqual([(subject, fault, False, 2)],
                         [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]
                          if f["fault"] not in ("link_down", "stalled")])
        self.assertEqual(2, self.program.log().count(f"{subject}: {said}"))
        return line

    def test_queues(self):
        line = self.changed("queues", "lan0 has 4 RX queues now and had 1; frames of the new ones go to the kernel, ",
                            ("ethtool", "-L", "lan0", "rx", "4"), ("ethtool", "-L", "lan0", "rx", "1"))
        self.assertIn("ethtool -L lan0 rx 1, or restart the program", line)

    def test_mtu(self):
        self.changed("mtu", "the MTU of lan0 is 1400 bytes now and was 1500 ",
                     ("ip", "link", "set", "lan0", "mtu", "1400"), ("ip", "link", "set", "lan0", "mtu", "1500"))

    def test_master(self):
        run("ip", "link", "add", "bridge0", "type", "bridge")
        self.addCleanup(run, "ip", "link", "del", "bridge0")
        self.changed("master", "lan0 belongs to bridge0 now; ",
                     ("ip", "link", "set", "lan0", "master", "bridge0"), ("ip", "link", "set", "lan0", "nomaster"))

    def test_offloads(self):
        line = self.changed("offloads", "offloads of lan0 were turned on: rxvlan takes VLAN tags out of frames",
                            ("ethtool", "-K", "lan0", "rxvlan", "on"), ("ethtool", "-K", "lan0", "rxvlan", "off"))
        self.assertIn("ethtool -K lan0 rxvlan off", line)

    def test_name(self):
        def rename(old, new):  # kernels before 6.2 rename no interface that is up
            return "sh", "-c", f"ip link set {old} down && ip link set {old} name {new} && ip link set {new} up"
        self.changed("renamed", "lan0 is called lan9 now", rename("lan0", "lan9"), rename("lan9", "lan0"))

    def test_gro_of_the_peer(self):
        if self.path == "dpdk":
            return  # the kernel sends what AF_XDP gives it into any veth
        line = self.changed("unreachable", "wan0 takes no frames from native mode: its peer has no GRO",
                            ("ethtool", "-K", "far0", "gro", "off"), ("ethtool", "-K", "far0", "gro", "on"), "port wan")
        self.assertIn("vanish and count as sent", line)


on_both_paths(Changes, globals())
main()
