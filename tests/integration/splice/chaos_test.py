#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Connections that twinpath-splice refuses or resets on request: at the requested rate, exactly at the
requested byte or time, and the same ones for the same seed.

  chaos_test.py TWINPATH_SPLICE
"""

from splice_lab import MODES, PATTERN, Serving, SpliceTest, attempt, main, outcome


class Chaos(SpliceTest):
    def fates(self, clients, *arguments):
        with self.server() as server:
            serving = Serving(server, PATTERN[:100000])
            with self.start("--to", server.text, "--workers", 1, *arguments) as program:
                results = []
                for _ in range(clients):
                    came, how = attempt(program)
                    self.assertEqual(PATTERN[:len(came)], came)
                    results.append((len(came), how))
                totals = program.stop()["totals"]
            serving.end()
        return results, totals

    def test_refused_by_the_seed(self):
        one, totals = self.fates(300, "--refuse", "30%", "--seed", 1)
        refused = [result == (0, "reset") for result in one]
        self.assertEqual(sum(refused), totals["refused_by_chaos"])
        self.assertLess(abs(sum(refused) - 90), 31)  # 3.9 standard deviations
        again, _ = self.fates(300, "--refuse", "0.3", "--seed", 1, "--mode", "sockmap")
        self.assertEqual(one, again)
        other, _ = self.fates(300, "--refuse", "30%", "--seed", 2)
        self.assertNotEqual(one, other)
        for rate, count in (("0", 0), ("1", 50)):
            _, totals = self.fates(50, "--refuse", rate)
            self.assertEqual(count, totals["refused_by_chaos"])

    def test_reset_after_exactly_so_many_bytes_in_each_mode(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                results, totals = self.fates(20, "--reset-after", "12345", "--mode", mode)
                self.assertEqual([(12345, "reset")] * 20, results)
                self.assertEqual(20, totals["reset_by_chaos"])
                self.assertEqual(20 * 12345, totals["to_client_bytes"])

    def test_reset_after_a_range_is_drawn_by_the_seed_alone(self):
        ranges = [self.fates(50, "--reset-after", "1K-64K", "--seed", 5, "--mode", mode)[0]
                  for mode in MODES]
        self.assertEqual(ranges[0], ranges[1])
        self.assertEqual(ranges[0], ranges[2])
        lengths = [length for length, _ in ranges[0]]
        self.assertTrue(all(1024 <= length <= 65536 for length in lengths))
        self.assertGreater(len(set(lengths)), 45)

    def test_reset_after_a_time(self):
        for server, program in self.in_each_mode("--reset-after", "300ms"):
            client, served = program.connect(), server.take()
            client.sendall(b"x")
            self.assertEqual(b"x", served.recv(1))
            self.assertEqual((b"", "reset"), outcome(client))
            served.close()
            self.assertEqual(1, program.stop()["totals"]["reset_by_chaos"])


main()
