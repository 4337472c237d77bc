# SPDX-License-Identifier: BSD-3-Clause
"""Sends frames of hundreds of flows through the virtual machine, and checks what comes out of it: the
frames that the same policy sends on the host, from captures of the same frames."""
import itertools
import math
import unittest

import flows as traffic
import replay
import taps
from verdicts import check_conserved

FLOWS, EACH = [traffic.Flow(number) for number in range(300)], 8
PER_SECOND = 4000


class PassingTest(unittest.TestCase):
    @classmethod
    def make_frames(cls, program, folder):
        cls.forth = traffic.mixed(FLOWS, EACH)
        cls.back = traffic.mixed(FLOWS, EACH, back=True)
        cls.spared, _ = replay.run(program, folder, cls.forth, cls.back)

    def pass_through(self, lan, wan, skipped=0):
        """Sends one direction after the other, except the first frames. Returns what came out, [forth, back]."""
        came = []
        for here, there, frames, spared in ((lan, wan, self.forth[skipped:], self.spared[0]),
                                            (wan, lan, self.back, self.spared[1])):
            stays = {frame for flow in spared.values() for frame in flow}
            due = [0, *itertools.accumulate(frame in stays for frame in frames)]
            capture = taps.Capture(there)
            try:
                taps.send(here, frames, PER_SECOND, lambda sent: due[sent] - len(capture.frames))
            finally:
                came.append(capture.finish(due[-1]))
        return came

    def check_frames(self, came, spared_both=None):
        """The frames that came out are those that the policy sends: bytes, order in each flow, count."""
        for frames, spared, way in zip(came, spared_both or self.spared, ("lan to wan", "wan to lan")):
            found = traffic.by_flow(frames)
            wrong = [flow for flow in found.keys() | spared.keys() if found.get(flow) != spared.get(flow)]
            self.assertEqual(len(frames), sum(map(len, spared.values())), way)
            self.assertEqual(wrong, [], way)

    def check_summary(self, summary, tx_full=0):
        """Checks that every queue accounts for all packets, that none was missed, how many were not sent, and the
    losses."""
        check_conserved(summary)
        totals = summary["totals"]
        self.assertEqual(totals["tx_full_packets"], tx_full, summary["ports"])
        self.assertEqual(totals["rx_packets"], len(self.forth) + len(self.back), summary["ports"])
        self.assertEqual(totals["rx_packets"], totals["tx_packets"] + totals["lost_packets"] + tx_full)
        for name, asked, neighbours in (("out", 0.1, 0), ("back", 0.02 / 0.27, 0.73)):
            rule = next(rule for rule in summary["rules"] if rule["name"] == name)
            matched, lost = rule["matched_packets"], rule["lost_packets"]
            self.assertEqual(matched, len(self.forth))
            # The variance of a two-state chain's mean: neighbours' correlation is 1 - p - r.
            variance = asked * (1 - asked) * matched * (1 + neighbours) / (1 - neighbours)
            self.assertLess(abs(lost - asked * matched), 5 * math.sqrt(variance), name)
            print(f"  {name}: asked {asked:.3%}, lost {lost} of {matched}, {lost / matched:.3%}")

    def check_queues(self, summary):
        """Checks that each frame arrived on the queue of the symmetric key, which is the same for both directions."""
        for port, back in (("lan", False), ("wan", True)):
            counts = [queue["rx_packets"] for queue in summary["queues"] if queue["port"] == port]
            to = [flow.queue(back, 2) for flow in FLOWS]
            print(f"  {port}: {len(FLOWS)} flows, frames on its queues {counts}")
            self.assertEqual(counts, [EACH * to.count(queue) for queue in range(2)])
