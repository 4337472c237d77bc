# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for what another process does."""
import time


def wait_for(what, condition, seconds=60):
    """What `condition()` returns, once that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")
