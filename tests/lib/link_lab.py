# SPDX-License-Identifier: BSD-3-Clause
"""The lab for the tests of twinpath-dpdk's links: four veth pairs with two wires between them. A test changes
the interface of one port while the other wire forwards frames.

A test file runs as FILE TWINPATH-DPDK and ends with main()."""
import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

import dpdk_lab
import isolation
import stopped_thread
from dpdk_lab import arrived, run, until

PROGRAM = os.path.abspath(sys.argv[1])
POLICY = """{"version": 1, "rules": [
  {"name": "watched", "match": {"port": "lan"}, "forward": {"port": "wan"}},
  {"name": "other", "match": {"port": "in"}, "forward": {"port": "out"}}],
 "default": {"forward": "drop"}}"""
CPUS = sorted(os.sched_getaffinity(0))[:2]
PAIRS = {"lan0": "lan1", "wan0": "wan1", "in0": "in1", "out0": "out1"}


def main():
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)


class Links(unittest.TestCase):
    """Two wires: lan to wan, whose interface wan0 has the faults, and in to out, which must be unaffected."""
    lcores = CPUS[:1]  # one for each queue
    wan_device = "wan0"
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        policy = os.path.join(folder.name, "policy.json")
        with open(policy, "w", encoding="utf-8") as file:
            file.write(POLICY)
        for near in PAIRS:
            self.make(near)
            self.addCleanup(self.remove, near)
        ports = [word for name in ("lan", "wan", "in", "out") for word in
                 ("--port", f"{name}={self.wan_device if name == 'wan' else name + '0'}")]
        self.program = dpdk_lab.Dpdk(PROGRAM, folder.name, "--policy", policy, *ports, "--queues", str(len(self.lcores)),
                                     "--lcores", ",".join(map(str, self.lcores)), *self.options)
        self.addCleanup(self.program.__exit__)
        self.telemetry = self.program.telemetry
        self.lan, self.wan, self.other = (dpdk_lab.Sender(end) for end in ("lan1", "wan1", "in1"))
        for sender in (self.lan, self.wan, self.other):
            self.addCleanup(sender.close)

    def make(self, near):
        """Makes the interface and its peer."""
        dpdk_lab.veth(near, PAIRS[near], queues=len(self.lcores))

    @staticmethod
    def remove(near):
        if os.path.exists(f"/sys/class/net/{near}"):
            run("ip", "link", "del", near)

    def devices(self):
        """Returns how many BPF programs the program has open, one for each AF_XDP device."""
        files = pathlib.Path(f"/proc/{self.program.process.pid}/fd")
        found = 0
        for file in files.iterdir():
            with contextlib.suppress(FileNotFoundError):  # the file was closed meanwhile
                found += os.readlink(file) == "anon_inode:bpf-prog"
        return found

    @staticmethod
    def program_of(interface):
        """The id of the XDP program of an interface."""
        return json.loads(run("ip", "-json", "link", "show", interface))[0]["xdp"]["prog"]["id"]

    def nothing_stays(self):
        """Checks that the ended program left nothing on its interfaces."""
        links = run("ip", "-details", "link")
        self.assertNotIn("xdp", links)
        self.assertNotIn("PROMISC", links)

    def sent(self, count):
        """Sends `count` frames into lan, never more at once than its RX ring holds, and waits until all are
        decided."""
        while count:
            some = min(count, 500)
            count -= some
            self.lan.send(some, per_second=20000)
            until("all are decided", lambda: self.telemetry.total("lan", "rx_packets") == self.lan.number)

    def the_others_go_on(self):
        self.other.send(500)
        until("the other wire carries all", lambda: arrived("out1") == self.other.number)

    def wan_works_both_ways(self):
        """Checks that frames leave by wan, and that the frames that it receives are decided."""
        before, got = arrived("wan1"), self.telemetry.total("wan", "rx_packets")
        self.sent(500)
        until("frames leave by it", lambda: arrived("wan1") >= before + 500)
        self.wan.send(500, per_second=20000)
        until("frames come in by it", lambda: self.telemetry.total("wan", "rx_packets") == got + 500)

    def wan_comes_back(self):
        """Creates the interface again, after its disappearance was noticed, and checks that the port works."""
        back = time.monotonic()
        self.make("wan0")
        self.program.said("port wan: recovered", since=back)
        self.wan.close()
        self.wan = dpdk_lab.Sender("wan1")
        self.addCleanup(self.wan.close)
        self.wan_works_both_ways()

    def another_takes_its_place(self):
        """Another interface takes the name and number of wan0 between two looks: the program never sees wan0
        gone."""
        index = json.loads(run("ip", "-json", "link", "show", "wan0"))[0]["ifindex"]
        control, = stopped_thread.threads_of(self.program.process.pid, "tp-control")
        with stopped_thread.held(control):
            run("ip", "link", "del", "wan0")
            dpdk_lab.veth("wan0", "wan1", index)
        swapped = time.monotonic()
        recovered, _ = self.program.said("port wan: recovered", since=swapped)
        self.wan.close()
        self.wan = dpdk_lab.Sender("wan1")
        self.addCleanup(self.wan.close)
        self.wan_works_both_ways()
        print(f"back after {1000 * (recovered - swapped):.0f} ms", flush=True)
        self.faults_over(self.program.stop(), 1, "gone")
        self.nothing_stays()

    def faults_over(self, summary, times, fault):
        """Checks that the ports had only this fault, this many times. Ignores the missing link of a new interface,
        and workers that a busy machine stops."""
        self.assertEqual([("port wan", fault, False, times)],
                         [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]
                          if f["subject"].startswith("port") and f["fault"] in (fault, "gone", "detached", "tx_blocked")])

    def ports(self, summary):
        return {port["name"]: port for port in summary["ports"]}
