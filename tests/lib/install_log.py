# SPDX-License-Identifier: BSD-3-Clause
"""meson's log of an installation, from which `ninja uninstall` knows what to remove."""
import pathlib


def keep(build):
    """Remembers the log of a build folder, and returns a function that puts the log back, so that
    `ninja uninstall` later removes what the user installed and not what a test installed."""
    log = pathlib.Path(build, "meson-logs/install-log.txt")
    before = log.read_bytes() if log.exists() else None
    return lambda: log.write_bytes(before) if before is not None else log.unlink(missing_ok=True)
