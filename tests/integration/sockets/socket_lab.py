# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of twinpath-socket share, beside xdp_lab and xdp_traffic: one engine's program.

A test file runs as FILE TWINPATH_SOCKET TWINPATH ENGINE [MORE]... and ends with main()."""
import sys

import xdp_lab

ENGINE = sys.argv[3]


class Program(xdp_lab.Program):
    READY = f", {ENGINE}"

    def __init__(self, folder, *arguments):
        super().__init__(folder, "--engine", ENGINE, *arguments)


class SocketTest(xdp_lab.XdpTest):
    def start(self, *arguments):
        return Program(self.folder, *arguments)

    def refused(self, pattern, *arguments, **more):
        super().refused(pattern, "--engine", ENGINE, *arguments, **more)
