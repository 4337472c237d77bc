#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-socket from its start to its end: which packets it loses, several queues, policies that replace one
another, and each end under load.

  run_test.py TWINPATH_SOCKET TWINPATH ENGINE
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from reloading import reload, reload_many
from socket_lab import ENGINE, QUEUES, SocketTest
from wait import wait_for
from xdp_lab import SOCKET, leavings, main, run
from xdp_traffic import Capture, frame, generate, received, send

TWINPATH = os.path.realpath(sys.argv[2])
CONTROL = pathlib.Path("/run/dpdk/twinpath-socket/twinpath_control")
FRAMES, LOAD = 1000, 100000
ENDLESS = 1 << 40  # frames; the test stops the generator
WAN = {"port": "wan"}
LOST = [0, "10-19", 250]
SEQUENCE = {"model": "sequence", "packets": LOST, "repeat": 300}


def is_lost(number):
    return number % 300 in (0, 250, *range(10, 20))


def at_rest():
    before = received("lan")
    time.sleep(0.1)
    return received("lan") == before


def arrived(summary):
    """What came to lan: received, or lost by its ring before."""
    return (sum(queue["rx_packets"] for queue in summary["queues"] if queue["port"] == "lan")
            + summary["ports"][0]["ring_full_packets"])


class Run(SocketTest):
    def setUp(self):
        super().setUp()
        # An AF_XDP socket is for one RX queue of an interface; the other engines spread frames themselves.
        self.wire(queues=QUEUES if ENGINE == "af_xdp" else 1)
        self.gro("lan")  # so that it receives the generator's frames
        self.ports = ("--port", "lan=lan", "--port", "wan=wan")
        self.queues = ("--queues", str(QUEUES))
        self.one = self.queues if ENGINE == "af_xdp" else ()  # all frames come by queue 0

    @contextlib.contextmanager
    def load(self):
        """Runs the generator into lan inside the `with`."""
        before = received("lan")
        with generate("gen", ENDLESS, cpu=1) as generator:
            try:
                wait_for("load", lambda: received("lan") >= before + LOAD)
                yield
                self.assertIsNone(generator.poll(), "the generator ended by itself")
            finally:
                generator.terminate()

    def test_a_sequence_is_lost_exactly(self):
        path = self.policy({"loss": SEQUENCE, "forward": WAN})
        with Capture("sink") as capture, self.start(*self.ports, *self.one, "--policy", path) as program:
            send("gen", "lan", range(FRAMES))
            wanted = [frame(number) for number in range(FRAMES) if not is_lost(number)]
            self.same(wanted, capture.frames(at_least=len(wanted)))
            totals = program.stop()["totals"]
        self.assertEqual((FRAMES, FRAMES - len(wanted)), (totals["rx_packets"], totals["lost_packets"]))

    def test_queues_share_the_flows(self):
        with Capture("sink") as capture, self.start(*self.ports, *self.queues, "--forward", "wire") as program:
            send("gen", "lan", range(FRAMES), cpus=(0, 1))
            self.same(sorted(frame(number) for number in range(FRAMES)),
                             sorted(capture.frames(at_least=FRAMES)))
            summary = program.stop()
        lan = [queue for queue in summary["queues"] if queue["port"] == "lan"]
        self.assertEqual(list(range(QUEUES)), [queue["queue"] for queue in lan])
        for queue in lan:
            self.assertGreater(queue["rx_packets"], 0)
            self.assertGreaterEqual(queue["cpu"], 0)
        self.assertEqual(FRAMES, summary["totals"]["tx_packets"])

    def test_a_signal_under_load(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number), self.start(*self.ports, "--forward", "wire", "--loss", "10%",
                                                         *self.queues) as program, self.load():
                summary = program.stop(number)
                totals = summary["totals"]
                self.assertGreater(totals["tx_packets"], 0)
                self.assertEqual(totals["rx_packets"],
                                 sum(totals[f"{name}_packets"] for name in ("tx", "lost", "tx_full")))
                self.assert_loss(0.1, totals["lost_packets"], totals["rx_packets"], deviations=5)
                self.assertFalse(SOCKET.exists())

    def test_every_frame_is_accounted_for(self):
        with self.start(*self.ports, "--forward", "drop", *self.queues) as program:
            before = received("lan")
            with self.load():
                pass
            wait_for("rest", at_rest)
            summary = program.stop()
            self.assertEqual(received("lan") - before, arrived(summary))

    def test_nothing_is_left_whatever_the_end(self):
        before = leavings()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number=number), self.load(), self.start(*self.ports, *self.one, "--forward", "wire") as program:
                program.process.send_signal(number)
                program.process.wait(30)
                SOCKET.unlink(missing_ok=True)
                for interface in ("lan", "wan"):
                    wait_for("the hold ends", lambda: '"promiscuity":0' in run("ip", "-json", "-d", "link", "show", interface))
                    self.assertEqual("", run("tc", "qdisc", "show", "dev", interface, "clsact"))
                left = {kind: found for kind, found in leavings().items() if kind != "files"}
                self.assertEqual({kind: found for kind, found in before.items() if kind != "files"}, left)

    def test_reloads_under_load_lose_nothing_and_mix_nothing(self):
        forwarded = {"name": "forwarded", "match": {"port": "lan", "src_port": "1024-1031"},
                     "loss": {"model": "periodic", "every": 10}, "forward": WAN}
        dropped = {"name": "dropped", "match": {"port": "lan", "src_port": "1032-1039"}, "forward": "drop"}
        nobody = {"name": "nobody", "match": {"port": "lan", "src_port": 7}, "forward": "reflect"}
        policies = [{"version": 1, "rules": rules, "default": {"forward": "reflect"}}
                    for rules in ([forwarded, dropped], [nobody, dropped, forwarded], [dropped, nobody, forwarded])]
        path = self.folder / "first.json"
        path.write_text(json.dumps(policies[0]))
        with self.start(*self.ports, "--policy", str(path), *self.queues) as program:
            before = received("lan")
            with self.load():
                rejected = reload_many(CONTROL, 40, policies[1:] + policies[:1], [b"{"])
            wait_for("rest", at_rest)
            summary = program.stop()
            self.assertEqual(received("lan") - before, arrived(summary))
        self.assertEqual((40, rejected), (summary["reloads"]["done"], summary["reloads"]["rejected"]))
        rules = {rule["name"]: rule for rule in summary["rules"]}
        self.assertEqual(0, rules["default"]["matched_packets"])
        matched = {name: rules[name]["matched_packets"] for name in ("forwarded", "dropped")}
        self.assertEqual(summary["totals"]["rx_packets"], sum(matched.values()))
        # Every tenth packet of each queue's stream, from the first policy to the last.
        self.assertLessEqual(abs(matched["forwarded"] / 10 - rules["forwarded"]["lost_packets"]), 2)

    def test_sighup_set_stats_and_explain(self):
        path = pathlib.Path(self.policy({"loss": SEQUENCE, "forward": "drop"}))
        with self.start(*self.ports, *self.one, "--policy", str(path)) as program:
            def ask(*arguments):
                return subprocess.run([TWINPATH, *arguments], capture_output=True, text=True, timeout=60)
            def running():
                return json.loads(ask("stats", "--json", "--path", "socket").stdout)
            self.assertEqual(("socket", ENGINE), (running()["path"], running()["engine"]))
            five = ("--five-tuple", "udp 10.0.0.1:1024 10.0.0.2:5000", "--port", "lan", "--queue", "0")
            for number in range(12):
                told = json.loads(ask("explain", "--running", "--json", "--path", "socket", *five).stdout)
                self.assertEqual(is_lost(number), "lost" in json.dumps(told["verdict"]), told)
                send("gen", "lan", [number])
                wait_for("its count", lambda n=number: running()["totals"]["rx_packets"] == n + 1)
            self.assertEqual(3, running()["totals"]["lost_packets"])
            self.assertEqual(0, ask("set", "--path", "socket", "--rule", "default", "--loss", "100%").returncode)
            path.write_text(json.dumps({"version": 1, "default": {"forward": "reflect"}}))
            program.process.send_signal(signal.SIGHUP)
            next(line for line in program.process.stderr if "SIGHUP: loaded" in line)
            self.assertEqual("error", list(reload(CONTROL, b"{"))[0])
            with Capture("gen") as capture:
                send("gen", "lan", range(20))
                self.assertEqual(20, len(capture.frames(at_least=20)))
            summary = program.stop()
        self.assertEqual((2, 1), (summary["reloads"]["done"], summary["reloads"]["rejected"]))


