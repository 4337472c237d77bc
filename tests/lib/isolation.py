# SPDX-License-Identifier: BSD-3-Clause
"""Checks that tests/lib/isolate runs this test, and makes further network namespaces inside."""
import ctypes
import os
import subprocess
import sys

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def require():
    """Exits unless the program runs in its own namespaces, so that no test changes the network of the
    machine. Without root the exit status means a skipped test to meson."""
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        sys.exit(77)
    if "TWINPATH_ISOLATED" not in os.environ:
        print(f"run it as: tests/lib/isolate {' '.join(sys.argv)}", file=sys.stderr)
        sys.exit(2)


def new_network():
    """Moves the calling thread to a new network namespace with lo up. Threads and processes that it
    starts later are there, too; /sys still shows the former namespace."""
    if LIBC.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=60)
