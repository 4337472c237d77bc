# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces of a test's own: network, processes and mounts, which go away with it however it ends."""
import os
import subprocess
import sys


def enter(*mounts):
    """Goes on, from the start of the program, in new namespaces with these (kind, place) mounted.
    Exits with meson's status for a skipped test without root."""
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        sys.exit(77)
    if "OWN_NAMESPACES" not in os.environ:
        os.environ["OWN_NAMESPACES"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                              "--mount-proc", sys.executable, *sys.argv])
    for kind, place in mounts:
        subprocess.run(["mount", "-t", kind, kind, place], check=True, timeout=60)
    os.environ.pop("RUNTIME_DIRECTORY", None)
