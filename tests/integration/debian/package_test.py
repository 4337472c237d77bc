#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/package makes a Debian package in which lintian finds no error. It installs, runs and is purged
without leaving files behind. Each daemon also runs in a container with the options of tools/image.

  package_test.py SOURCE-FOLDER FOLDER-OF-PROGRAMS

The package is installed in an overlay of this machine's root, which disappears with the test.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import isolation
from wait import wait_for

isolation.require()
SOURCE, BUILT = pathlib.Path(sys.argv[1]), sys.argv[2]
del sys.argv[1:]
OVERLAY = pathlib.Path("/run/overlay")
ROOT = OVERLAY / "root"
PROGRAMS = ["twinpath", "twinpath-dpdk", "twinpath-xdp", "twinpath-socket", "twinpath-splice"]


def run(*command, **more):
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, **more)
    if result.returncode:
        raise AssertionError(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


def inside(*command):
    return run("chroot", str(ROOT), "env", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "TMPDIR=/tmp", *command)


def changed():
    """What is written in the overlay, without dpkg's own notes and caches."""
    written = OVERLAY / "upper"
    names = (str(path.relative_to(written)) for path in written.rglob("*") if not path.is_dir())
    return {name for name in names if not name.startswith(("var/lib/dpkg/", "var/log/", "var/cache/", "etc/ld.so.cache"))}


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        said = run(str(SOURCE / "tools/package"), "--programs", BUILT).splitlines()[-1]
        cls.package = SOURCE / said
        for folder in ("upper", "work", "root"):
            (OVERLAY / folder).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/,upperdir={OVERLAY}/upper,workdir={OVERLAY}/work", str(ROOT))
        for folder in ("proc", "sys", "dev"):
            run("mount", "--rbind", f"/{folder}", str(ROOT / folder))
        for folder in ("run", "tmp", "mnt"):
            run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(ROOT / folder))
        (ROOT / "mnt" / cls.package.name).write_bytes(cls.package.read_bytes())

    def test_1_it_installs(self):
        inside("dpkg", "--install", f"/mnt/{self.package.name}")
        status = inside("dpkg-query", "-W", "-f=${db:Status-Status}", "twinpath")
        self.assertEqual("installed", status)
        for program in PROGRAMS:
            self.assertIn(f"usr/bin/{program}", changed())
            self.assertEqual(f"/usr/share/man/man1/{program}.1.gz\n", inside("man", "-w", program))
        self.assertIn("usr/sbin/twinpath-host", changed())

    def test_2_its_programs_run(self):
        self.assertIn("lan", inside("twinpath", "check", "/usr/share/twinpath/policies/wire.json"))
        inside("twinpath-dpdk", "--port", "lan=net_null0", "--loss", "50%", "--forward", "drop", "--packets", "10000",
               "--summary", "/tmp/summary.json", "--", "--no-huge")
        queue, = json.loads((ROOT / "tmp/summary.json").read_text())["queues"]
        self.assertGreaterEqual(queue["rx_packets"], 10000)
        self.assertEqual(queue["rx_packets"], queue["lost_packets"] + queue["denied_packets"])
        for program in PROGRAMS:
            self.assertIn("0.1.0", inside(program, "--version"))
        self.assertIn("twinpath-host up PROFILE", inside("twinpath-host", "--help"))

    def test_3_a_container_runs_each_daemon(self):
        bundle = OVERLAY / "bundle"
        bundle.mkdir()
        (bundle / "rootfs").symlink_to(ROOT)
        run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")  # crun wants to see one
        self.addCleanup(run, "umount", "/sys/fs/cgroup")
        run("ip", "link", "add", "name", "lan0", "type", "veth", "peer", "name", "lan1")
        for end in ("lan0", "lan1"):
            run("ip", "link", "set", end, "up")

        def attached():
            shown, = json.loads(run("ip", "-json", "link", "show", "dev", "lan0"))
            return "xdp" in shown

        loses = ["--port", "lan=lan0", "--loss", "50%", "--forward", "drop"]
        self.contained(bundle, attached, "twinpath-xdp", *loses)
        self.contained(bundle, attached, "twinpath-dpdk", *loses, "--", "--no-huge")
        self.contained(bundle, lambda: ":5201 " in run("ss", "-ltn"), "twinpath-splice",
                       "--listen", "127.0.0.1:5201", "--to", "127.0.0.1:9")

    def contained(self, bundle, started, program, *arguments):
        """A program starts in a container, ends by SIGTERM with status 0, and needs no more than tools/image says."""
        crun = ["crun", "--cgroup-manager=disabled", "--root", "/run/crun"]
        with self.subTest(program):
            (bundle / "config.json").write_text(run(str(SOURCE / "tools/image"), "--config", program, *arguments))
            with subprocess.Popen([*crun, "run", "--bundle", bundle, program], text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as container:
                try:
                    wait_for(f"{program} runs", lambda: started() or container.poll() is not None, 60)
                    if container.poll() is None:
                        run(*crun, "kill", program, "TERM")
                    said, _ = container.communicate(timeout=60)
                finally:
                    container.kill()
            self.assertEqual(0, container.returncode, said)
            self.assertIn(f"{program} 0.1.0", said)

    def test_4_purged_nothing_is_left(self):
        inside("dpkg", "--purge", "twinpath")
        self.assertEqual(set(), {name for name in changed() if (ROOT / name).exists()})
        self.assertFalse(os.path.exists(ROOT / "usr/share/twinpath"))


unittest.main(verbosity=2)
