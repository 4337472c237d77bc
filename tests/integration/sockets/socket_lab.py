# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of twinpath-socket share, beside xdp_lab and xdp_traffic: one engine's program.

A test file runs as FILE TWINPATH_SOCKET TWINPATH ENGINE [MORE]... and ends with main()."""
import sys

import xdp_lab

ENGINE = sys.argv[3]
QUEUES = 1 if ENGINE == "pcap" else 2  # that the tests ask for


class Program(xdp_lab.Program):
    READY = f", {ENGINE}"

    def __init__(self, folder, *arguments):
        super().__init__(folder, "--engine", ENGINE, *arguments)


class SocketTest(xdp_lab.XdpTest):
    def start(self, *arguments):
        return Program(self.folder, *arguments)

    def refused(self, pattern, *arguments, **more):
        engine = () if "--engine" in arguments else ("--engine", ENGINE)
        super().refused(pattern, *engine, *arguments, **more)

    def same(self, wanted, found):
        """Checks that two lists of frames are equal, without printing all of them."""
        self.assertEqual(len(wanted), len(found))
        different = [number for number, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]]
        self.assertEqual([], different[:10])
