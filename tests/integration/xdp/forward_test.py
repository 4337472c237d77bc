#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp sends frames where the policy says: every forward action, in native and in generic mode, to the
stacks of other hosts and to a wire. Also into a veth that drops frames from native mode.

  forward_test.py TWINPATH_XDP TWINPATH
"""
from xdp_lab import MODES, XdpTest, attached, main, remove, run
from xdp_traffic import Capture, frame, jumbo, send

FRAMES = 500


class Forward(XdpTest):
    def host(self, name, interface, address):
        """Makes a network namespace whose eth0 has the address; its other end here is `interface`."""
        run("ip", "netns", "add", name)
        self.addCleanup(run, "ip", "netns", "del", name)
        run("ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", name)
        self.addCleanup(remove, interface)  # the kernel removes a namespace some time after `ip netns del`
        run("ip", "link", "set", interface, "up")
        run("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "netns", "exec", name, "ethtool", "-K", "eth0", "gro", "on")

    def ping(self, name, address):
        """Checks that a host gets answers to five pings."""
        run("ip", "netns", "exec", name, "ping", "-q", "-c", "5", "-i", "0.02", "-W", "5", address)

    def forwarded(self, mode, forward, watched, *ports):
        """Sends FRAMES frames into lan. Returns the frames that arrive at interface `watched`, and the
        summary."""
        ports = [word for port in ("lan",) + ports for word in ("--port", f"{port}={port}")]
        with Capture(watched) as capture, self.start(*ports, "--mode", mode,
                                                     *forward) as program:
            send("gen", "lan", range(FRAMES))
            summary = program.stop()
            left = summary["totals"]["tx_packets"] + summary["totals"]["pass_packets"]
            return capture.frames(at_least=left), summary

    def check_counted(self, summary, **counted):
        self.assertEqual(FRAMES, summary["totals"]["rx_packets"])
        for name, count in counted.items():
            self.assertEqual(count, summary["totals"][name + "_packets"], name)

    def test_pass_is_an_ordinary_interface(self):
        self.host("client", "lan", "10.1.0.2")
        run("ip", "addr", "add", "10.1.0.1/24", "dev", "lan")
        for mode in MODES:
            with self.subTest(mode=mode), self.start("--port", "lan=lan", "--mode", mode,
                                                     "--forward", "pass") as program:
                self.ping("client", "10.1.0.1")
                totals = program.stop()["totals"]
                self.assertGreaterEqual(totals["pass_packets"], 5)
                self.assertEqual(totals["rx_packets"], totals["pass_packets"])

    def test_wire_joins_two_hosts(self):
        self.host("client", "lan", "10.1.0.2")
        self.host("server", "wan", "10.1.0.3")
        for mode in MODES:
            with self.subTest(mode=mode), self.start("--port", "lan=lan", "--port", "wan=wan",
                                                     "--mode", mode, "--forward",
                                                     "wire") as program:
                self.ping("client", "10.1.0.3")
                self.ping("server", "10.1.0.2")
                summary = program.stop()
                for queue, other in zip(summary["queues"], ("wan", "lan")):
                    self.assertGreaterEqual(queue["rx_packets"], 10)
                    self.assertEqual({other: queue["rx_packets"]}, queue["tx_to"])

    def test_pass_brings_frames_to_the_stack_as_they_were(self):
        self.wire()
        for mode in MODES:
            with self.subTest(mode=mode):
                frames, summary = self.forwarded(mode, ("--forward", "pass"), "lan")
                self.assertEqual([frame(number) for number in range(FRAMES)], frames)
                self.check_counted(summary, **{"pass": FRAMES})

    def test_reflect_swaps_the_mac_addresses_and_nothing_else(self):
        self.wire()
        for mode in MODES:
            with self.subTest(mode=mode):
                frames, summary = self.forwarded(mode, ("--forward", "reflect"), "gen")
                sent = [frame(number) for number in range(FRAMES)]
                self.assertEqual([frame[6:12] + frame[:6] + frame[12:] for frame in sent],
                                 frames)
                self.check_counted(summary, tx=FRAMES)

    def test_drop_lets_nothing_through(self):
        self.wire()
        for mode in MODES:
            with self.subTest(mode=mode):
                frames, summary = self.forwarded(mode, ("--forward", "drop"), "lan")
                self.assertEqual([], frames)
                self.check_counted(summary, denied=FRAMES)

    def test_a_rule_sends_to_a_port(self):
        self.wire()
        rule = {"name": "one flow", "match": {"port": "lan", "proto": "udp", "src_port": 1026},
                "forward": {"port": "wan"}}
        policy = self.policy({"forward": "drop"}, rule)
        wanted = [frame(number) for number in range(2, FRAMES, 16)]
        for mode in MODES:
            with self.subTest(mode=mode):
                frames, summary = self.forwarded(mode, ("--policy", policy), "sink", "wan")
                self.assertEqual(wanted, frames)
                self.check_counted(summary, tx=len(wanted), denied=FRAMES - len(wanted))
                self.assertEqual([("one flow", len(wanted)), ("default", FRAMES - len(wanted))],
                                 [(rule["name"], rule["matched_packets"])
                                  for rule in summary["rules"]])

    def test_frames_in_fragments(self):
        self.wire()
        for name in ("gen", "lan", "wan", "sink"):
            run("ip", "link", "set", name, "mtu", "9000")
        for mode, why in (("native", "frames of its MTU come in fragments"), ("generic", "as asked")):
            with self.subTest(mode=mode), Capture("sink") as capture, self.start(
                    "--port", "lan=lan", "--port", "wan=wan", "--mode", mode, "--forward",
                    "wan") as program:
                send("gen", "lan", range(FRAMES), make=jumbo)
                sent = [jumbo(number) for number in range(FRAMES)]
                self.assertEqual(sent, capture.frames(at_least=FRAMES))
                summary = program.stop()
                self.assertIn(why, summary["ports"][0]["why"])
                self.check_counted(summary, tx=FRAMES)
                self.assertEqual(sum(map(len, sent)), summary["totals"]["rx_bytes"])

    def test_a_port_whose_interface_went_away_counts_as_no_port(self):
        self.wire()
        for mode in MODES:
            with self.subTest(mode=mode):
                self.veth("out", "far")
                self.gro("far")
                with self.start("--port", "lan=lan", "--port", "out=out", "--mode", mode,
                                "--forward", "out") as program:
                    send("gen", "lan", range(FRAMES))
                    remove("out")
                    send("gen", "lan", range(FRAMES))
                    told = next(line for line in program.process.stderr if " disappeared" in line)
                    self.assertEqual("port out: out disappeared; packets for it count as no_port; "
                                     "other ports are unaffected\n",
                                     told.partition(" twinpath-xdp: ")[2])
                    totals = program.stop()["totals"]
                self.assertEqual((FRAMES, FRAMES),
                                 (totals["tx_packets"], totals["no_port_packets"]))


class WithoutGro(XdpTest):
    """Frames that native mode sends into a veth are lost while its peer has neither GRO nor an XDP
    program."""

    def setUp(self):
        super().setUp()
        self.wire()
        self.gro("sink", on=False)
        self.ports = ("--port", "lan=lan", "--port", "wan=wan", "--forward", "wan")

    def check_arrival(self, *arguments, lan, wan):
        """Checks that all frames arrive, with the ports in these modes."""
        with Capture("sink") as capture, self.start(*self.ports, *arguments) as program:
            self.assertEqual({"lan": lan, "wan": wan},
                             {name: found[0] for name, found in attached().items()})
            send("gen", "lan", range(FRAMES))
            self.assertEqual([frame(number) for number in range(FRAMES)],
                             capture.frames(at_least=FRAMES))
            summary = program.stop()
        self.assertEqual(FRAMES, summary["totals"]["tx_packets"])
        return summary, program.messages

    def test_auto_takes_generic_mode_and_says_why(self):
        summary, messages = self.check_arrival(lan="generic", wan="generic")
        for port in summary["ports"]:
            self.assertEqual("generic", port["mode"])
            self.assertRegex(port["why"], r"wan \(wan\).*ethtool -K PEER gro on")
            self.assertIn(port["why"], messages)

    def test_native_is_refused_and_says_how_to_fix_it(self):
        self.refused(r"port wan \(wan\).*ethtool -K PEER gro on", *self.ports, "--mode", "native")

    def test_gro_on_the_peer_fixes_it(self):
        self.gro("sink")
        self.check_arrival("--mode", "native", lan="native", wan="native")

    def test_a_program_on_the_peer_fixes_it(self):
        with self.start("--port", "sink=sink", "--forward", "pass", "--file-prefix", "peer"):
            with Capture("sink") as capture, self.start(*self.ports, "--mode", "native"):
                send("gen", "lan", range(FRAMES))
                self.assertEqual([frame(number) for number in range(FRAMES)],
                                 capture.frames(at_least=FRAMES))

    def test_a_peer_with_more_queues_than_the_port(self):
        remove("wan")
        self.veth("wan", "sink", far_queues=2)
        self.gro("sink")
        self.check_arrival(lan="native", wan="generic")
        self.refused(r"port wan \(wan\): .*the peer has more TX queues", *self.ports, "--mode",
                     "native")

    def test_a_port_that_nothing_is_sent_to_need_not_take_any(self):
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "pass",
                        "--mode", "native"):
            self.assertEqual({"lan", "wan"}, set(attached()))

    def test_nor_need_one_whose_rules_send_nothing(self):
        """Only frames from lan are reflected. A rule that no frame can meet sends nothing."""
        policy = self.policy({"forward": "drop"}, {"name": "echo", "match": {"port": "lan"}, "forward": "reflect"},
                             {"name": "rest", "forward": "drop"}, {"name": "never", "forward": {"port": "wan"}})
        self.gro("gen")
        with self.start("--policy", policy, "--port", "lan=lan", "--port", "wan=wan", "--mode", "native"):
            self.assertEqual({"lan", "wan"}, set(attached()))


main()
