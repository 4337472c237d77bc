# SPDX-License-Identifier: BSD-3-Clause
"""What meson writes down of an installation, by which ninja knows what to uninstall."""
import pathlib


def keep(build):
    """A call that puts the log of an installation of yours back: a test's own is not to be uninstalled."""
    log = pathlib.Path(build, "meson-logs/install-log.txt")
    before = log.read_bytes() if log.exists() else None
    return lambda: log.write_bytes(before) if before is not None else log.unlink(missing_ok=True)
