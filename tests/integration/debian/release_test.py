#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/release runs a command in another root, with separate build folders, and leaves no mount and no
process, however it ends. tools/test --release passes on its other arguments. Here the root is an overlay of
this machine's root, because creating a real one takes minutes and needs the network.

  release_test.py TOOLS
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import isolation
from wait import wait_for

isolation.require()
TOOLS = pathlib.Path(sys.argv.pop(1))
TREE, CACHE = pathlib.Path("/run/work/tree"), pathlib.Path("/run/work/cache")
ROOT = CACHE / "twinpath/trixie"
ENVIRONMENT = {**os.environ, "XDG_CACHE_HOME": str(CACHE), "MIRROR": "http://127.0.0.1:9/"}


def start(*arguments, tool="release", **environment):
    return subprocess.Popen([TREE / "tools" / tool, *arguments], env={**ENVIRONMENT, **environment}, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # ignored in a sandbox


def run(*arguments, **more):
    process = start(*arguments, **more)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def left():
    """What a run may leave: mounts, and files in its cache and in the folder for temporary files."""
    return (pathlib.Path("/proc/mounts").read_text(), sorted(os.listdir(CACHE / "twinpath")),
            sorted(os.listdir(os.environ["TMPDIR"])))


class Release(unittest.TestCase):
    def setUp(self):
        shutil.copytree(TOOLS, TREE / "tools")
        for folder in (ROOT, CACHE / "upper", CACHE / "work"):
            folder.mkdir(parents=True)
        (CACHE / "twinpath/trixie.lock").touch()
        self.addCleanup(shutil.rmtree, "/run/work")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={CACHE}/upper,workdir={CACHE}/work", ROOT], check=True)
        self.addCleanup(subprocess.run, ["umount", ROOT], check=False)
        (ROOT / "etc/whose").write_text("the release's\n")
        before = left()
        self.addCleanup(lambda: self.assertEqual(before, left()))

    def test_a_command_runs_in_the_root(self):
        status, out, err = run("trixie", "sh", "-c", 'cat /etc/whose; pwd; ls /tmp; echo "$HOME"; exit 7')
        self.assertEqual((7, f"the release's\n{TREE}\n/root\n", ""), (status, out, err))

    def test_it_has_its_own_build_folders(self):
        self.assertEqual((0, "", ""), run("trixie", "touch", "build/a", "build-sanitize/b", "c"))
        self.assertTrue((TREE / "build-trixie/build/a").exists())
        self.assertTrue((TREE / "build-trixie/build-sanitize/b").exists())
        self.assertTrue((TREE / "c").exists())
        self.assertEqual([], os.listdir(TREE / "build"))

    def test_it_ends_with_its_command(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = start("trixie", "sh", "-c", "echo started; exec sleep 1000")
                self.assertEqual("started\n", process.stdout.readline())
                process.send_signal(number)
                out, err = process.communicate(timeout=60)  # until no process has its output open
                self.assertEqual(("", ""), (out, err))
                if number == signal.SIGKILL:
                    for folder in pathlib.Path(os.environ["TMPDIR"]).glob("tmp.*"):
                        shutil.rmtree(folder)

    def test_one_at_a_time_uses_a_root(self):
        first = start("trixie", "sh", "-c", "echo started; exec sleep 1000")
        self.assertEqual("started\n", first.stdout.readline())
        second = start("trixie", "echo", "second")
        self.assertIn("Waiting for another", second.stdout.readline())
        self.assertEqual(2, run("--remove", "trixie")[0])
        first.terminate()
        first.communicate(timeout=60)
        self.assertEqual(("second\n", ""), second.communicate(timeout=60))

    def test_a_root_that_cannot_be_made_leaves_nothing(self):
        (CACHE / "twinpath/bookworm.lock").touch()
        self.addCleanup((CACHE / "twinpath/bookworm.lock").unlink)
        status, out, err = run("bookworm", "true")
        self.assertEqual(1, status)
        self.assertIn("Making a root of Debian bookworm", out)
        self.assertIn("127.0.0.1:9", err)
        self.assertFalse((CACHE / "twinpath/bookworm.new").exists())
        self.assertFalse((CACHE / "twinpath/bookworm").exists())

    def test_a_root_that_is_interrupted_leaves_nothing(self):
        for name in ("bookworm.lock", "bin"):
            self.addCleanup(subprocess.run, ["rm", "-r", CACHE / "twinpath" / name], check=True)
        maker = CACHE / "twinpath/bin/mmdebstrap"  # makes half a root: the last argument but one
        maker.parent.mkdir()
        maker.write_text('#!/bin/bash\nmkdir -p "${@: -2:1}/etc"; exec sleep 1000\n')
        maker.chmod(0o755)
        half = CACHE / "twinpath/bookworm.new"
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = start("bookworm", "true", PATH=f"{maker.parent}:{os.environ['PATH']}")
                wait_for("half a root", (half / "etc").exists)
                process.send_signal(number)
                process.communicate(timeout=60)
                self.assertEqual(128 + number, process.returncode)
                self.assertFalse(half.exists())

    def test_wrong_usage(self):
        for arguments, said in (((), "which release"), (("sid",), "found 'sid', allowed trixie or bookworm"),
                                (("--remove", "sid"), "found 'sid'")):
            status, out, err = run(*arguments)
            self.assertEqual((2, ""), (status, out))
            self.assertIn(said, err)

    def test_test_hands_its_other_arguments_on(self):
        (TREE / "tools/deps").write_text('#!/bin/sh\ncat /etc/whose\n')
        (TREE / "tools/lib.sh").write_text((TOOLS / "lib.sh").read_text() + 'setup() { say "$filter, $basics"; exit 0; }\n')
        status, out, err = run("--filter", "a*", "--release", "trixie", "--basics", tool="test")
        self.assertEqual((0, "the release's\na*, 1\n", ""), (status, out, err))


unittest.main(verbosity=2)
