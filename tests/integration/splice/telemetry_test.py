#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-splice reports its connections and targets by its telemetry socket, to `twinpath stats`,
`twinpath top` and DPDK's own reader.

  telemetry_test.py TWINPATH_SPLICE TWINPATH
"""
import json
import signal
import subprocess

from splice_lab import MORE, SpliceTest, main
from wait import wait_for


class Telemetry(SpliceTest):
    def test_no_open_connection_is_left_out_where_others_close_between_two_pages(self):
        with self.server() as server, self.start("--to", server.text) as program:
            pairs = [(program.connect(), server.take()) for _ in range(200)]
            page, = program.ask("/twinpath/connections")
            listed = [int(key) for key in page if key.isdigit()]
            for pair in pairs[:40]:
                for end in pair:
                    end.close()
            wait_for("the ends", lambda: program.totals()["open"] == 160)
            while "next" in page:
                page, = program.ask(f"/twinpath/connections,{page['next']}")
                listed += [int(key) for key in page if key.isdigit()]
            self.assertEqual(list(range(200)), listed)
            wrong, = program.ask("/twinpath/connections,x")
            self.assertEqual({"error": 'FIRST: found "x", allowed an integer: the first number of the page'}, wrong)

    def test_connections_and_sums_by_the_socket_stats_and_top(self):
        for server, program in self.in_each_mode():
            pairs = [(program.connect(), server.take()) for _ in range(120)]
            for n, (client, served) in enumerate(pairs):
                client.sendall(b"u" * n)
                served.sendall(b"d" * 2 * n)
                for end, left in ((client, 2 * n), (served, n)):
                    while left:
                        left -= len(end.recv(left))
            total = sum(range(120))
            wait_for("all bytes", lambda: program.totals()["to_target_bytes"] == total)
            listed, first = [], 0
            while first is not None:  # page after page
                page, = program.ask(f"/twinpath/connections,{first}")
                listed += [entry for key, entry in page.items() if key.isdigit()]
                first = page.get("next")
            self.assertEqual(list(range(120)), [entry["number"] for entry in listed])
            for n, entry in enumerate(listed):
                self.assertEqual((program.mode, "open", n, 2 * n),
                                 (entry["mode"], entry["state"], entry["to_target_bytes"],
                                  entry["to_client_bytes"]))
                self.assertEqual(server.text, entry["target"])
                self.assertGreater(entry["age_us"], 0)
            self.assertEqual("%s:%d" % pairs[5][0].getsockname(), listed[5]["client"])
            stats = subprocess.run([MORE[0], "stats", "--json"], capture_output=True, text=True,
                                   timeout=20, check=True)
            shown = json.loads(stats.stdout)
            self.assertEqual((120, total, 2 * total),
                             tuple(shown["totals"][name] for name in
                                   ("open", "to_target_bytes", "to_client_bytes")))
            self.assertEqual(listed[7]["client"], shown["connections"][7]["client"])
            tables = subprocess.run([MORE[0], "stats"], capture_output=True, text=True, timeout=20,
                                    check=True).stdout
            self.assertIn("(the busiest 40 of 120 connections; all of them with --json)", tables)
            self.top(program, pairs[3])
            for client, served in pairs:
                client.close()
                served.close()
            wait_for("the end", lambda: program.totals()["open"] == 0)
            totals = program.stop()["totals"]  # nobody has read the client's bytes
            self.assertEqual((119, 1), (totals["finished"], totals["reset"]))

    def top(self, program, pair):
        with subprocess.Popen([MORE[0], "top", "0.2"], stdout=subprocess.PIPE, text=True) as top:
            seen = ""
            while "\n         3  " not in seen and "\n       3  " not in seen:
                pair[0].sendall(b"x" * 1000)
                line = top.stdout.readline()
                self.assertTrue(line, seen)
                seen += line
                if seen.count("\n") > 5000:
                    break
            top.send_signal(signal.SIGINT)
            top.communicate(timeout=10)
            self.assertRegex(seen, r"\n +3  +127.0.0.1:\d+ ")
            self.assertEqual(0, top.returncode)

    def test_dpdks_own_reader(self):
        with self.server() as server, self.start("--to", server.text) as program:
            with program.connect(), server.take():
                reader = subprocess.run(["dpdk-telemetry.py", "-f", "twinpath-splice"],
                                        input="/\n/twinpath/connections\n/twinpath/splice,x\n",
                                        capture_output=True, text=True, timeout=30, check=True)
                commands, connections, error = map(json.loads, reader.stdout.splitlines())
            self.assertIn("/twinpath/targets", commands["/"])
            self.assertEqual(1, connections["/twinpath/connections"]["total"])
            self.assertIn("no parameters", error["/twinpath/splice"]["error"])
            program.stop()


main()
