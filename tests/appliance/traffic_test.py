# SPDX-License-Identifier: BSD-3-Clause
"""twinpath generate and receive on NICs bound to vfio-pci, in a virtual machine; the other ends of the NICs
are taps of the host. Two machines have two clocks: latency is relative.

  traffic_test.py TWINPATH"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import isolation
import vm
from wait import wait_for

HERE = pathlib.Path(__file__).resolve().parent
TWINPATH = os.path.realpath(sys.argv[1])
PACKETS = 3000
SHAPE = ["--packets", str(PACKETS), "--rate", "1kpps", "--size", "imix", "--flows", "50"]


class TrafficTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.share = pathlib.Path(scratch.name)
        cls.nics = [vm.Nic("vt0", 0xa, "virtio-net-pci," + vm.VIRTIO, 2), vm.Nic("em0", 0xc, "e1000e", 1)]
        cls.machine = vm.Machine(cls.share, cls.nics)
        cls.addClassCleanup(cls.machine.close)
        cls.machine.run(f"{HERE}/bind.sh vfio-pci " + " ".join(nic.pci for nic in cls.nics))
        cls.machine.run("echo 256 > /proc/sys/vm/nr_hugepages")

    def check(self, report, sent):
        [stream] = report["streams"]
        print(f"  sent {sent['sent_packets']} at {sent['packets_per_s']:.0f} packets/s, reached: {sent['reached']}, "
              f"received {stream['received_packets']}, reordered {stream['reordered_packets']}", flush=True)
        self.assertEqual((PACKETS, 0), (sent["sent_packets"], sent["dropped_packets"]))
        self.assertEqual((PACKETS, 0, 0, 0), tuple(stream[f"{name}_packets"] for name in
                                                   ("received", "lost", "duplicated", "corrupted")))
        self.assertEqual("relative", stream["clock"])
        self.assertEqual(50, stream["flows"])

    def test_generate_out_of_a_nic(self):
        for nic in self.nics:
            with self.subTest(nic.device):
                receiver = subprocess.Popen([TWINPATH, "receive", "--port", nic.tap, "--json", "--expect", str(PACKETS),
                                             "--packets", str(PACKETS), "--duration", "150"],
                                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    self.assertIn("receiving from", receiver.stderr.readline())
                    sent = json.loads(self.machine.run(
                        f"{TWINPATH} generate --port {nic.pci} --json {' '.join(SHAPE)} 2>/dev/null"))
                    report = json.loads(receiver.communicate(timeout=180)[0])
                finally:
                    receiver.kill()
                    receiver.communicate()
                self.assertEqual("dpdk", sent["backend"])
                self.check(report, sent)

    def test_receive_from_a_nic(self):
        for nic in self.nics:
            with self.subTest(nic.device):
                self.machine.run(f"{TWINPATH} receive --port {nic.pci} --json --expect {PACKETS} --packets {PACKETS} "
                                 f"--duration 150 >{nic.tap}.json 2>{nic.tap}.log 3>&- & "
                                 f"until grep -q receiving {nic.tap}.log; do sleep 0.1; done")
                sent = json.loads(subprocess.run([TWINPATH, "generate", "--port", nic.tap, "--json", *SHAPE],
                                                 stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout)
                output = self.share / f"{nic.tap}.json"
                wait_for("the report", lambda: output.read_text().endswith("}\n"), 170)
                self.check(json.loads(output.read_text()), sent)


if __name__ == "__main__":
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)
