#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Telemetry of both datapaths, when all frames have arrived: `twinpath stats --json` equals the program's final
summary in every counter, and the answer to every command, read by DPDK's dpdk-telemetry.py, is complete.

  paths_test.py TWINPATH TWINPATH_DPDK TWINPATH_XDP
"""
import contextlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import isolation
from telemetry_reading import check_complete
from verdicts import check_conserved
from wait import wait_for

TWINPATH, DPDK, XDP = sys.argv[1:4]
RULES = 300  # more than fit into one answer
FRAMES = 3000


def frame(number):
    """A UDP datagram to port 5000 + number % (2 * RULES): half of the ports have a rule."""
    payload = struct.pack("!I", number) * 4
    udp = struct.pack("!HHHH", 1024 + number, 5000 + number % (2 * RULES), 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) + len(payload), number, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    ethernet = bytes.fromhex("020000000001 020000000002 0800")
    return ethernet + ip + udp + payload


def policy():
    rules = [{"name": f'rule "{i}" of 50%', "match": {"proto": "udp", "dst_port": 5000 + i},
              "loss": {"model": "random", "rate": "50%"}, "forward": "drop"}
             for i in range(RULES)]
    return {"version": 1, "seed": 11, "rules": rules,
            "default": {"loss": {"model": "random", "rate": "10%"}, "forward": "reflect"}}


def write_capture(path):
    with open(path, "wb") as capture:
        capture.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number in range(FRAMES):
            sent = frame(number)
            capture.write(struct.pack("<IIII", number, 0, len(sent), len(sent)) + sent)


def read_stats():
    """Returns the summary from `twinpath stats`; None if no program runs yet."""
    shown = subprocess.run([TWINPATH, "stats", "--json"], capture_output=True, text=True,
                           timeout=60)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def received(count):
    """Returns the summary if it has counted `count` frames, otherwise None."""
    summary = read_stats()
    return summary if summary and summary["totals"]["rx_packets"] >= count else None


@contextlib.contextmanager
def running(arguments, log):
    """Runs a program inside the `with`, and prints its messages if the test fails."""
    with open(log, "w") as output, subprocess.Popen(arguments, stdout=output,
                                                    stderr=subprocess.STDOUT) as program:
        try:
            yield program
        except BaseException:
            print(pathlib.Path(log).read_text(), file=sys.stderr)
            raise
        finally:
            program.terminate()
            try:
                program.wait(30)
            except subprocess.TimeoutExpired:
                program.kill()


class Paths(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.environ["RUNTIME_DIRECTORY"] = self.folder.name
        pathlib.Path(self.path("policy.json")).write_text(json.dumps(policy()))

    def path(self, name):
        return f"{self.folder.name}/{name}"

    def check(self, arguments, prefix, feed):
        with running(arguments, self.path("log")) as program:
            wait_for("the start", lambda: read_stats() or program.poll() is not None)
            self.assertIsNone(program.poll(), "ended by itself")
            feed()
            shown = wait_for("the arrival of all frames", lambda: received(FRAMES))
            check_complete(prefix, shown)
        self.assertEqual(program.returncode, 0)
        final = json.loads(pathlib.Path(self.path("summary.json")).read_text())
        self.assertGreaterEqual(final.pop("duration_s"), shown.pop("duration_s"))
        self.assertEqual(final, shown)
        totals = final["totals"]
        self.assertEqual(totals["rx_packets"], FRAMES)
        self.assertEqual(sum(rule["matched_packets"] for rule in final["rules"]), FRAMES)
        self.assertEqual(sum(rule["lost_packets"] for rule in final["rules"]),
                         totals["lost_packets"])
        check_conserved(final)

    def test_dpdk(self):
        write_capture(self.path("in.pcap"))
        device = f"net_pcap0,rx_pcap={self.path('in.pcap')},tx_pcap={self.path('out.pcap')}"
        self.check([DPDK, "--policy", self.path("policy.json"), "--port", f"lan={device}",
                    "--summary", self.path("summary.json"), "--",
                    "--no-huge", "-m", "256", "--no-pci"], "twinpath-dpdk", lambda: None)

    def test_xdp(self):
        def ip(*arguments):
            subprocess.run(["ip", *arguments], check=True)

        ip("link", "add", "tele-lan", "type", "veth", "peer", "name", "tele-gen")
        self.addCleanup(ip, "link", "del", "tele-lan")
        for interface in ("tele-lan", "tele-gen"):
            # The kernel is to send no frame of its own.
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")
            ip("link", "set", interface, "arp", "off", "up")

        def feed():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
                sender.bind(("tele-gen", 0))
                for number in range(FRAMES):
                    sender.send(frame(number))

        self.check([XDP, "--policy", self.path("policy.json"), "--port", "lan=tele-lan",
                    "--summary", self.path("summary.json")], "twinpath-xdp", feed)


if __name__ == "__main__":
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)
