# SPDX-License-Identifier: BSD-3-Clause
"""The installed appliance: a virtual machine that boots with systemd. The units bind two NICs to vfio-pci,
start twinpath-dpdk, start it again when it dies or hangs, and undo everything.

  box_test.py BUILD-FOLDER PREFIX"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import install_log
import isolation
import passing
import replay
import taps
import vm

HERE = pathlib.Path(__file__).resolve().parent

BUILD, PREFIX = sys.argv[1:3]
DAEMON = "twinpath-dpdk@lab"
TARGET = """[Unit]
Description=What this box is for
AllowIsolate=yes
Requires=commands.service
Wants=twinpath-host@lab.service twinpath-dpdk@lab.service
"""
COMMANDS = """[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/bash /run/commands.sh
"""
# The unit with a shorter watchdog time, and with the program's output in the shared folder.
SOONER = """[Service]
WatchdogSec=6
ReadWritePaths=/run/share
StandardError=append:/run/share/box.log
"""
CONFIGURATION = {
    "twinpath-dpdk@lab": f"PROFILE={PREFIX}/share/twinpath/profiles/test-vm.json\nPOLICY=/run/share/policy.json\n"
                         "OPTIONS=--idle adaptive --summary /run/share/box.json\n",
    "twinpath-xdp@taps": f"POLICY={PREFIX}/share/twinpath/policies/wire.json\n"
                         "PORTS=--port lan=tap0 --port wan=tap1\nOPTIONS=\n",
    "twinpath-splice@tcp": "LISTEN=127.0.0.1:8000\nTARGETS=--to 127.0.0.1:9\nOPTIONS=\n"}
# Debian's services that this box does not need; without them, the emulated machine boots faster.
MASKED = ("systemd-binfmt systemd-boot-system-token systemd-firstboot systemd-hwdb-update systemd-journal-flush "
          "systemd-machine-id-commit systemd-modules-load systemd-pcrphase systemd-pcrphase-sysinit "
          "systemd-random-seed systemd-remount-fs systemd-sysctl systemd-sysusers systemd-timesyncd "
          "systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-udev-trigger systemd-udevd "
          "systemd-update-utmp kmod-static-nodes ldconfig").split()


class BoxTest(passing.PassingTest):
    starts = 0

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        cls.make_frames(f"{BUILD}/apps/twinpath-dpdk", folder)
        cls.share = folder / "share"
        cls.share.mkdir()
        cls.fill_share()
        begin = time.monotonic()
        cls.machine = vm.Machine(cls.share, [vm.Nic("vt0", 0xa, "virtio-net-pci," + vm.VIRTIO, 2),
                                             vm.Nic("vt1", 0xb, "virtio-net-pci," + vm.VIRTIO, 2)], "booted.sh")
        cls.addClassCleanup(cls.machine.close)
        cls.started = cls.wait_for_start(begin)

    @classmethod
    def fill_share(cls):
        """The installed files, the configuration, and the units to start at boot."""
        cls.addClassCleanup(install_log.keep(BUILD))
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True, timeout=120,
                       stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": str(cls.share / "root")})
        installed, units = cls.share / f"root{PREFIX}", cls.share / "units"
        (cls.share / "prefix").write_text(PREFIX)
        (cls.share / "policy.json").write_text(replay.POLICY.read_text())
        (cls.share / "box.log").touch()
        configuration = installed / "etc/twinpath"
        configuration.mkdir(parents=True)
        for unit, words in CONFIGURATION.items():
            (configuration / f"{unit.partition('@')[2]}.conf").write_text(words)
        (units / "twinpath-dpdk@.service.d").mkdir(parents=True)
        (units / "twinpath-dpdk@.service.d/sooner.conf").write_text(SOONER)
        (units / "box.target").write_text(TARGET)
        (units / "commands.service").write_text(COMMANDS)
        for unit in (installed / "lib/systemd/system").iterdir():
            (units / unit.name).write_text(unit.read_text())
        for name in MASKED:
            (units / f"{name}.service").symlink_to("/dev/null")

    @classmethod
    def wait_for_start(cls, begin):
        """Waits for the first turn of the next twinpath-dpdk. Returns the seconds since `begin`."""
        cls.starts += 1
        while (cls.share / "box.log").read_text().count(": lcores ") < cls.starts:
            if time.monotonic() - begin > vm.PATIENCE:
                raise AssertionError(f"{DAEMON} is not there: {cls.machine.run(f'journalctl -b -n 50 -u {DAEMON}')}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def show(self, unit, *properties):
        """Returns these properties of a unit, in this order."""
        told = self.machine.run(f"systemctl show {unit} " + " ".join(f"-p {name}" for name in properties))
        values = dict(line.split("=", 1) for line in told.split("\n") if line)
        return [values[name] for name in properties]

    def test_1_it_forwards_from_the_boot_on(self):
        print(f"  from power on to the first turn in {self.started:.1f} s")
        self.assertEqual(self.show(DAEMON, "ActiveState", "StatusText", "NRestarts"), ["active", "forwarding", "0"])
        self.check_frames(self.pass_through("vt0", "vt1"))

    def test_2_killed_under_load_it_is_started_again(self):
        taps.send("vt0", self.forth[:1000], passing.PER_SECOND)
        begin = time.monotonic()
        self.machine.run(f"systemctl kill -s KILL {DAEMON}")
        print(f"  started again after kill -9 in {self.wait_for_start(begin):.1f} s, of which systemd waits 1 s")
        self.assertEqual(self.show(DAEMON, "NRestarts"), ["1"])

    def test_3_hung_it_is_killed_and_started_again(self):
        begin = time.monotonic()
        self.machine.run(f"systemctl kill -s STOP {DAEMON}")
        print(f"  started again after SIGSTOP in {self.wait_for_start(begin):.1f} s, of which the watchdog waits 3 to 6 s")
        self.assertEqual(self.show(DAEMON, "NRestarts"), ["2"])

    def test_4_time_jumps_and_it_stops_and_is_undone(self):
        self.machine.run("date -s '10 years'")
        self.machine.pause(4)
        self.machine.run("date -s '10 years ago'")
        came = self.pass_through("vt0", "vt1")
        begin = time.monotonic()
        self.machine.run(f"systemctl stop {DAEMON}")
        print(f"  stopped in {time.monotonic() - begin:.2f} s")
        self.assertEqual(self.show(DAEMON, "Result", "ExecMainStatus", "NRestarts"), ["success", "0", "2"])
        summary = json.loads((self.share / "box.json").read_text())
        self.assertEqual(summary["faults"], [], (self.share / "box.log").read_text())
        self.check_summary(summary)
        self.check_queues(summary)
        self.check_frames(came)
        hugepages, pci = "/sys/kernel/mm/hugepages/hugepages-2048kB", "/sys/bus/pci/devices/0000:00:0a.0"
        self.assertEqual(self.machine.run(f"cmp {hugepages}/free_hugepages {hugepages}/nr_hugepages && ls /run/dpdk; "
                                          f"basename $(readlink {pci}/driver)"), "vfio-pci\n")
        self.machine.run("systemctl stop twinpath-host@lab")
        self.assertEqual(self.machine.run(f"cat {hugepages}/nr_hugepages; ls /var/lib; "
                                          f"basename $(readlink {pci}/driver)"), "0\nvirtio-pci\n")

    def test_5_the_other_daemons_run_as_somebody_else(self):
        self.machine.run("for tap in tap0 tap1; do ip tuntap add dev $tap mode tap; ip link set $tap up; done")
        for unit, path in (("twinpath-xdp@taps", "xdp"), ("twinpath-splice@tcp", "splice")):
            self.machine.run(f"systemctl start {unit} || {{ journalctl -u {unit} --no-pager -n 200; false; }}")
            state, pid, user = self.show(unit, "ActiveState", "MainPID", "DynamicUser")
            self.assertEqual((state, user), ("active", "yes"))
            owner = int(self.machine.run(f"stat -c %u /proc/{pid}"))
            self.assertGreaterEqual(owner, 61184)  # where systemd's dynamic users begin
            told = json.loads(self.machine.run(f"twinpath stats --json --file-prefix twinpath-{path}"))
            self.assertEqual(told["path"], path)
            self.machine.run(f"systemctl stop {unit}")
            self.assertEqual(self.show(unit, "Result", "ExecMainStatus"), ["success", "0"])
            print(f"  {unit}: user {owner}, started, asked and stopped")
        self.assertEqual(self.machine.run("ip -details link show tap0 | grep -c 'prog/xdp' || true"), "0\n")

    def test_6_this_kernel_loads_every_kind_of_program(self):
        """Ports that look at no header, at five-tuples, at any header, and at flows, times and marks."""
        policies = pathlib.Path(__file__).resolve().parents[2] / "dpdk-conf/policies"
        for name in ("wire", "five-tuple", "vlan-loss", "ecn-marking", "conditions/one-flow-in-twenty"):
            (self.share / "kind.json").write_text((policies / f"{name}.json").read_text())
            for checksums in ("complete", "leave"):
                self.machine.run("twinpath-xdp --policy kind.json --port lan=tap0 --port wan=tap1 "
                                 f"--checksums {checksums} --file-prefix box --duration 0.1 2>&1")


def main():
    """Runs the tests in namespaces that end with them."""
    isolation.require()
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)


if __name__ == "__main__":
    main()
