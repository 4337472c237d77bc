#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Links that go down and interfaces that disappear under twinpath-xdp: the other ports continue, the log and
telemetry report the fault, and the port recovers by itself.

  links_test.py TWINPATH_XDP TWINPATH"""
import json
import os
import pathlib
import time

import reloading
from dpdk_lab import Telemetry, until
from xdp_lab import MODES, SOCKET, XdpTest, attached, main, remove, run
from xdp_traffic import received, send

FRAMES = 500
POLICY = [{"name": "watched", "match": {"port": "lan"}, "forward": {"port": "out"}},
          {"name": "other", "match": {"port": "out"}, "forward": {"port": "lan"}}]


class Links(XdpTest):
    def said(self, program, text):
        """Waits for a line with `text` in the log; returns the time."""
        for line in program.process.stderr:
            program.messages += line
            if text in line:
                return time.monotonic()
        raise AssertionError(f"no line with {text!r} in the log: {program.messages}")

    def out(self):
        self.veth("out", "far")
        self.gro("far")

    def test_links_and_interfaces_that_go_and_come(self):
        self.wire()
        for mode in MODES:
            with self.subTest(mode=mode):
                self.out()
                ports = [word for port in ("lan", "out") for word in ("--port", f"{port}={port}")]
                with self.start("--policy", self.policy({"forward": "drop"}, *POLICY), *ports, "--mode", mode) as program:
                    self.go_and_come(program, mode)
                remove("out")

    def gone_and_back(self, telemetry, times):
        fault = telemetry.fault("port out", "gone")
        return fault["times"] == times and not fault["active"]

    def both_ways(self):
        until("the link is up", lambda: self.telemetry.port("out")["link"] == "up")
        before = received("far")
        send("gen", "lan", range(FRAMES))
        until("frames arrive at the new one", lambda: received("far") == before + FRAMES)
        back = received("gen")
        send("far", "out", range(FRAMES))
        until("and come in by it", lambda: received("gen") == back + FRAMES)

    def go_and_come(self, program, mode):
        telemetry = self.telemetry = Telemetry("twinpath-xdp")
        send("gen", "lan", range(FRAMES))
        until("all arrive", lambda: received("far") == FRAMES)
        down = time.monotonic()
        run("ip", "link", "set", "far", "down")
        told = self.said(program, "port out: link down")
        self.assertEqual(telemetry.port("out")["link"], "down")
        self.assertEqual(telemetry.fault("port out", "link_down")["active"], 1)
        up = time.monotonic()
        run("ip", "link", "set", "far", "up")
        again = self.said(program, "port out: link up, after")
        print(f"{mode}: link down told after {1000 * (told - down):.0f} ms, up after {1000 * (again - up):.0f} ms", flush=True)
        before = received("far")
        send("gen", "lan", range(FRAMES))
        until("frames arrive again", lambda: received("far") == before + FRAMES)
        for turn in range(2):
            gone = time.monotonic()
            remove("out")
            told = self.said(program, "port out: out disappeared")
            self.assertEqual(telemetry.port("out")["link"], "gone")
            send("gen", "lan", range(FRAMES))
            if turn == 1:  # a reload meanwhile: the programs that are attached again are the new ones
                answer = reloading.reload(SOCKET.parent / "twinpath_control", {
                    "version": 1, "rules": POLICY, "default": {"forward": "pass"}})
                self.assertIn("ok", answer)
            back = time.monotonic()
            self.out()
            again = self.said(program, "port out: recovered")
            self.assertEqual(mode, attached()["out"][0])
            self.both_ways()
            print(f"{mode}: gone told after {1000 * (told - gone):.0f} ms, back after {1000 * (again - back):.0f} ms", flush=True)
        # An interface that goes to another network namespace and comes back keeps its number.
        run("ip", "netns", "add", "elsewhere")
        run("ip", "link", "set", "out", "netns", "elsewhere")
        self.said(program, "port out: out disappeared")
        self.assertNotIn("xdp", run("ip", "-n", "elsewhere", "link", "show", "out"))
        run("ip", "-n", "elsewhere", "link", "set", "out", "netns", str(os.getpid()))
        pathlib.Path("/proc/sys/net/ipv6/conf/out/disable_ipv6").write_text("1")
        run("ip", "link", "set", "out", "up")
        self.said(program, "port out: recovered")
        self.both_ways()
        # It goes and comes back between two looks: number, link and program are as before, but the devmaps lost it.
        run("ip", "link", "set", "out", "netns", "elsewhere")
        run("ip", "-n", "elsewhere", "link", "set", "out", "netns", str(os.getpid()))
        pathlib.Path("/proc/sys/net/ipv6/conf/out/disable_ipv6").write_text("1")
        run("ip", "link", "set", "out", "up")
        until("it is seen and taken up", lambda: self.gone_and_back(telemetry, 4))
        run("ip", "netns", "delete", "elsewhere")
        self.both_ways()
        # Another interface takes its name and number between two looks.
        index = json.loads(run("ip", "-json", "link", "show", "out"))[0]["ifindex"]
        remove("out")
        self.veth("out", "far", index=index)
        self.gro("far")
        until("it is seen and taken up", lambda: self.gone_and_back(telemetry, 5))  # the log says it afterwards
        self.both_ways()
        telemetry.close()
        summary = program.stop()
        self.assertEqual(2 * FRAMES, summary["totals"]["no_port_packets"])
        faults = {(f["subject"], f["fault"]): (f["active"], f["times"]) for f in summary["faults"]}
        self.assertEqual((False, 5), faults["port out", "gone"])
        self.assertFalse(any(fault["active"] for fault in summary["faults"]), summary["faults"])


main()