class Wrong(SocketTest):
    def test_an_engine_that_is_not_here_says_what_to_install(self):
        self.veth("gen", "lan")
        if ENGINE == "pcap":
            self.refused("--engine pf_ring: the libpcap here is not PF_RING's .*install PF_RING and its libpcap",
                         "--engine", "pf_ring", "--port", "lan=lan")
            self.refused("--queues: found 2, allowed 1: libpcap does not spread", "--port", "lan=lan", "--queues", "2")

    def test_what_af_xdp_does_not_take(self):
        if ENGINE != "af_xdp":
            return
        self.veth("gen", "lan", queues=2)
        self.refused(r"port lan \(lan\): --queues: found 1, allowed 2: af_xdp has a socket for each", "--port", "lan=lan")
        run("ip", "link", "set", "lan", "mtu", "9000")
        self.refused("the MTU of lan is 9000 bytes, and af_xdp takes at most 3822", "--port", "lan=lan",
                     "--queues", "2")
        run("ip", "link", "set", "lan", "mtu", "1500")
        with self.start("--port", "lan=lan", "--queues", "2"):
            second = ("--port", "lan=lan", "--queues", "2", "--file-prefix", "second")
            self.refused("lan is already a port of another twinpath-socket", *second)

    def test_each_is_refused_and_touches_nothing(self):
        self.veth("gen", "lan")
        for pattern, *arguments in (
                ("there is no interface nowhere", "--port", "lan=nowhere"),
                ("ports lan and wan are the same interface, lan", "--port", "lan=lan", "--port", "wan=lan"),
                ("allowed pass, drop, reflect, reflect-flow, reflect-echo, wire, or a port: lan", "--port", "lan=lan", "--forward", "wan"),
                ("--queues", "--port", "lan=lan", "--queues", "65")):
            with self.subTest(pattern=pattern):
                self.refused(pattern, *arguments)
        self.refused("needs CAP_NET_ADMIN and CAP_NET_RAW", "--port", "lan=lan", prefix=(
            "setpriv", "--bounding-set", "-net_raw,-net_admin", "--inh-caps", "-all"))


main()
