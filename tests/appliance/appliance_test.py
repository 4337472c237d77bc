# SPDX-License-Identifier: BSD-3-Clause
"""twinpath-dpdk as an appliance, seen from outside: in a virtual machine, on NICs bound to vfio-pci,
started from a shipped profile. Frames of hundreds of flows go in by one tap and come out by another. The
frames that come out, their order and their bytes are compared with those that the same policy sends on
the host, from captures of the same frames. All tests share one boot.

  appliance_test.py TWINPATH_DPDK TWINPATH"""
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

import isolation
import passing
import replay
import taps
import vm

HERE = pathlib.Path(__file__).resolve().parent

TWINPATH_DPDK, TWINPATH = (os.path.realpath(path) for path in sys.argv[1:3])
PROFILE = replay.PROFILES / "test-vm.json"


def main():
    """Runs the tests, or those named after the programs, in namespaces that end with them."""
    isolation.require()
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)


class ApplianceTest(passing.PassingTest):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.make_frames(TWINPATH_DPDK, cls.folder)
        begin = time.monotonic()
        cls.nics = [vm.Nic("vt0", 0xa, "virtio-net-pci," + vm.VIRTIO, 2),
                    vm.Nic("vt1", 0xb, "virtio-net-pci," + vm.VIRTIO, 2),
                    vm.Nic("em0", 0xc, "e1000e", 1), vm.Nic("em1", 0xd, "e1000e", 1),
                    vm.Nic("xk0", 0xe, "virtio-net-pci," + vm.VIRTIO_XDP, 2)]
        share = cls.folder / "share"
        share.mkdir()
        cls.machine = vm.Machine(share, cls.nics)
        cls.addClassCleanup(cls.machine.close)
        cls.share = share
        print(f"booted in {time.monotonic() - begin:.1f} s", flush=True)
        cls.follow_the_doctor()
        cls.machine.run("echo 256 > /proc/sys/vm/nr_hugepages")
        cls.machine.run(f"{HERE}/bind.sh vfio-pci " + " ".join(nic.pci for nic in cls.nics[2:4]))

    @classmethod
    def doctor(cls):
        """Returns (exit status, the missing checks) of twinpath doctor in the machine, for its profile."""
        status, told = cls.machine.try_run(f"{TWINPATH} doctor --profile {PROFILE} --json")
        return status, [check for check in json.loads(told)["checks"] if check["grade"] == "missing"]

    @classmethod
    def follow_the_doctor(cls):
        """The doctor's commands turn the booted machine into one where the profile starts."""
        begin = time.monotonic()
        interface = cls.machine.run(f"ls /sys/bus/pci/devices/{cls.nics[0].pci}/virtio*/net").strip()
        cls.machine.run(f"ip addr add 192.0.2.1/24 dev {interface} && ip link set {interface} up && "
                        f"ip route add default via 192.0.2.2")
        status, missing = cls.doctor()
        used = next(check for check in missing if check["subject"].endswith(cls.nics[0].pci))
        assert status == 1 and "it carries the default route" in used["found"], missing
        assert used["mend"] == "lspci -D | grep -i ethernet", used  # the doctor does not tell the user to unbind it
        cls.machine.run(f"ip addr flush dev {interface}")
        # The needed memory is known when the ports are.
        for expected in (["NIC", "NIC"], ["hugepages"]):
            status, missing = cls.doctor()
            assert (status, [check["check"] for check in missing]) == (1, expected), missing
            for check in missing:
                cls.machine.run(check["mend"])
        after = cls.doctor()
        assert after == (0, []), after
        print(f"  doctor: two NICs and hugepages missing, fixed by its own commands, nothing missing, in "
              f"{time.monotonic() - begin:.1f} s", flush=True)

    def timed(self, command):
        """Returns (seconds, output) of a command in the machine. Measures with the host's clock, including the
        shell's start and the serial line, because the machine's clock was seen to run 2.6 times too fast."""
        begin = time.monotonic()
        told = self.machine.run(command)
        return time.monotonic() - begin, told

    def start(self, name, *arguments):
        """Starts twinpath-dpdk in the machine. Returns the seconds to its first turn."""
        command = [f"{HERE}/program.sh", "start", name, TWINPATH_DPDK, "--profile",
                   str(PROFILE), "--policy", str(replay.POLICY), *arguments]
        return self.timed(" ".join(command))[0]

    def stats(self):
        return json.loads(self.machine.run(f"{TWINPATH} stats --json"))

    def stop(self, name, which):
        """Ends the program. Returns its exit status, the seconds that took, and the summary if it wrote one."""
        seconds, status = self.timed(f"{HERE}/program.sh stop {name} {which}")
        path = self.share / f"{name}.json"
        summary = json.loads(path.read_text()) if path.exists() else None
        return int(status), seconds, summary

    def check_end(self, name, summary_wanted=True):
        status, seconds, summary = self.stop(name, "TERM")
        print(f"  SIGTERM: exit status {status} in {seconds:.2f} s")
        self.assertEqual(status, 0)
        # On a real machine it ends within two seconds, as dpdk_shutdown shows. This one is emulated by CPUs that
        # other programs may use.
        self.assertLess(seconds, 10)
        return summary

    def test_1_two_virtio_nics_with_rss(self):
        print(f"  started in {self.start('virtio'):.1f} s")
        came = self.pass_through("vt0", "vt1")
        held = [check["found"] for check in self.doctor()[1] if check["check"] == "NIC"]
        self.assertEqual([what.startswith("held by process ") for what in held], [True, True], held)
        live = self.stats()
        told = json.loads(self.machine.run("echo /twinpath/ports | dpdk-telemetry.py -f twinpath-dpdk"
                                           " | grep '^{.*twinpath'"))["/twinpath/ports"]
        summary = self.check_end("virtio")
        # No packets arrived any more, so telemetry and the summary agree.
        self.assertEqual([(q["port"], q["queue"], q["rx_packets"], q["lost_packets"]) for q in live["queues"]],
                         [(q["port"], q["queue"], q["rx_packets"], q["lost_packets"]) for q in summary["queues"]])
        self.check_summary(summary)
        self.check_frames(came)
        self.check_queues(summary)
        for port in ("0", "1"):
            entry = told[port]
            self.assertEqual(
                [entry[f"rss_{key}"] for key in ("by", "fields", "key", "reta")] + [entry["queue_lcores"]],
                ["device", "ip+tcp+udp", "symmetric", "0,1 over 128 places", "1,2"])

    def test_2_two_e1000e_nics_spread_by_software(self):
        ports = f"--port lan={self.nics[2].pci} --port wan={self.nics[3].pci}"
        print(f"  started in {self.start('e1000e', ports):.1f} s")
        begin = time.monotonic()
        while {port["link"] for port in self.stats()["ports"]} != {"up"}:  # frames that come earlier are not received
            self.assertLess(time.monotonic() - begin, 30)
        came = self.pass_through("em0", "em1")
        summary = self.check_end("e1000e")
        print("  ports:", [(port["name"], port["driver"], port["rss"]["by"]) for port in summary["ports"]])
        self.check_summary(summary)
        self.check_frames(came)
        # Its PMD has no RSS: software computes the same hash.
        self.assertEqual({port["rss"]["by"] for port in summary["ports"]}, {"software"})
        self.check_queues(summary)

    def test_3_a_bound_nic_and_a_kernel_interface_on_af_xdp(self):
        interface = self.machine.run(f"ls /sys/bus/pci/devices/{self.nics[4].pci}/virtio*/net").strip()
        self.machine.run(f"ethtool -L {interface} combined 2 && ip link set {interface} up")
        print(f"  started in {self.start('mixed', f'--port wan={interface}'):.1f} s")
        came = self.pass_through("vt0", "xk0")
        summary = self.check_end("mixed")
        self.check_summary(summary)
        self.check_frames(came)
        print("  modes:", ", ".join(f"{port['name']} {port['driver']} {port['mode']}" for port in summary["ports"]))
        self.assertEqual([port["driver"] for port in summary["ports"]], ["net_virtio", "net_af_xdp"])

    def said(self, name, words, begin):
        """Waits until the program's log has `words`. Returns the seconds since `begin`."""
        while words not in (self.share / f"{name}.log").read_text():
            self.assertLess(time.monotonic() - begin, 30, (self.share / f"{name}.log").read_text())
            time.sleep(0.02)
        return time.monotonic() - begin

    def mean_sleep(self):
        """Returns the mean length of the sleeps that begin within a second without frames, in microseconds of the
        machine's clock."""
        asked = "echo /twinpath/lcores | dpdk-telemetry.py -f twinpath-dpdk"
        told = self.machine.run(f"{asked}; sleep 1; {asked}")
        slept = []
        for answer in (json.loads(line)["/twinpath/lcores"] for line in told.splitlines() if "slept_us" in line):
            lcores = [answer[str(place)] for place in range(answer["total"])]
            slept.append([sum(lcore[field] for lcore in lcores) for field in ("sleeps", "slept_us")])
        sleeps, microseconds = (after - before for before, after in zip(*slept))
        return microseconds / sleeps

    def test_4_a_bound_nic_goes_and_comes_back(self):
        wan, away = self.nics[1].pci, self.forth[:1000]
        self.start("unplugged", "--idle adaptive")
        asleep = [self.mean_sleep()]
        # The command waits until vfio-pci has the device back.
        seconds, _ = self.timed(f"timeout 30 sh -c 'echo 1 > /sys/bus/pci/devices/{wan}/remove'")
        self.said("unplugged", f"port wan: {wan} disappeared", time.monotonic())
        print(f"  removed, and let go of, in {seconds:.2f} s")
        self.machine.run(f"test ! -e /sys/bus/pci/devices/{wan}")
        taps.send("vt0", away, passing.PER_SECOND)
        begin = time.monotonic()
        while (live := self.stats())["totals"]["rx_packets"] < len(away):
            self.assertLess(time.monotonic() - begin, 30, live["totals"])
        self.assertEqual({port["name"]: port["link"] for port in live["ports"]}, {"lan": "up", "wan": "gone"})
        begin = time.monotonic()
        self.machine.run(f"echo 1 > /sys/bus/pci/rescan && {HERE}/bind.sh vfio-pci {wan}")
        print(f"  found, bound and back at work in {self.said('unplugged', 'port wan: recovered', begin):.2f} s")
        asleep.append(self.mean_sleep())
        came = self.pass_through("vt0", "vt1", skipped=len(away))
        summary = self.check_end("unplugged")
        spared = [{flow: [frame for frame in frames if frame not in away] for flow, frames in self.spared[0].items()},
                  self.spared[1]]
        spared[0] = {flow: frames for flow, frames in spared[0].items() if frames}
        self.check_summary(summary, tx_full=sum(frame in away for flow in self.spared[0].values() for frame in flow))
        self.check_frames(came, spared)
        self.check_queues(summary)
        self.assertEqual([(fault["subject"], fault["fault"], fault["active"], fault["times"])
                          for fault in summary["faults"]], [("port wan", "gone", False, 1)])
        print("  mean sleeps before and after: " + ", ".join(f"{us:.0f} us" for us in asleep))
        # A sleep ends by an interrupt, or after 10 ms. A worker that nothing can wake sleeps for 250 us.
        self.assertGreater(min(asleep), 3000)


if __name__ == "__main__":
    main()
