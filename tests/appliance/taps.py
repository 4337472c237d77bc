# SPDX-License-Identifier: BSD-3-Clause
"""The host's ends of the machine's NICs: a sender with a rate limit, and a capture of what the machine sends."""
import select
import socket
import threading
import time

SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE = 263, 23, 33
ETH_P_ALL = 3
LARGEST = 65536


def send(tap, frames, per_second, in_flight=lambda sent: 0, window=64):
    """Sends by a tap at a limited rate, at most `window` frames ahead of the machine. in_flight(SENT) returns how
    many of SENT frames the machine has not received yet."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((tap, 0))
        begin = time.monotonic()
        for sent, frame in enumerate(frames):
            if sent % 16 == 0:
                end = time.monotonic() + 30
                while in_flight(sent) > window or time.monotonic() - begin < sent / per_second:
                    assert time.monotonic() < end, f"{tap}: {in_flight(sent)} of {sent} frames are in flight"
                    time.sleep(0.001)
            wire.send(frame)


class Capture:
    """Collects the frames that the machine sends by a tap, from now on."""

    def __init__(self, tap):
        self.frames, self.over = [], False
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.wire.bind((tap, ETH_P_ALL))
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.over:
            if select.select([self.wire], [], [], 0.1)[0]:
                self.frames.append(self.wire.recv(LARGEST))

    def finish(self, expected, seconds=30):
        """Waits for this many frames. Returns them, and all that follow within half a second."""
        end = time.monotonic() + seconds
        while len(self.frames) < expected and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.5)
        self.over = True
        self.thread.join()
        self.wire.close()
        return self.frames
