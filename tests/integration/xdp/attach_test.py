#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp does not touch XDP programs that are attached before it starts. --pin keeps its own programs
after it has ended.

  attach_test.py TWINPATH_XDP TWINPATH XDP_OBJECT

XDP_OBJECT has a foreign program, "bare_drop".
"""
import json
import shutil
import subprocess
import sys

from wait import wait_for
from xdp_lab import BPFFS, MODES, XdpTest, attached, main, maps_of, run
from xdp_traffic import Capture, number_of, send

OBJECT = sys.argv[3]
FRAMES = 2000
PINS = BPFFS / "twinpath"


class Carries(XdpTest):
    def setUp(self):
        super().setUp()
        self.wire()

    def test_another_instance(self):
        for mode in MODES:
            with self.subTest(mode=mode), self.start(
                    "--port", "lan=lan", "--forward", "drop", "--mode", mode) as program:
                _, number, name = attached()["lan"]
                for other in ("auto",) + MODES:
                    self.refused(rf"lan already has the XDP program {name} \(id {number}\)",
                                 "--port", "wan=wan", "--port", "lan=lan", "--mode", other,
                                 "--file-prefix", "other")
                send("gen", "lan", range(FRAMES))
                self.assertEqual(FRAMES, program.stop()["totals"]["denied_packets"])

    def test_somebody_elses_program(self):
        pin = BPFFS / "somebody"
        run("bpftool", "prog", "loadall", OBJECT, pin, "type", "xdp")
        self.addCleanup(shutil.rmtree, pin)
        for kind, mode in (("xdpdrv", "native"), ("xdpgeneric", "generic")):
            with self.subTest(mode=mode):
                run("ip", "link", "set", "lan", kind, "pinned", pin / "bare_drop")
                before = attached()
                self.assertEqual((mode, "bare_drop"), before["lan"][::2])
                for other in ("auto",) + MODES:
                    self.refused(
                        rf"lan already has the XDP program bare_drop \(id {before['lan'][1]}\)",
                        "--port", "lan=lan", "--mode", other)
                self.assertEqual(before, attached())
                with Capture("lan") as capture:
                    send("gen", "lan", range(FRAMES))
                    self.assertEqual([], capture.frames())
                run("ip", "link", "set", "lan", kind, "off")


class Pin(XdpTest):
    def setUp(self):
        super().setUp()
        self.wire()
        self.addCleanup(shutil.rmtree, PINS, ignore_errors=True)
        self.arguments = ("--port", "lan=lan", "--port", "wan=wan", "--forward", "wan", "--loss",
                          "50%", "--pin")

    def survivors(self, numbers):
        with Capture("sink") as capture:
            send("gen", "lan", numbers)
            return [number_of(frame) for frame in capture.frames(at_least=1)]

    def unpin(self):
        programs = [found[1] for found in attached().values()]
        shutil.rmtree(PINS)
        wait_for("detaching", lambda: not attached())
        for number in programs:
            wait_for("end of the program", lambda: maps_of(number) is None)

    def test_goes_on_deciding_as_if_the_program_were_there(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                with self.start(*self.arguments[:-1], "--mode", mode) as program:
                    whole = self.survivors(range(FRAMES))
                    program.stop()
                with self.start(*self.arguments, "--mode", mode) as program:
                    before = attached()
                    self.assertEqual({"lan", "wan"}, set(before))
                    first = self.survivors(range(FRAMES // 2))
                    self.assertEqual(FRAMES // 2, program.stop()["totals"]["rx_packets"])
                self.assertEqual(before, attached())
                self.assertEqual(whole, first + self.survivors(range(FRAMES // 2, FRAMES)))
                self.assert_loss(0.5, FRAMES - len(whole), FRAMES)
                self.unpin()

    def test_outlives_a_kill(self):
        with self.start(*self.arguments) as program:
            before = attached()
            program.process.kill()
            program.process.wait(30)
        self.assertEqual({"lan", "wan"}, set(before))
        self.assertEqual(before, attached())
        self.unpin()

    def test_every_port_has_its_link_and_maps(self):
        with self.start(*self.arguments) as program:
            program.stop()
        for port in ("lan", "wan"):
            names = {path.name for path in (PINS / port).iterdir()}
            self.assertLessEqual({"link", "tp_states", "tp_rules", "twinpath_bss"}, names)
            # `link show pinned` of bpftool 7.5 (Debian 13) prints the link and ends with 255.
            link, = [link for link in json.loads(run("bpftool", "--json", "--bpffs", "link", "show"))
                     if str(PINS / port / "link") in link.get("pinned", [])]
            self.assertEqual(attached()[port][1], link["prog_id"])
        # One port's pins hold the maps, but not the other port's program.
        shutil.rmtree(PINS / "lan")
        wait_for("detaching", lambda: set(attached()) == {"wan"})

    def test_a_second_start_is_refused(self):
        with self.start(*self.arguments) as program:
            program.stop()
        for more in ((), ("--file-prefix", "other")):
            self.refused(r"lan already has the XDP program tp_\w+ \(id \d+\)",
                         *self.arguments, *more)
        self.unpin()

    def test_pins_without_their_interface_are_left_alone(self):
        (PINS / "wan").mkdir(parents=True)
        self.refused(r"port wan: /sys/fs/bpf/twinpath/wan holds the pins.*rm -r", *self.arguments)

    def test_a_port_name_with_a_dot(self):
        # bpffs allows no dot in a name.
        with self.start("--port", "lan.100=lan", "--forward", "pass", "--pin") as program:
            program.stop()
        self.assertEqual({"lan"}, set(attached()))
        self.refused("lan already has", "--port", "lan.100=lan", "--pin")
        self.unpin()

    def test_what_fails_leaves_no_pin(self):
        # The second port has no native mode. This is found when the first port is attached already.
        self.refused(r"port other \(lo\): .*no native XDP", "--port", "lan=lan", "--port",
                     "other=lo", "--mode", "native", "--pin")
        self.assertFalse(PINS.exists())

    def test_without_a_bpffs(self):
        subprocess.run(["umount", BPFFS], check=True)
        self.addCleanup(run, "mount", "-t", "bpf", "bpf", BPFFS)
        self.refused("no bpffs is mounted at /sys/fs/bpf.*mount -t bpf bpf /sys/fs/bpf",
                     *self.arguments)


main()
