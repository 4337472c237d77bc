#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Links that go down and interfaces that vanish under twinpath-dpdk: the other ports go on, every
packet stays accounted for, it is said in the log and in telemetry, and it recovers by itself.

  links_test.py TWINPATH-DPDK XDP-OBJECT

XDP-OBJECT holds a program bare_drop that is not Twinpath's."""
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

isolation.require()
PROGRAM, OBJECT = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]
POLICY = """{"version": 1, "rules": [
  {"name": "watched", "match": {"port": "lan"}, "forward": {"port": "wan"}},
  {"name": "other", "match": {"port": "in"}, "forward": {"port": "out"}}],
 "default": {"forward": "drop"}}"""
CPUS = sorted(os.sched_getaffinity(0))[:2]
PAIRS = {"lan0": "lan1", "wan0": "wan1", "in0": "in1", "out0": "out1"}


class Links(unittest.TestCase):
    """Two wires: lan to wan, which suffers, and in to out, which must not."""
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
        """The interface and its other end."""
        dpdk_lab.veth(near, PAIRS[near], queues=len(self.lcores))

    @staticmethod
    def remove(near):
        if os.path.exists(f"/sys/class/net/{near}"):
            run("ip", "link", "del", near)

    def devices(self):
        """What grows with each AF_XDP device that the program has open."""
        files = pathlib.Path(f"/proc/{self.program.process.pid}/fd")
        found = 0
        for file in files.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found += os.readlink(file) == "anon_inode:bpf-prog"
        return found

    @staticmethod
    def program_of(interface):
        """The id of the XDP program that it carries."""
        return json.loads(run("ip", "-json", "link", "show", interface))[0]["xdp"]["prog"]["id"]

    def nothing_stays(self):
        """Of the program that ended, on its interfaces."""
        links = run("ip", "-details", "link")
        self.assertNotIn("xdp", links)
        self.assertNotIn("PROMISC", links)

    def sent(self, count):
        """Sends so many into lan, never more at once than its RX ring holds, and returns when the policy has
        decided on all of them."""
        while count:
            some = min(count, 500)
            count -= some
            self.lan.send(some, per_second=20000)
            until("all are decided", lambda: self.telemetry.total("lan", "rx_packets") == self.lan.number)

    def the_others_go_on(self):
        self.other.send(500)
        until("the other wire carries all", lambda: arrived("out1") == self.other.number)

    def wan_works_both_ways(self):
        """Frames go out by it, and what it receives meets the policy."""
        before, got = arrived("wan1"), self.telemetry.total("wan", "rx_packets")
        self.sent(500)
        until("frames leave by it", lambda: arrived("wan1") >= before + 500)
        self.wan.send(500, per_second=20000)
        until("frames come in by it", lambda: self.telemetry.total("wan", "rx_packets") == got + 500)

    def wan_comes_back(self):
        """Once it was seen to be gone: an interface of its name is there, is taken, and works."""
        back = time.monotonic()
        self.make("wan0")
        self.program.said("port wan: is back", since=back)
        self.wan.close()
        self.wan = dpdk_lab.Sender("wan1")
        self.addCleanup(self.wan.close)
        self.wan_works_both_ways()

    def another_takes_its_place(self):
        """Another interface of the same name and number, between two looks: the link was never seen to be gone."""
        index = json.loads(run("ip", "-json", "link", "show", "wan0"))[0]["ifindex"]
        control, = stopped_thread.threads_of(self.program.process.pid, "tp-control")
        with stopped_thread.held(control):
            run("ip", "link", "del", "wan0")
            dpdk_lab.veth("wan0", "wan1", index)
        swapped = time.monotonic()
        recovered, _ = self.program.said("port wan: is back", since=swapped)
        self.wan.close()
        self.wan = dpdk_lab.Sender("wan1")
        self.addCleanup(self.wan.close)
        self.wan_works_both_ways()
        print(f"back after {1000 * (recovered - swapped):.0f} ms", flush=True)
        self.faults_over(self.program.stop(), 1, "gone")
        self.nothing_stays()

    def faults_over(self, summary, times, fault):
        """That fault, so many times, is all that was wrong with the ports; but that an interface which was made
        has no link yet may be seen, and on a busy machine workers stand still."""
        self.assertEqual([("port wan", fault, False, times)],
                         [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]
                          if f["subject"].startswith("port") and f["fault"] in (fault, "gone", "detached", "tx_blocked")])

    def ports(self, summary):
        return {port["name"]: port for port in summary["ports"]}


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
        # What the kernel took from us while there was no link, it dropped, and says so.
        self.assertEqual(summary["totals"]["tx_full_packets"], 0)
        self.assertEqual(arrived("wan1") + wan["interface_tx_dropped_packets"], self.lan.number)
        self.assertGreaterEqual(wan["interface_tx_dropped_packets"], 1400)
        self.faults_over(summary, 2, "link_down")

    def test_an_interface_is_set_down_and_up(self):
        run("ip", "link", "set", "wan0", "down")
        self.program.said("port wan: link down")
        self.sent(3000)  # more than its TX ring holds
        self.the_others_go_on()
        self.assertGreater(self.telemetry.port("wan")["tx_full_packets"], 0)
        up = time.monotonic()
        run("ip", "link", "set", "wan0", "up")
        recovered, _ = self.program.said("port wan: link up, after", since=up)
        self.sent(100)
        refused = self.telemetry.total("lan", "tx_full_packets")
        until("what waited arrives, too", lambda: arrived("wan1") == self.lan.number - refused)
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
            said, _ = self.program.said("port wan: wan0 is gone", since=gone)
            self.assertEqual(self.telemetry.port("wan")["link"], "gone")
            self.assertEqual(self.telemetry.fault("port wan", "gone")["active"], 1)
            self.sent(100 if turn else 3000)
            self.the_others_go_on()
            back = time.monotonic()
            self.make("wan0")
            recovered, line = self.program.said("port wan: is back", since=back)
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
        # The mbufs of the device that went are free again: a ring's worth would be missing each time.
        self.assertLess(free[0] - free[-1], 1000, free)
        self.faults_over(summary, 4, "gone")
        self.nothing_stays()

    def test_an_interface_goes_to_another_network_namespace_and_back(self):
        """It takes the program's own XDP program along, and brings it back."""
        run("ip", "netns", "add", "elsewhere")
        self.addCleanup(run, "ip", "netns", "delete", "elsewhere")
        for until_then in ("its device is closed", "it is gone", "nothing is seen of it"):
            devices = self.devices()
            moved = time.monotonic()
            run("ip", "link", "set", "wan0", "netns", "elsewhere")
            if until_then != "nothing is seen of it":
                self.program.said("port wan: wan0 is gone", since=moved)
                if until_then == "its device is closed":
                    until("its device is closed", lambda d=devices: self.devices() < d)
                self.the_others_go_on()
                self.assertIn("xdp", run("ip", "-netns", "elsewhere", "link", "show", "wan0"))
            back = time.monotonic()
            run("ip", "-netns", "elsewhere", "link", "set", "wan0", "netns", str(os.getpid()))
            dpdk_lab.quiet("wan0")
            recovered, _ = self.program.said("port wan: is back", since=back)
            self.wan_works_both_ways()
            print(f"until {until_then}; back from there after {1000 * (recovered - back):.0f} ms", flush=True)
        self.assertNotIn("already carries", self.program.log())
        self.faults_over(self.program.stop(), 3, "gone")
        self.nothing_stays()

    def test_an_xdp_program_that_is_taken_off(self):
        """As `ip link set wan0 xdp off` does."""
        for _ in range(2):
            taken = time.monotonic()
            run("ip", "link", "set", "wan0", "xdp", "off")
            said, line = self.program.said("port wan: wan0 does not carry the port's XDP program", since=taken)
            recovered, _ = self.program.said("port wan: is back", since=taken)
            self.wan_works_both_ways()
            print(f"taken off, told after {1000 * (said - taken):.0f} ms, back {1000 * (recovered - said):.0f} ms "
                  f"later; {line}", flush=True)
        self.the_others_go_on()
        self.faults_over(self.program.stop(), 2, "detached")
        self.nothing_stays()

    def test_an_xdp_program_that_another_one_took_the_place_of(self):
        taken = time.monotonic()
        run("ip", "-force", "link", "set", "wan0", "xdp", "obj", OBJECT, "program", "bare_drop")
        program = self.program_of("wan0")
        said, line = self.program.said(f"port wan: wan0 carries another XDP program (bare_drop, id {program})", since=taken)
        self.assertEqual(self.telemetry.fault("port wan", "detached")["active"], 1)
        self.sent(1000)
        until("frames leave by it", lambda: arrived("wan1") == 1000)
        self.the_others_go_on()
        self.assertEqual(self.program_of("wan0"), program)
        off = time.monotonic()
        run("ip", "link", "set", "wan0", "xdp", "off")
        recovered, _ = self.program.said("port wan: is back", since=off)
        self.wan_works_both_ways()
        print(f"another program, told after {1000 * (said - taken):.0f} ms; {line}; when it was taken off, back after "
              f"{1000 * (recovered - off):.0f} ms", flush=True)
        # It is left alone at the end of the run, too.
        again = time.monotonic()
        run("ip", "-force", "link", "set", "wan0", "xdp", "obj", OBJECT, "program", "bare_drop")
        program = self.program_of("wan0")
        self.program.said(f"port wan: wan0 carries another XDP program (bare_drop, id {program})", since=again)
        summary = self.program.stop()
        self.assertEqual(self.program_of("wan0"), program)
        run("ip", "link", "set", "wan0", "xdp", "off")
        self.assertEqual([("port wan", "detached", True, 2)],
                         [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]
                          if f["subject"] == "port wan" and f["fault"] != "link_down"])
        self.nothing_stays()

    def test_another_interface_of_the_same_name_and_number(self):
        self.another_takes_its_place()

    def test_an_interface_that_comes_back_otherwise_is_refused_and_told(self):
        run("ip", "link", "del", "wan0")
        self.program.said("port wan: wan0 is gone")
        back = time.monotonic()
        run("ip", "link", "add", "wan0", "mtu", "9000", "type", "veth", "peer", "name", "wan1")
        self.program.said("port wan: interface wan0 has an MTU of 9000", since=back)
        self.the_others_go_on()
        for end in ("wan0", "wan1"):
            run("ip", "link", "set", end, "mtu", "1500", "up")
        self.program.said("port wan: is back", since=back)
        until("the link is up", lambda: self.telemetry.ask("/twinpath/info")["faults_active"] == 0)
        self.assertEqual(self.telemetry.fault("port wan", "gone")["times"], 1)


