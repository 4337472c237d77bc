#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-xdp loses frames at the requested rate, in native and in generic mode. The other frames come
through unchanged.

  loss_test.py TWINPATH_XDP TWINPATH
"""
import multiprocessing

from xdp_lab import MODES, XdpTest, main
from xdp_traffic import BATCH, Capture, flood, frame, generate, number_of, send, xdp_statistics

RATES = {"0%": 0, "1%": 0.01, "50%": 0.5, "100%": 1}
FRAMES = 20000
ALONE = 50000  # frames of each of two senders at once
GENERATED = {"native": 1000000, "generic": 200000}


class Loss(XdpTest):
    def survivors(self, mode, loss, seed=7, count=FRAMES):
        """Sends `count` frames into lan. Returns the frames that come out of wan, and the summary."""
        with Capture("sink") as capture, self.start(
                "--port", "lan=lan", "--port", "wan=wan", "--forward", "wan", "--mode", mode,
                "--loss", loss, "--seed", str(seed)) as program:
            send("gen", "lan", range(count), cpus=(0, 1))
            summary = program.stop()
            frames = capture.frames(at_least=summary["totals"]["tx_packets"])
        self.assertEqual([mode] * 2, [port["mode"] for port in summary["ports"]])
        self.assertEqual(count, summary["totals"]["rx_packets"])
        self.assertEqual(len(frames), summary["totals"]["tx_packets"])
        self.assertEqual(count - len(frames), summary["totals"]["lost_packets"])
        return frames, summary

    def test_rates_against_captured_frames(self):
        self.wire(queues=2)
        for mode in MODES:
            for loss, rate in RATES.items():
                with self.subTest(mode=mode, loss=loss):
                    frames, summary = self.survivors(mode, loss)
                    self.assert_loss(rate, FRAMES - len(frames), FRAMES)
                    self.check_queues(mode, frames, summary)

    def check_queues(self, mode, frames, summary):
        """Checks on every queue that the frames are unchanged, in order, and as many as were counted."""
        numbers = [number_of(frame) for frame in frames]
        self.assertEqual([frame(number) for number in numbers], frames)
        if mode == "generic":  # the driver names the queue of a frame, and veth names none
            self.assertEqual(sorted(numbers), numbers)
            return
        for queue in range(2):
            of_queue = [number for number in numbers if number // BATCH % 2 == queue]
            counters = summary["queues"][queue]
            self.assertEqual(sorted(set(of_queue)), of_queue)
            self.assertEqual(len(of_queue), counters["tx_packets"])
            self.assertEqual(("lan", queue, queue),
                             (counters["port"], counters["queue"], counters["cpu"]))

    def test_a_seed_decides_which(self):
        self.wire(queues=2)
        for mode in MODES:
            with self.subTest(mode=mode):
                first, again, other = ([number_of(frame) for frame in
                                        self.survivors(mode, "50%", seed, 4000)[0]]
                                       for seed in (7, 7, 8))
                self.assertEqual(first, again)
                # Of two independent choices of a half, a half is common, within 3.9 deviations.
                self.assert_loss(0.5, len(set(first) & set(other)), len(first))

    def test_rates_under_load(self):
        self.veth("gen", "lan", queues=2)
        self.gro("lan")  # so that it receives the generator's frames in generic mode, too
        for mode in MODES:
            for loss, rate in RATES.items():
                with self.subTest(mode=mode, loss=loss):
                    before = xdp_statistics("lan")["xdp_packets"]
                    with self.start("--port", "lan=lan", "--mode", mode, "--loss", loss,
                                    "--forward", "drop") as program:
                        for cpu in (0, 1):
                            generator = generate("gen", GENERATED[mode] // 2, cpu)
                            self.assertEqual(0, generator.wait(30))
                        totals = program.stop()["totals"]
                    arrived = xdp_statistics("lan")["xdp_packets"] - before
                    self.assertGreater(arrived, GENERATED[mode] / 2)
                    self.assertEqual(arrived, totals["rx_packets"])
                    self.assertEqual(arrived, totals["lost_packets"] + totals["denied_packets"])
                    # The number of arrivals is not fixed: see xdp_shutdown.
                    self.assert_loss(rate, totals["lost_packets"], arrived, deviations=5)

    def test_two_cpus_on_one_queue(self):
        self.veth("gen", "lan")
        with self.start("--port", "lan=lan", "--mode", "generic", "--loss", "50%", "--forward",
                        "drop") as program:
            senders = [multiprocessing.Process(target=flood, args=("gen", ALONE, cpu))
                       for cpu in (0, 1)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join(30)
                self.assertEqual(0, sender.exitcode)
            summary = program.stop()
        self.assertEqual(1, len(summary["queues"]))
        totals = summary["totals"]
        self.assertEqual(2 * ALONE, totals["rx_packets"])
        self.assert_loss(0.5, totals["lost_packets"], 2 * ALONE)


main()
