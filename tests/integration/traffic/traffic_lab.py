# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of twinpath generate and receive share: running both, and tags, read by their definition.

A test file runs as FILE TWINPATH_XDP TWINPATH and ends with xdp_lab.main()."""
import json
import os
import struct
import subprocess
import sys

TWINPATH = os.path.realpath(sys.argv[2])
TAG = 42  # its offset behind IPv4 without options and VLAN tag


def tag_of(frame, at=TAG):
    """(stream, number, time) of a tagged frame; None: there is no tag."""
    if frame[at:at + 3] != b"TpG":
        return None
    return frame[at + 3], int.from_bytes(frame[at + 6:at + 12], "big"), int.from_bytes(frame[at + 12:at + 18], "big")


def generate(*arguments, status=0):
    """What twinpath generate says it sent."""
    result = subprocess.run([TWINPATH, "generate", "--json", *map(str, arguments)], capture_output=True, text=True,
                            timeout=120)
    assert result.returncode == status, result.stderr
    return json.loads(result.stdout) if status == 0 else result.stderr


def received(*arguments):
    """The report of a capture."""
    return json.loads(subprocess.run([TWINPATH, "receive", "--json", *map(str, arguments)], capture_output=True,
                                     text=True, check=True, timeout=120).stdout)


def only_stream(report):
    [stream] = report["streams"]
    return stream


class Receiver:
    """twinpath receive in the background; it receives once this is made."""

    def __init__(self, port, *arguments):
        self.process = subprocess.Popen([TWINPATH, "receive", "--json", "--port", port, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        assert "receiving from" in line, line

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate(timeout=60)

    def report(self):
        """Waits for its end."""
        output, errors = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, errors
        return json.loads(output)

    def stop(self):
        self.process.terminate()
        return self.report()


def write_nanoseconds(path, frames):
    """A capture of these (nanoseconds, frame)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for time, frame in frames:
            file.write(struct.pack("<IIII", *divmod(time, 10**9), len(frame), len(frame)) + frame)
