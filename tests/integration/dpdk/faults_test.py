#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Faults that must not stop twinpath-dpdk: a receiver that stops for a while, a mempool without free mbufs,
a worker that is stopped, a wall clock that is set. Other ports and workers continue, every packet is
accounted for, the log and telemetry report the fault, and the program recovers by itself.

TWINPATH_BLOCKED_SECONDS: how long the receiver stops (3).

  faults_test.py TWINPATH-DPDK STEP_CLOCK_LIBRARY"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import dpdk_lab
import isolation
import reloading
import stopped_thread
from dpdk_lab import run, until

isolation.require()
PROGRAM, STEP_CLOCK = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:]
BLOCKED_SECONDS = float(os.environ.get("TWINPATH_BLOCKED_SECONDS", "3"))
CPUS = sorted(os.sched_getaffinity(0))[:2]


class FaultsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, **more):
        program = dpdk_lab.Dpdk(PROGRAM, self.folder, *arguments, **more)
        self.addCleanup(program.__exit__)
        return program

    def file(self, name, content):
        (self.folder / name).write_text(json.dumps({"version": 1, **content}))
        return str(self.folder / name)

    def veth(self, near, far):
        dpdk_lab.veth(near, far)
        self.addCleanup(run, "ip", "link", "del", near)

    def sender(self, interface):
        sender = dpdk_lab.Sender(interface)
        self.addCleanup(sender.close)
        return sender

    def faults(self, summary):
        return [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]]

    def test_tx_that_blocks(self):
        """The receiver at the other end of a shared-memory wire is stopped."""
        for near, far in (("lan0", "lan1"), ("in0", "in1"), ("out0", "out1")):
            self.veth(near, far)
        wire = f"socket={self.folder}/wire,socket-abstract=no"
        policy = self.file("policy.json", {"rules": [
            {"name": "watched", "match": {"port": "lan"}, "forward": {"port": "wan"}},
            {"name": "other", "match": {"port": "in"}, "forward": {"port": "out"}}],
            "default": {"forward": "drop"}})
        program = self.start("--policy", policy, "--port", "lan=lan0", "--port", f"wan=net_memif0,role=server,{wire}",
                             "--port", "in=in0", "--port", "out=out0", "--lcores", str(CPUS[0]))
        receiver = self.start("--port", f"from=net_memif0,role=client,{wire}", "--forward", "drop",
                              "--lcores", str(CPUS[-1]), prefix="receiver")
        lan, other = self.sender("lan1"), self.sender("in1")
        until("the wire is there", lambda: program.telemetry.port("wan")["link"] == "up")
        received = lambda: receiver.telemetry.total("from", "rx_packets")
        refused_now = lambda: program.telemetry.total("lan", "tx_full_packets")
        lan.send(1000, per_second=4000)
        until("the receiver has all that its wire took", lambda: received() + refused_now() == lan.number)

        receiver.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        while time.monotonic() < stopped + BLOCKED_SECONDS:
            lan.send(400, per_second=4000)
            other.send(100)
            until("the other wire carries all", lambda: dpdk_lab.arrived("out1") == other.number)
        said, _ = program.said("port wan: TX takes no frames", since=stopped)
        self.assertEqual(program.telemetry.fault("port wan", "tx_blocked")["active"], 1)
        until("the policy has decided on all", lambda: program.telemetry.total("lan", "rx_packets") == lan.number)
        refused = program.telemetry.total("lan", "tx_full_packets")
        self.assertEqual(refused, program.telemetry.port("wan")["tx_full_packets"])
        self.assertGreater(refused, 0)

        resumed = time.monotonic()
        receiver.process.send_signal(signal.SIGCONT)
        until("what was in the ring arrives", lambda: received() + refused == lan.number)
        drained = time.monotonic()
        lan.send(1000, per_second=4000)
        recovered, line = program.said("port wan: TX takes frames again", since=resumed)
        until("frames arrive again", lambda: received() + refused_now() == lan.number)
        print(f"blocked {resumed - stopped:.1f} s, told {said - stopped:.2f} s after the receiver stopped; resumed: "
              f"drained after {1000 * (drained - resumed):.0f} ms, told after {1000 * (recovered - resumed):.0f} ms; "
              f"{refused} of {lan.number} refused, {received()} received; {line}", flush=True)
        end = receiver.stop()
        summary = program.stop()
        self.assertEqual(end["totals"]["rx_packets"] + summary["totals"]["tx_full_packets"], lan.number)
        # Before the receiver was there, and when it had ended, the wire had no link.
        self.assertEqual([fault for fault in self.faults(summary) if fault[1] != "link_down"],
                         [("port wan", "tx_blocked", False, 1)])
        # The whole process was stopped, so it does not report its worker as stalled.
        self.assertEqual([fault for fault in self.faults(end) if fault[1] != "link_down"], [])

    def test_a_mempool_run_dry(self):
        """A policy that sends the frames of a ring back into the ring, so that they hold all mbufs."""
        loop = {"rules": [{"name": "round", "match": {"port": "ring"}, "forward": {"port": "ring"}},
                          {"name": "in", "match": {"port": "lan"}, "forward": {"port": "ring"}}],
                "default": {"forward": "drop"}}
        profile = self.file("profile.json", {
            "ports": [{"name": "lan", "device": "net_tap0,iface=dry0"}, {"name": "ring", "device": "net_ring0"}],
            "lcores": str(CPUS[0]), "rx_descriptors": 64, "tx_descriptors": 64, "mbufs": 511, "mempool_cache": 0,
            "exception": "none"})
        program = self.start("--policy", self.file("loop.json", loop), "--profile", profile)
        pathlib.Path("/proc/sys/net/ipv6/conf/dry0/disable_ipv6").write_text("1")
        run("ip", "link", "set", "dry0", "arp", "off", "up")
        lan = self.sender("dry0")
        begun = time.monotonic()
        lan.send(3000, per_second=10000)
        said, line = program.said("mempool 0: exhausted")
        self.assertLess(program.telemetry.ask("/twinpath/info")["mempool_0_free_mbufs"], 32)
        self.assertEqual(program.telemetry.fault("mempool 0", "mempool_dry")["active"], 1)

        def counted():
            """Frames that were received; that the PMD took and had no mbuf for; that the kernel
            dropped; and that it handed to the PMD. Its queue before that holds a thousand more."""
            port = program.telemetry.port("lan")
            own = [int(pathlib.Path(f"/sys/class/net/dry0/statistics/tx_{what}").read_text())
                   for what in ("dropped", "packets")]
            return program.telemetry.total("lan", "rx_packets"), port["device_rx_no_mbuf_packets"], *own

        def waiting():
            """Of those that were sent; 0 or less where the kernel sent one of its own."""
            return lan.number - sum(counted()[2:])
        until("what does not wait is counted", lambda: waiting() <= 1000)
        print(f"dry told after {1000 * (said - begun):.0f} ms ({line.split(': ', 1)[1][:60]}...); of {lan.number} "
              f"frames {counted()[0]} received, {counted()[1]} had no mbuf, {counted()[2]} the kernel dropped, {waiting()} wait")
        received, missed, _, handed = counted()
        self.assertGreater(missed, 0)
        self.assertEqual(received + missed, handed)

        loop["rules"][0]["forward"] = "drop"
        ended = time.monotonic()
        answer = reloading.reload("/run/dpdk/faults/twinpath_control", {"version": 1, **loop})
        self.assertIn("ok", answer)
        recovered, line = program.said("mempool 0: recovered", since=ended)
        missed = counted()[1]  # some more may have met the dry mempool until then
        lan.send(200, per_second=2000)
        until("all are received", lambda: waiting() <= 0 and counted()[0] + counted()[1] == counted()[3])
        self.assertGreater(counted()[0], received)
        self.assertEqual(counted()[1], missed)
        print(f"the loop ended: mbufs again after {1000 * (recovered - ended):.0f} ms; {line}", flush=True)
        summary = program.stop()
        # The ring received what lan sent into it, and what it sent itself.
        sent = {queue["port"]: queue["tx_to"].get("ring", 0) for queue in summary["queues"]}
        ring = next(queue for queue in summary["queues"] if queue["port"] == "ring")
        self.assertEqual(ring["rx_packets"], sent["lan"] + sent["ring"])
        self.assertEqual([("mempool 0", "mempool_dry", False)], [fault[:3] for fault in self.faults(summary)])

    @unittest.skipIf(len(CPUS) < 2, "needs two CPUs")
    def test_a_worker_that_stands_still(self):
        program = self.start("--port", "a=net_null0", "--forward", "drop", "--queues", "2",
                             "--lcores", ",".join(map(str, CPUS)))
        packets = lambda: [lcore["packets"] for lcore in program.telemetry.list("/twinpath/lcores")]
        subject = f"lcore {CPUS[1]}"
        until("both workers run", lambda: min(packets()) > 0)
        for turn in range(2):
            worker, = stopped_thread.threads_of(program.process.pid, *stopped_thread.WORKERS)
            stopped = time.monotonic()
            with stopped_thread.held(worker):
                said, line = program.said(f"{subject}: worker stalled for", since=stopped)
                self.assertIn("(queues a/1)", line)
                self.assertEqual(program.telemetry.fault(subject, "stalled")["active"], 1)
                before = packets()
                until("the other worker goes on", lambda b=before: packets()[0] > b[0])
                self.assertEqual(packets()[1], before[1])
                resumed = time.monotonic()
            recovered, line = program.said(f"{subject}: worker runs again", since=resumed)
            print(f"told {said - stopped:.2f} s after it stood; goes on: told after {1000 * (recovered - resumed):.0f} ms; "
                  f"{line}", flush=True)
            self.assertLess(said - stopped, 60)  # for a busy machine; on an idle one, two seconds
        summary = program.stop()
        self.assertEqual([(subject, "stalled", False, 2)], self.faults(summary))

    def test_a_wall_clock_that_is_set(self):
        """The program sees the clock jump ten years forward and back; it uses another clock."""
        clock = self.folder / "clock"
        clock.write_text("0")
        self.veth("lan0", "lan1")
        policy = self.file("policy.json", {"rules": [
            {"name": "never", "match": {"port": "lan"}, "active": {"from": "9000s"}, "forward": "drop"},
            {"name": "now", "match": {"port": "lan"}, "active": {"for": "8000s"}, "forward": "reflect"}],
            "default": {"forward": "drop"}})
        environment = {**os.environ, "LD_PRELOAD": STEP_CLOCK, "STEP_CLOCK": str(clock)}
        program = self.start("--policy", policy, "--port", "lan=lan0", "--duration", "7200", environment=environment)
        lan = self.sender("lan1")
        before = program.telemetry.ask("/twinpath/info")["duration_us"]
        for jump in (315_000_000, -315_000_000, 0):
            clock.write_text(str(jump))
            jumped = time.monotonic()
            lan.send(500, per_second=10000)
            until("all come back", lambda: dpdk_lab.arrived("lan1") == lan.number)
            answer = reloading.reload("/run/dpdk/faults/twinpath_control", json.loads(pathlib.Path(policy).read_text()))
            self.assertEqual(answer["ok"]["continued"], 3)
            now = program.telemetry.ask("/twinpath/info")["duration_us"]
            self.assertGreater(now, before)
            self.assertLess(now - before, 600e6)
            before = now
            run("ip", "link", "set", "lan1", "down")
            program.said("port lan: link down", since=jumped)
            run("ip", "link", "set", "lan1", "up")
            _, line = program.said("port lan: link up, after", since=jumped)
            print(f"set by {jump} s: the run goes on after {1000 * (time.monotonic() - jumped):.0f} ms; {line}", flush=True)
        summary = program.stop()
        self.assertLess(summary["duration_s"], 600)
        rules = {rule["name"]: rule["matched_packets"] for rule in summary["rules"]}
        self.assertEqual(rules, {"never": 0, "now": lan.number, "default": 0})
        self.assertLess(summary["faults"][0]["total_ms"], 600e3)
        # That the clock did jump for it:
        self.assertGreater(abs(self.time_there(environment, clock, 315_000_000) - time.time()), 300_000_000)

    def time_there(self, environment, clock, jump):
        clock.write_text(str(jump))
        python = subprocess.run([sys.executable, "-c", "import time; print(time.time())"], env=environment,
                                              capture_output=True, text=True, check=True, timeout=60)
        return float(python.stdout)


unittest.main(verbosity=2)
