# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of twinpath-socket share, beside xdp_lab and xdp_traffic: one engine's program.

A test file runs as FILE TWINPATH_SOCKET TWINPATH ENGINE [MORE]... and ends with main()."""
import select
import struct
import sys

import xdp_lab
from xdp_traffic import PACKET_OUTGOING, SOL_PACKET, Capture

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


class TaggedCapture(Capture):
    """A capture that puts VLAN tags back which the kernel took out of the frames (PACKET_AUXDATA)."""

    def __init__(self, interface):
        super().__init__(interface)
        self.socket.setsockopt(SOL_PACKET, 8, 1)

    def frames(self, at_least=0):
        frames = []
        while select.select([self.socket], [], [], 10 if len(frames) < at_least else 0)[0]:
            data, ancillary, _, address = self.socket.recvmsg(1 << 16, 64)
            status, tag, kind = struct.unpack("I12xHH", ancillary[0][2][:20])
            if status & 0x10:  # TP_STATUS_VLAN_VALID
                data = data[:12] + struct.pack("!HH", kind, tag) + data[12:]
            if address[2] != PACKET_OUTGOING:
                frames.append(data)
        return frames
