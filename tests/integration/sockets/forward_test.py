#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where twinpath-socket sends frames: every forward action, to wires and to the stacks of hosts. What it drops
or sends never reaches the stack of its interface, and what it passes does once.

  forward_test.py TWINPATH_SOCKET TWINPATH ENGINE
"""
import socket
import struct
import subprocess

from dpdk_lab import arrived, send_segments, until
from socket_lab import ENGINE, SocketTest, TaggedCapture
from wait import wait_for
from xdp_lab import FirstClassifier, main, remove, run
from xdp_traffic import Capture, frame, send

FRAMES = 500


def reflected(data):
    return data[6:12] + data[:6] + data[12:]


def tagged(number):
    """Such a frame with a VLAN tag, and one with two."""
    tags = struct.pack("!HH", 0x8100, 0x2000 | number % 4094 + 1)
    if number % 2:
        tags = struct.pack("!HH", 0x88a8, 7) + tags
    data = frame(number % 20)  # short enough for the tags
    return data[:12] + tags + data[12:]


def datagram(number):
    """Such a frame with a checksum that a stack accepts."""
    data = bytearray(frame(number))
    total = sum(struct.unpack("!10H", data[14:34]))
    struct.pack_into("!H", data, 24, ~((total & 0xffff) + (total >> 16)) & 0xffff)
    return bytes(data)


class Host:
    """UDP datagrams that the stack of an interface receives."""

    def __init__(self, interface, address="10.0.0.2", mac="02:00:00:00:00:02"):
        run("ip", "addr", "add", address + "/24", "dev", interface)
        run("ip", "link", "set", interface, "address", mac)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 25)  # SO_RCVBUFFORCE
        self.socket.bind((address, 5000))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def numbers(self, at_least=0):
        """The numbers of the datagrams so far; waits until there are at least `at_least`."""
        numbers = []
        while True:
            self.socket.settimeout(10 if len(numbers) < at_least else 0.05)
            try:
                numbers.append(struct.unpack_from("!Q", self.socket.recv(1 << 16))[0])
            except (TimeoutError, BlockingIOError):
                return numbers


class Forward(SocketTest):
    def sent(self, *forward, numbers=range(FRAMES), make=datagram, ports=("lan",)):
        """Sends frames into lan. Returns the summary."""
        ports = [word for port in ports for word in ("--port", f"{port}={port}")]
        with self.start(*ports, *forward) as program:
            send("gen", "lan", numbers, make=make)
            return program.stop()

    def check(self, summary, rx=FRAMES, **counted):
        self.assertEqual(("socket", ENGINE), (summary["path"], summary["engine"]))
        self.assertEqual(rx, summary["totals"]["rx_packets"])
        for name, count in counted.items():
            self.assertEqual(count, summary["totals"][name + "_packets"], name)

    def test_a_wire_carries_every_byte_in_order(self):
        self.wire()
        with Capture("sink") as capture:
            self.check(self.sent("--forward", "wire", ports=("lan", "wan")), tx=FRAMES)
            self.same([datagram(number) for number in range(FRAMES)], capture.frames(at_least=FRAMES))

    def test_reflect_swaps_the_mac_addresses_and_nothing_else(self):
        self.wire()
        with Capture("gen") as capture:
            self.check(self.sent("--forward", "reflect"), tx=FRAMES)
            self.same([reflected(datagram(number)) for number in range(FRAMES)], capture.frames(at_least=FRAMES))

    def test_what_is_dropped_never_reaches_the_stack(self):
        self.wire()
        with Host("lan") as host:
            self.check(self.sent("--forward", "drop"), denied=FRAMES)
            self.assertEqual([], host.numbers())

    def test_what_is_sent_never_reaches_the_stack(self):
        self.wire()
        with Host("lan") as host, Capture("sink") as capture:
            self.check(self.sent("--forward", "wire", ports=("lan", "wan")), tx=FRAMES)
            self.assertEqual(FRAMES, len(capture.frames(at_least=FRAMES)))
            self.assertEqual([], host.numbers())

    def test_what_passes_reaches_the_stack_once(self):
        self.wire()
        with Host("lan") as host:
            self.check(self.sent("--forward", "pass"), **{"pass": FRAMES})
            self.assertEqual(list(range(FRAMES)), host.numbers(at_least=FRAMES))

    def test_half_is_lost_and_the_stack_gets_the_rest_once(self):
        self.wire()
        with Host("lan") as host:
            summary = self.sent("--forward", "pass", "--loss", "50%", "--seed", "3")
            passed = summary["totals"]["pass_packets"]
            self.check(summary, lost=FRAMES - passed)
            self.assert_loss(0.5, FRAMES - passed, FRAMES)
            numbers = host.numbers(at_least=passed)
            self.assertEqual(sorted(set(numbers)), numbers)
            self.assertEqual(passed, len(numbers))

    def test_a_bridge_passes_to_its_own_stack_once(self):
        """An interface without native XDP: engines that need XDP use it behind the driver."""
        self.wire()
        run("ip", "link", "add", "br0", "type", "bridge")
        self.addCleanup(remove, "br0")
        run("ip", "link", "set", "lan", "master", "br0")
        run("ip", "link", "set", "br0", "up")
        with Host("br0") as host, self.start("--port", "br=br0", "--forward", "pass") as program:
            send("gen", "lan", range(FRAMES), make=datagram)
            self.assertEqual(list(range(FRAMES)), host.numbers(at_least=FRAMES))
            self.check(program.stop(), **{"pass": FRAMES})
            if ENGINE != "af_xdp":
                return
            self.assertIn("generic XDP", program.messages)
        policy = self.policy({"forward": "drop"}, {"name": "tagged", "match": {"vlan": 7}, "forward": "pass"})
        self.refused("after the kernel removed their VLAN tags, and the policy matches \"vlan\"", "--port", "br=br0",
                     "--policy", policy)

    def test_the_stack_receives_again_afterwards(self):
        self.wire()
        with Host("lan") as host:
            self.sent("--forward", "drop")
            send("gen", "lan", range(FRAMES), make=datagram)
            self.assertEqual(list(range(FRAMES)), host.numbers(at_least=FRAMES))

    def test_kill_leaves_nothing(self):
        self.wire()
        with Host("lan") as host:
            with self.start("--port", "lan=lan", "--forward", "drop") as program:
                send("gen", "lan", range(FRAMES), make=datagram)
                self.assertEqual([], host.numbers())
                program.process.kill()
                program.process.wait(30)
            def received_again():
                send("gen", "lan", [FRAMES], make=datagram)
                return host.numbers() != []
            wait_for("the stack", received_again)
            self.assertEqual("", subprocess.run(["tc", "filter", "show", "dev", "lan", "ingress"], text=True,
                                                capture_output=True, timeout=60).stdout)
            self.check(self.sent("--forward", "drop"), denied=FRAMES)  # the next start works

    def test_vlan_tags_are_kept_and_decided(self):
        self.wire()
        rules = [{"name": "one", "match": {"vlan": 11}, "forward": {"port": "wan"}},
                 {"name": "two", "match": {"vlan": 7}, "forward": {"port": "wan"}}]
        policy = self.policy({"forward": "drop"}, *rules)
        sent = [tagged(number) for number in range(FRAMES)]
        wanted = [data for data in sent if struct.unpack_from("!H", data, 14)[0] & 0xfff in (7, 11)]
        self.assertGreater(len(wanted), FRAMES / 2)  # those with two tags
        with TaggedCapture("sink") as capture:
            summary = self.sent("--policy", policy, make=tagged, ports=("lan", "wan"))
            self.check(summary, tx=len(wanted), denied=FRAMES - len(wanted))
            self.same(wanted, capture.frames(at_least=len(wanted)))
        self.assertEqual(sum(map(len, sent)), summary["totals"]["rx_bytes"])
        self.assertEqual(sum(map(len, wanted)), summary["totals"]["tx_bytes"])

    def test_frames_that_are_too_long_for_the_out_port_are_tx_full(self):
        self.wire()
        run("ip", "link", "set", "wan", "mtu", "1000")
        long = [number for number in range(FRAMES) if len(datagram(number)) > 1014]
        with Capture("sink") as capture:
            summary = self.sent("--forward", "wire", ports=("lan", "wan"))
            self.check(summary, tx=FRAMES - len(long), tx_full=len(long))
            self.assertEqual(len(long), summary["ports"][1]["tx_too_long_packets"])
            self.same([datagram(number) for number in range(FRAMES) if number not in set(long)],
                             capture.frames(at_least=FRAMES - len(long)))

    if ENGINE == "packet_mmap":  # the other engines get no segments, or send none
        def test_segments_become_packets_within_the_mtu(self):
            self.wire()
            run("ip", "link", "set", "wan", "mtu", "1000")
            with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire") as program:
                before = arrived("sink")
                for size, count in ((1000 - 40, 20), (1000 - 40 + 1, 30), (1400, 10)):
                    send_segments("gen", size, count)
                until("those that were sent arrive", lambda: arrived("sink") == before + 20)
                summary = program.stop()
            self.check(summary, rx=60, tx=20, tx_full=40)
            self.assertEqual(40, summary["ports"][1]["tx_too_long_packets"])

    if ENGINE != "af_xdp":  # there XDP keeps frames from the stack
        def test_another_program_of_the_classifier_before_the_guard(self):
            self.wire()
            with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire") as program:
                other = FirstClassifier("lan", b"other")
                line = next(line for line in program.process.stderr if "port lan: another program" in line)
                self.assertRegex(line, r"another program of the classifier \(other, id \d+\) runs before Twinpath's on lan; if "
                                       r"it ends the chain, the host's own stack receives the port's frames, too: detach it")
                other.close()
                next(line for line in program.process.stderr if "port lan: no other program of the classifier" in line)
                summary = program.stop()
            self.assertEqual([("port lan", "preceded", False, 1)],
                             [(f["subject"], f["fault"], f["active"], f["times"]) for f in summary["faults"]])

    def test_a_port_that_is_down_refuses(self):
        self.wire()
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire") as program:
            run("ip", "link", "set", "wan", "down")
            next(line for line in program.process.stderr if "port wan: link down" in line)
            send("gen", "lan", range(FRAMES), make=datagram)
            self.check(program.stop(), tx_full=FRAMES)

    def test_a_port_whose_interface_went_away_counts_as_no_port_and_recovers(self):
        self.wire()
        with self.start("--port", "lan=lan", "--port", "wan=wan", "--forward", "wire") as program:
            send("gen", "lan", range(FRAMES), make=datagram)
            remove("wan")
            told = next(line for line in program.process.stderr if " disappeared" in line)
            self.assertIn("port wan: wan disappeared; packets for it count as no_port", told)
            send("gen", "lan", range(FRAMES), make=datagram)
            self.veth("wan", "sink")
            next(line for line in program.process.stderr if "recovered: wan" in line)
            with Capture("sink") as capture:
                send("gen", "lan", range(FRAMES), make=datagram)
                self.assertEqual(FRAMES, len(capture.frames(at_least=FRAMES)))
            self.check(program.stop(), rx=3 * FRAMES, tx=2 * FRAMES, no_port=FRAMES)

    def test_two_programs_do_not_share_an_interface(self):
        self.wire()
        with self.start("--port", "lan=lan"):
            self.refused("port other: lan is already a port of another twinpath-socket", "--port", "other=lan",
                         "--file-prefix", "second")

    def test_the_host_sends_by_the_interface_as_ever(self):
        """What the interface itself sends is left alone, and is not received."""
        self.wire()
        with self.start("--port", "lan=lan", "--forward", "drop") as program, Capture("gen") as capture:
            send("lan", "gen", range(FRAMES), make=datagram)
            self.same([datagram(number) for number in range(FRAMES)], capture.frames(at_least=FRAMES))
            self.check(program.stop(), rx=0)


main()
