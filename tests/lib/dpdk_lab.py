# SPDX-License-Identifier: BSD-3-Clause
"""Helpers for the Python tests of twinpath-dpdk: the program from its start to its summary, its log with
the time of each line, one open telemetry connection, veth pairs, and frames to send into them."""
import json
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

from verdicts import check_conserved
from wait import wait_for

PACKET_IGNORE_OUTGOING = 23
SOL_PACKET, PACKET_VNET_HDR = 263, 15


def run(*command):
    """Runs a command, which must succeed. Returns its output."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def quiet(name):
    """Sets an interface up so that the kernel sends no frame of its own."""
    pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
    run("ip", "link", "set", "dev", name, "arp", "off", "up")


def veth(near, far, index=None, queues=1):
    """Creates a veth pair that is up, and on which the kernel sends no frames of its own. `near` has this
    ifindex, if one is given, and this many queues; frames from `far` arrive on the first queue."""
    run("ip", "link", "add", "name", near, *(["index", str(index)] if index else []), "numrxqueues", str(queues),
        "numtxqueues", str(queues), "type", "veth", "peer", "name", far, "numrxqueues", str(queues), "numtxqueues", "1")
    quiet(near)
    quiet(far)


class Sender:
    """Sends numbered UDP frames of `length` bytes into an interface."""

    def __init__(self, interface, length=64):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((interface, 0))
        udp = length - 34
        self.head = bytes.fromhex("02000000000202000000000108004500") + (length - 14).to_bytes(2, "big") \
            + bytes.fromhex("000000004011") + bytes(2) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) \
            + bytes.fromhex("03e807d0") + udp.to_bytes(2, "big") + bytes(2)
        self.fill = bytes(length - len(self.head) - 4)
        self.number = 0

    def send(self, count, per_second=None):
        """Sends the next `count` frames."""
        start = time.monotonic()
        for i in range(count):
            frame = self.head + self.number.to_bytes(4, "big") + self.fill
            while True:
                try:
                    self.socket.send(frame)
                    break
                except (BlockingIOError, OSError) as error:
                    if error.errno not in (11, 105):  # EAGAIN, ENOBUFS
                        raise
                    time.sleep(0.001)
            self.number += 1
            if per_second and i % 32 == 31:
                time.sleep(max(0, start + i / per_second - time.monotonic()))

    def close(self):
        self.socket.close()


def send_segments(interface, size, count):
    """Sends `count` buffers of ten TCP segments with `size` bytes of payload each, which nobody has cut yet."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + 10 * size, 0, 0x4000, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    tcp = struct.pack("!HHIIBBHHH", 1000, 2000, 1, 1, 5 << 4, 0x10, 1000, 0, 0)
    head = bytes.fromhex("0200000000020200000000010800") + ip + tcp
    needs_checksum, tcp_segments = 1, 1
    note = struct.pack("=BBHHHH", needs_checksum, tcp_segments, len(head), size, 34, 16)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sender.bind((interface, 0))
        for _ in range(count):
            sender.send(note + head + bytes(10 * size))


def arrived(interface):
    """Returns how many frames an interface has received."""
    return int(pathlib.Path(f"/sys/class/net/{interface}/statistics/rx_packets").read_text())


class Telemetry:
    """A client of the telemetry socket of a file prefix, in DPDK's protocol."""

    def __init__(self, prefix):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        self.socket.connect(f"/run/dpdk/{prefix}/dpdk_telemetry.v2")
        self.socket.recv(1024)

    def ask(self, command):
        self.socket.send(command.encode())
        return json.loads(self.socket.recv(1 << 16))[command.split(",", maxsplit=1)[0]]

    def list(self, command):
        """The entries of a list that fits into one page."""
        page = self.ask(command)
        assert "next" not in page, page
        return [page[str(i)] for i in range(page["total"])]

    def port(self, name):
        return next(port for port in self.list("/twinpath/ports") if port["name"] == name)

    def fault(self, subject, fault):
        """Returns the entry of a fault, or an entry of zeros if it never began."""
        return next((entry for entry in self.list("/twinpath/faults")
                     if (entry["subject"], entry["fault"]) == (subject, fault)),
                    {"active": 0, "times": 0, "last_ms": 0, "total_ms": 0})

    def total(self, port, counter):
        """A counter's sum over the queues of a port."""
        return sum(queue[counter] for queue in self.list(f"/twinpath/queues,{port}"))

    def close(self):
        self.socket.close()


class Running:
    """A program in the background that runs once its log has a line with `ready`."""

    def __init__(self, command, summary_path, prefix, ready, environment=None):
        self.summary_path = pathlib.Path(summary_path)
        self.lines, self.grown = [], threading.Condition()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env=environment)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        self.telemetry = None
        try:
            self.said(ready)
            wait_for("its telemetry", pathlib.Path(f"/run/dpdk/{prefix}/dpdk_telemetry.v2").exists)
            self.telemetry = Telemetry(prefix)
        except AssertionError:
            self.__exit__()
            raise

    def _read(self):
        for line in self.process.stderr:
            with self.grown:
                self.lines.append((time.monotonic(), line.rstrip()))
                self.grown.notify_all()
        with self.grown:
            self.lines.append((time.monotonic(), None))
            self.grown.notify_all()

    def said(self, text, since=0.0, seconds=30):
        """Waits for a line with `text` that was read after `since`; returns its time and the line."""
        end = time.monotonic() + seconds
        with self.grown:
            while True:
                for at, line in self.lines:
                    if line is not None and at >= since and text in line:
                        return at, line
                ended = bool(self.lines) and self.lines[-1][1] is None
                if ended or not self.grown.wait(end - time.monotonic()):
                    raise AssertionError(f"no line with {text!r} in the log:\n" + self.log())

    def log(self):
        return "\n".join(line for _, line in self.lines if line is not None)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Ends the program, also after a failure of the test."""
        if self.telemetry:
            self.telemetry.close()
        self.process.kill()
        self.process.wait(30)
        self.reader.join(30)
        self.process.stderr.close()

    def stop(self, number=signal.SIGTERM):
        """Ends the program by a signal. Returns its summary, whose queues conserve packets and bytes."""
        self.process.send_signal(number)
        status = self.process.wait(30)
        assert status == 0, f"exit status {status}:\n{self.log()}"
        summary = json.loads(self.summary_path.read_text())
        check_conserved(summary)
        return summary


class Dpdk(Running):
    """twinpath-dpdk, with ordinary memory unless EAL arguments say otherwise."""

    def __init__(self, program, folder, *arguments, prefix="faults", eal=("--no-huge",), environment=None):
        summary = pathlib.Path(folder, f"{prefix}.json")
        super().__init__([program, *arguments, "--summary", summary, "--", *eal, f"--file-prefix={prefix}"], summary,
                         prefix, ": lcores ", environment)


def until(what, condition, seconds=30):
    """Waits until `condition()` is true; returns how many milliseconds that took."""
    start = time.monotonic()
    wait_for(what, condition, seconds)
    return 1000 * (time.monotonic() - start)
