#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How twinpath-splice connects to a target: never to its own socket, through the interface that has
the zone's name now, as often as --retry says; and each failure is logged or counted.

  connect_test.py TWINPATH_SPLICE
"""
import pathlib
import re
import socket
import subprocess
import urllib.parse

from splice_lab import DEAD, LOOPBACK, Server, Serving, SpliceTest, main, outcome, text

PORT_RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=20)


class Connect(SpliceTest):
    def ask(self, program, port):
        """Returns the outcome of a client with this port that sends one byte and its FIN."""
        host = program.address[0]
        client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        client.settimeout(20)
        client.bind((host, port))
        try:
            client.connect(program.address)
            client.sendall(b"?")
            client.shutdown(socket.SHUT_WR)
        except OSError:  # the reset may come first
            client.close()
            return b"", "reset"
        return outcome(client)

    def test_a_socket_that_connects_to_itself_is_a_failed_target(self):
        before = PORT_RANGE.read_text()
        PORT_RANGE.write_text("40050 40050")  # so connect() to this port chooses it as its source
        self.addCleanup(PORT_RANGE.write_text, before)
        for family, host in LOOPBACK.items():
            itself = text(host, 40050)
            with self.subTest(target=itself), self.start(
                    "--to", itself, "--retry", "0", listen=text(host, 20100)) as program:
                self.assertEqual((b"", "reset"), self.ask(program, 20001))
                self.assertIn(f"cannot connect to {itself}: nobody listens there: the socket "
                              "connected to itself", program.log())
                self.assertIn("; no target is left, client reset", program.log())
                # Closed by a reset, so the port is free for the next connection.
                ports = subprocess.run(["ss", "-tanH", "sport = :40050 and dport = :40050"], check=True,
                                       capture_output=True, text=True).stdout
                self.assertEqual("", ports)
                self.assertEqual((b"", "reset"), self.ask(program, 20002))
                target = program.ask("/twinpath/targets")[0]["0"]
                self.assertEqual((0, 2), (target["connections"], target["failures"]))
                self.assertEqual(2, program.stop()["totals"]["failed"])
            serving = Serving(Server(family, 30000), b"next")
            with self.start("--to", itself, "--to", serving.server.text,
                            listen=text(host, 20200)) as program:
                self.assertEqual((b"next", "fin"), self.ask(program, 20003))
                self.assertIn("; trying the next target", program.log())
            serving.end()

    def test_a_zones_interface_that_is_made_again_is_found(self):
        def make_interface():
            ip("link", "add", "zone0", "type", "veth", "peer", "name", "zone1")
            ip("link", "set", "zone1", "up")
            ip("link", "set", "zone0", "up")
            ip("address", "add", "fe80::2/64", "dev", "zone0", "nodad")
            return socket.if_nametoindex("zone0")
        first = make_interface()
        serving = Serving(socket.create_server(("::", 81), family=socket.AF_INET6), b"zone")
        self.addCleanup(serving.end)
        target = "[fe80::2%zone0]:81"
        with self.start("--to", target, "--retry", "0") as program:
            self.assertEqual((b"zone", "fin"), self.ask(program, 20001))
            ip("link", "delete", "zone0")
            self.assertEqual((b"", "reset"), self.ask(program, 20002))
            self.assertIn(f"cannot connect to {target}: interface zone0 does not exist; no target",
                          program.log())
            self.assertNotEqual(first, make_interface())
            self.assertEqual((b"zone", "fin"), self.ask(program, 20003))
            shown = program.ask("/twinpath/targets")[0]["0"]["address"]
            self.assertEqual(target, urllib.parse.unquote(shown))
            totals = program.stop()["totals"]
            self.assertEqual((2, 1), (totals["finished"], totals["failed"]))

    def test_a_retry_time_of_0_skips_no_target(self):
        serving = Serving(Server(), b"up")
        self.addCleanup(serving.end)
        with self.start("--to", DEAD, "--to", serving.server.text, "--retry", "0") as program:
            for port in range(20001, 20005):
                self.assertEqual((b"up", "fin"), self.ask(program, port))
            # The connections start with DEAD, the other, DEAD, the other.
            self.assertEqual(2, program.ask("/twinpath/targets")[0]["0"]["failures"])
            program.stop()

    def test_every_failure_is_a_line_or_is_counted_as_left_out(self):
        with self.start("--to", DEAD) as program:
            for port in range(20001, 20101):
                self.assertEqual((b"", "reset"), self.ask(program, port))
            program.stop()
            log = program.log()
        left_out = map(int, re.findall(r"(\d+) more lines? w\w+ left out", log))
        self.assertEqual(100, log.count("cannot connect to") + sum(left_out))


main()
