# SPDX-License-Identifier: BSD-3-Clause
"""Waits for another process without a fixed time."""
import time


def wait_for(what, condition, seconds=60):
    """Calls `condition()` until its value is true, and returns the value. AssertionError after
    `seconds`, which are for a busy machine and never part of what is tested."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what}: not after {seconds} s")
