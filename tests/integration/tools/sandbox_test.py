#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/sandbox gives a command what it needs, and leaves nothing behind, however the command ends.

  sandbox_test.py PATH-TO-SANDBOX
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SANDBOX = sys.argv.pop(1)
HUGEPAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
# Makes one of each thing, prints "ready", and stays.
CLUTTER = """
ip netns add left_behind; ip link add left0 type veth peer name left1
mount -t tmpfs tmpfs /mnt; touch "$(mktemp -p "$TMPDIR" left.XXXXXX)"
exec -a twinpath-left-behind sleep 300 &
echo ready; wait
"""


def machine():
    """What a sandbox may change on the machine."""
    def lines(*command):
        return sorted(subprocess.run(command, capture_output=True, text=True,
                                     check=True).stdout.splitlines())
    return {"namespaces": lines("ip", "netns"), "links": sorted(os.listdir("/sys/class/net")),
            "mounts": sorted(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()),
            "hugepages": HUGEPAGES.read_text(), "run": sorted(os.listdir("/run"))}


def left_behind():
    """The processes of CLUTTER that still run."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if b"twinpath-left-behind" in (process / "cmdline").read_bytes().split(b"\0")[0]:
                found.append(process.name)
        except OSError:
            pass
    return found


class Sandbox(unittest.TestCase):
    def setUp(self):
        self.before = machine()

    def tearDown(self):
        self.assertEqual(self.before, machine())

    def end_by(self, number):
        """Ends a sandbox full of clutter by a signal; returns its exit status."""
        with tempfile.TemporaryDirectory() as scratch:
            # SIGINT is ignored where the tests run in the background of a shell.
            with subprocess.Popen([SANDBOX, "bash", "-c", CLUTTER], stdout=subprocess.PIPE,
                                  env={**os.environ, "TMPDIR": scratch}, text=True,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                  ) as process:
                try:
                    self.assertEqual("ready\n", process.stdout.readline())
                    deadline = time.monotonic() + 10  # "ready" is printed before all of it is there
                    while not left_behind() and time.monotonic() < deadline:
                        time.sleep(0.01)
                    self.assertTrue(left_behind())
                    process.send_signal(number)
                    status = process.wait(timeout=10)
                finally:
                    process.kill()
            if number != signal.SIGKILL:
                self.assertEqual([], os.listdir(scratch))
        deadline = time.monotonic() + 5
        while left_behind() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([], left_behind())
        return status

    def test_passes_the_exit_status_on(self):
        self.assertEqual(7, subprocess.run([SANDBOX, "bash", "-c", "exit 7"], check=False).returncode)

    def test_has_hugepages_a_bpffs_and_a_network_of_its_own(self):
        script = ("grep -q hugetlbfs /proc/mounts && grep -q '/sys/fs/bpf bpf' /proc/mounts && "
                  "test $(</sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages) -ge 512 && "
                  "test \"$(ls /sys/class/net)\" = lo")
        self.assertEqual(0, subprocess.run([SANDBOX, "bash", "-c", script], check=False).returncode)

    def test_gives_back_the_hugepages_it_lent(self):
        # 8 MB more than are free.
        free = int((HUGEPAGES.parent / "free_hugepages").read_text())
        result = subprocess.run([SANDBOX, "cat", str(HUGEPAGES)], capture_output=True, text=True,
                                env={**os.environ, "HUGEPAGES": str(free + 4)}, check=True)
        self.assertGreaterEqual(int(result.stdout), int(self.before["hugepages"]) + 4)

    def test_a_sandbox_that_ends_leaves_the_hugepages_of_another(self):
        free = int((HUGEPAGES.parent / "free_hugepages").read_text())
        lent = {**os.environ, "HUGEPAGES": str(free + 4)}
        with subprocess.Popen([SANDBOX, "bash", "-c", "echo ready; read -r"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env=lent, text=True) as first:
            self.assertEqual("ready\n", first.stdout.readline())
            with subprocess.Popen([SANDBOX, "bash", "-c", f"echo ready; read -r; cat {HUGEPAGES}"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=lent,
                                  text=True) as second:
                self.assertEqual("ready\n", second.stdout.readline())
                first.communicate("\n", timeout=20)
                self.assertEqual(int(self.before["hugepages"]) + 4, int(second.communicate("\n", timeout=20)[0]))

    def test_is_gone_after_interrupt(self):
        self.assertEqual(130, self.end_by(signal.SIGINT))

    def test_is_gone_after_terminate(self):
        self.assertEqual(143, self.end_by(signal.SIGTERM))

    def test_is_gone_after_kill(self):
        self.assertEqual(-signal.SIGKILL, self.end_by(signal.SIGKILL))


unittest.main(verbosity=2)
