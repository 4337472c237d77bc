# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces of a test's own: network, processes and mounts, which go away with it however it ends."""
import os
import signal
import subprocess
import sys


def enter(*mounts):
    """Goes on, from the start of the program, in new namespaces with these (kind, place) mounted.
    Exits with meson's status for a skipped test without root."""
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        sys.exit(77)
    if "OWN_NAMESPACES" not in os.environ:
        sys.exit(run_inside())
    for kind, place in mounts:
        subprocess.run(["mount", "-t", kind, kind, place], check=True, timeout=60)
    os.environ.pop("RUNTIME_DIRECTORY", None)


def run_inside():
    """Exit status of this program, run again in them. A signal ends both: unshare by itself would
    wait on."""
    child = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
         "--kill-child", "--mount-proc", sys.executable, *sys.argv],
        env={**os.environ, "OWN_NAMESPACES": "1"})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: child.kill())
    status = child.wait()
    return status if status >= 0 else 128 - status
