#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every byte arrives, in each mode: random streams with half-closes and pauses on both sides, compared
by SHA-256. No connection is left open.

  bytes_test.py TWINPATH_SPLICE SPLICE_LOAD
"""
import json
import os
import subprocess

from splice_lab import MODES, MORE, SpliceTest, main
from wait import wait_for

CONNECTIONS = int(os.environ.get("SPLICE_CONNECTIONS", "2000"))


class EveryByte(SpliceTest):
    def carry(self, mode, listen, serve, connections, *more):
        with self.start("--to", serve, "--mode", mode, listen=listen) as program:
            idle = program.descriptors()
            load = subprocess.run(
                [MORE[0], "--connect", listen, "--serve", serve, "--connections",
                 str(connections), *more], capture_output=True, text=True, timeout=120)
            self.assertEqual(0, load.returncode, load.stdout + load.stderr + program.log())
            figures = json.loads(load.stdout)
            print(f"{mode}: {load.stdout.strip()}", flush=True)
            self.assertEqual(connections, figures["served"])
            wait_for("the last connection's end", lambda: program.totals()["open"] == 0)
            # No socket is left. At most 64 pipes per worker are kept for reuse, with 2 ends each.
            spare = 2 * 2 * 64 if mode == "splice" else 0
            self.assertLessEqual(program.descriptors(), idle + 1 + spare)
            summary = program.stop()
        totals = summary["totals"]
        self.assertEqual(connections, totals["finished"])
        self.assertEqual(figures["up"], totals["to_target_bytes"])
        self.assertEqual(figures["down"], totals["to_client_bytes"])
        self.assertEqual(connections, summary["targets"][0]["connections"])
        self.assertEqual(0, summary["targets"][0]["failures"])

    def test_streams_of_0_bytes_to_16_mib(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                self.carry(mode, "127.0.0.1:7000", "127.0.0.1:7001", CONNECTIONS, "--at-once",
                           "200", "--max-octets", str(16 << 20))

    def test_short_streams_over_ipv6(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                self.carry(mode, "[::1]:7000", "[::1]:7001", CONNECTIONS // 2, "--at-once", "500",
                           "--max-octets", "20000", "--seed", "2")


main()
