#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""On both paths a port keeps its interface if that is renamed during a run: frames still flow, and nothing stays on
it, however the program ends.

  renamed_test.py TWINPATH-DPDK TWINPATH-XDP"""
import json
import signal

import dpdk_lab
from both_paths import Case, link, main, on_both_paths, run
from dpdk_lab import arrived, until


def rename(old, new):
    run("ip", "link", "set", old, "down")  # kernels before 6.2 rename no interface that is up
    run("ip", "link", "set", old, "name", new)
    dpdk_lab.quiet(new)


class Renamed(Case):
    def frames_cross(self):
        sender = dpdk_lab.Sender("near0")
        self.addCleanup(sender.close)
        before = arrived("far0")
        sender.send(100, per_second=5000)
        until("frames cross", lambda: arrived("far0") >= before + 100)

    def nothing_stays(self, *names):
        for name in names:
            until("its program is taken off", lambda n=name: "xdp" not in link(n))
            until("it is promiscuous no longer", lambda n=name: link(n)["promiscuity"] == 0)

    def test_nothing_stays_on_it_whatever_the_end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number), self.start() as program:
                rename("lan0", "lan9")
                self.veth("lan0", "other0")  # not the port's
                self.frames_cross()
                program.process.send_signal(number)
                program.process.wait(30)
                self.nothing_stays("lan9", "wan0")
                run("ip", "link", "del", "lan0")
            with self.start({"lan": "lan9", "wan": "wan0"}):
                self.frames_cross()
            rename("lan9", "lan0")

    def test_it_is_attached_again_when_somebody_takes_the_program_off(self):
        with self.start() as program:
            rename("lan0", "lan9")
            self.veth("lan0", "other0")
            if self.path == "dpdk":
                run("ip", "link", "set", "lan9", "xdp", "off")
                fault = "detached"
            else:
                links = json.loads(run("bpftool", "--json", "link", "show"))
                number, = (found["id"] for found in links if found.get("prog_id") == link("lan9")["xdp"]["prog"]["id"])
                run("bpftool", "link", "detach", "id", str(number))
                fault = "gone"
            until("it is opened again", lambda: program.telemetry.fault("port lan", fault)["times"] == 1
                  and not program.telemetry.fault("port lan", fault)["active"])
            self.assertIn("xdp", link("lan9"))
            self.assertNotIn("xdp", link("lan0"))
            self.frames_cross()
            program.stop()
        self.nothing_stays("lan9", "wan0")

    def test_a_new_one_takes_the_place_of_one_that_vanished(self):
        """If an interface disappears and another one gets its number, the other one is not taken for it."""
        with self.start() as program:
            index = link("lan0")["ifindex"]
            run("ip", "link", "del", "lan0")
            until("it is seen", lambda: program.telemetry.fault("port lan", "gone")["active"])
            run("ip", "link", "add", "other0", "index", str(index), "type", "veth", "peer", "name", "other1")
            self.addCleanup(run, "ip", "link", "del", "other0")
            self.veth("lan0", "near0")
            until("it is opened again", lambda: not program.telemetry.fault("port lan", "gone")["active"])
            self.assertIn("xdp", link("lan0"))
            self.assertNotIn("xdp", link("other0"))
            program.stop()
        self.nothing_stays("lan0", "wan0")


on_both_paths(Renamed, globals())
main()
