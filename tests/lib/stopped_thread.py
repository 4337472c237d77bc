# SPDX-License-Identifier: BSD-3-Clause
"""Stops one thread of a program by ptrace, while its other threads continue."""
import contextlib
import ctypes
import os
import pathlib

from wait import wait_for

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, thread):
    if LIBC.ptrace(request, thread, None, None):
        raise OSError(ctypes.get_errno(), f"ptrace({request:#x}, {thread})")


@contextlib.contextmanager
def held(thread):
    """Stops the thread inside the `with`."""
    ptrace(PTRACE_SEIZE, thread)
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)  # returns once it is stopped
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH, thread)


# How the names of DPDK's workers begin: in DPDK 22.11 and in 24.11.
WORKERS = ("rte-worker", "dpdk-worker")


def threads_of(process, *names, count=1):
    """The ids of the `count` threads of a process whose names begin with one of `names`, sorted. Waits
    for them, because a thread names itself some time after the program has started."""
    def named():
        tasks = pathlib.Path(f"/proc/{process}/task")
        found = sorted(int(task.name) for task in tasks.iterdir() if (task / "comm").read_text().startswith(names))
        return found if len(found) == count else None
    return wait_for(f"{count} threads called {names}", named, 20)
