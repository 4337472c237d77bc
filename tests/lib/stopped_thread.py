# SPDX-License-Identifier: BSD-3-Clause
"""One thread of a program held where it is, while its others go on."""
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
    """The thread stands still inside the `with`."""
    ptrace(PTRACE_SEIZE, thread)
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)  # until it stands
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH, thread)


def threads_of(process, *names, count=1):
    """The `count` of a process whose name begins with one of `names`, by their numbers. A thread may
    name itself some time after its program is there."""
    def named():
        tasks = pathlib.Path(f"/proc/{process}/task")
        found = sorted(int(task.name) for task in tasks.iterdir() if (task / "comm").read_text().startswith(names))
        return found if len(found) == count else None
    return wait_for(f"{count} threads called {names}", named, 20)
