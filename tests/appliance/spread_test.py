# SPDX-License-Identifier: BSD-3-Clause
"""Software spreads the frames of a device with one queue over two queues on two lcores. Each flow goes to
the queue of its hash, in order, and meets the same fates as on one queue.

  spread_test.py TWINPATH_DPDK"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import flows as traffic
import replay

PROGRAM = os.path.realpath(sys.argv[1])
# Fewer frames than a ring holds, because one lcore reads a capture as fast as it can, and the other may be
# slower.
FLOWS, EACH = [traffic.Flow(number) for number in range(100)], 9
PROFILE = {"version": 1, "eal": ["--no-pci", "--no-huge"], "exception": "none", "telemetry": False,
           "queues": 2}


class SpreadTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.forth = traffic.mixed(FLOWS, EACH)
        self.back = traffic.mixed(FLOWS, EACH, back=True)

    def run_spread(self, rss, queues=2):
        path = self.folder / "profile.json"
        cpus = sorted(os.sched_getaffinity(0))[:2]
        path.write_text(json.dumps({**PROFILE, "rss": rss, "queues": queues, "lcores": cpus}))
        return replay.run(PROGRAM, self.folder, self.forth, self.back, profile=path)

    def check(self, spared, summary, key):
        self.assertEqual(spared, replay.run(PROGRAM, self.folder, self.forth, self.back)[0])
        for port, back in (("lan", False), ("wan", True)):
            counts = [queue["rx_packets"] for queue in summary["queues"] if queue["port"] == port]
            to = [flow.queue(back, 2, key) for flow in FLOWS]
            self.assertEqual(counts, [EACH * to.count(queue) for queue in range(2)], port)
        for port in summary["ports"]:
            self.assertEqual(port["rss"]["by"], "software")
            self.assertEqual(port["rss"]["reta"], "0,1 over 128 places")
            self.assertEqual(port["spread_full_packets"], 0)

    def test_by_the_symmetric_key(self):
        spared, summary = self.run_spread({"spread": "auto", "key": "symmetric"})
        self.assertEqual({port["rss"]["key"] for port in summary["ports"]}, {"symmetric"})
        self.check(spared, summary, traffic.SYMMETRIC_KEY)

    def test_by_a_key_of_ones_own(self):
        key = bytes(range(1, 41))
        spared, summary = self.run_spread({"spread": "software", "key": key.hex()})
        self.assertEqual({port["rss"]["key"] for port in summary["ports"]}, {key.hex()})
        self.check(spared, summary, key)

    def test_without_it_the_device_has_too_few_queues(self):
        for rss, queues, allowed in (({}, 2, 'the profile\'s rss: {"spread": "auto"}'),
                                     ({"spread": "auto"}, 17, "at most 16 queues"),
                                     ({"spread": "software"}, 17, "at most 16 queues")):
            with self.assertRaises(subprocess.CalledProcessError) as refused:
                self.run_spread(rss, queues)
            self.assertEqual(refused.exception.returncode, 2)
            self.assertIn(allowed, refused.exception.stderr.decode())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