@unittest.skipIf(len(CPUS) < 2, "needs two CPUs")
class TwoWorkersTest(Links):
    """The second one has the second queue of each port, on which nothing arrives."""
    lcores = CPUS

    def test_a_worker_that_stands_still_holds_up_one_port_alone(self):
        devices = self.devices()
        self.remove("out0")
        self.program.said("port out: out0 is gone")
        until("its devices are closed", lambda: self.devices() < devices)
        worker, = stopped_thread.threads_of(self.program.process.pid, "rte-worker", "lcore-worker")
        with stopped_thread.held(worker):
            self.remove("wan0")
            self.program.said("port wan: wan0 is gone")  # and its devices stay: the worker might use them
            self.make("out0")
            back = time.monotonic()

            def arrives():
                self.other.send(10)
                return arrived("out1") > 0
            until("frames leave by the port that is back", arrives)
            print(f"frames leave by it {1000 * (time.monotonic() - back):.0f} ms after it is back", flush=True)
        self.program.said("port out: is back")
        self.wan_comes_back()
        self.program.stop()
        self.nothing_stays()


class AdaptiveTest(Links):
    """The worker sleeps while nothing comes, also while a port is gone, and a frame of the one that came
    back wakes it."""
    options = ("--idle", "adaptive")

    def mean_sleep(self):
        """Microseconds, of the next fifty that begin."""
        def now():
            lcore, = self.telemetry.list("/twinpath/lcores")
            return lcore["sleeps"], lcore["slept_us"]
        sleeps, slept = now()
        until("it sleeps", lambda: now()[0] >= sleeps + 50)
        more, us = now()
        return (us - slept) / (more - sleeps)

    def listened_to(self):
        """How many files end a sleep of any thread of the program."""
        process = pathlib.Path(f"/proc/{self.program.process.pid}")
        found = 0
        for file in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                if os.readlink(file) == "anon_inode:[eventpoll]":
                    found += (process / "fdinfo" / file.name).read_text().count("tfd:")
        return found

    def test_an_interface_vanishes_and_comes_back(self):
        asleep = [self.mean_sleep()]
        listened_to = self.listened_to()
        for _ in range(2):
            gone = time.monotonic()
            self.remove("wan0")
            self.program.said("port wan: wan0 is gone", since=gone)
            self.sent(1000)
            self.the_others_go_on()
            asleep.append(self.mean_sleep())
            until("what is closed wakes nobody", lambda: self.listened_to() == listened_to - 1)
            self.wan_comes_back()
            self.assertEqual(self.listened_to(), listened_to)
            asleep.append(self.mean_sleep())
        print("mean sleeps: " + ", ".join(f"{us:.0f} us" for us in asleep), flush=True)
        # Naps, of a worker that frames do not wake, are of 250 us at the most; it waits for frames for 10 ms.
        self.assertGreater(min(asleep), 1000)
        self.faults_over(self.program.stop(), 2, "gone")
        self.nothing_stays()


class AfPacketTest(Links):
    """The interface of a vdev."""
    wan_device = "net_af_packet0,iface=wan0"

    def test_another_interface_of_the_same_name_and_number(self):
        self.another_takes_its_place()

    def test_an_interface_vanishes_and_comes_back(self):
        self.wan_works_both_ways()
        for _ in range(3):
            gone = time.monotonic()
            self.remove("wan0")
            self.program.said("port wan: wan0 is gone", since=gone)
            self.assertEqual(self.telemetry.port("wan")["link"], "gone")
            self.sent(3000)
            self.the_others_go_on()
            self.wan_comes_back()
        summary = self.program.stop()
        self.assertGreater(summary["totals"]["tx_full_packets"], 0)
        self.faults_over(summary, 3, "gone")
        self.nothing_stays()


unittest.main(verbosity=2)
