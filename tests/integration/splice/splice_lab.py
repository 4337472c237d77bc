# SPDX-License-Identifier: BSD-3-Clause
"""Helpers for the tests of twinpath-splice: a network namespace for each test case, the program from its
start to its summary, and sockets on both sides of it.

A test file runs as FILE TWINPATH_SPLICE [MORE]... and ends with main()."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import isolation
from wait import wait_for

PROGRAM = os.path.realpath(sys.argv[1])
MORE = [os.path.realpath(path) for path in sys.argv[2:]]
MODES = ("copy", "splice", "sockmap")
DEAD = "127.0.0.1:9"  # nobody listens there
PATTERN = bytes(range(256)) * 4096
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
ENDS = ("refused", "refused_by_chaos", "failed", "finished", "reset", "reset_by_chaos", "idle",
        "aborted", "open")


def main():
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)


def text(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Program:
    """twinpath-splice in the background; it listens once this is made."""

    def __init__(self, folder, *arguments, listen="127.0.0.1:0", prefix=()):
        self.summary_path = pathlib.Path(folder, "summary.json")
        self.summary_path.unlink(missing_ok=True)
        self.output = tempfile.TemporaryFile("w+", dir=folder)
        self.errors = tempfile.NamedTemporaryFile("w+", dir=folder)
        self.process = subprocess.Popen(
            [*prefix, PROGRAM, "--listen", listen, *arguments, "--summary", self.summary_path],
            stdout=self.output, stderr=self.errors)
        try:
            wait_for("the start", lambda: "listening on" in self.log() or self.process.poll() is not
                     None, 20)
        except AssertionError:
            self.process.kill()
            raise
        first = self.log()
        if "listening on" not in first:
            raise AssertionError(f"did not start: {first}")
        host, _, port = first.split("listening on ")[1].split(",")[0].rpartition(":")
        self.address = (host.strip("[]"), int(port))
        self.mode = first.split(" mode ")[1].split(" ")[0]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Ends the program, also after a failure of the test. A second call does nothing."""
        self.process.kill()
        self.process.wait(30)
        self.output.close()
        self.errors.close()

    def log(self):
        return pathlib.Path(self.errors.name).read_text()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Ends the program by a signal. Returns its summary, which accounts for every connection."""
        self.process.send_signal(number)
        return self.end(seconds)

    def end(self, seconds=30):
        status = self.process.wait(seconds)
        assert status == 0, f"exit status {status}: {self.log()}"
        summary = json.loads(self.summary_path.read_text())
        totals = summary["totals"]
        assert totals["accepted"] == sum(totals[name] for name in ENDS), totals
        assert totals["open"] == 0 and summary["connections"] == [], summary
        return summary

    def ask(self, *requests):
        """The answers of the telemetry socket to these requests, without their keys."""
        answers = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(10)
            connection.connect("/run/dpdk/twinpath-splice/dpdk_telemetry.v2")
            connection.recv(16384)
            for request in requests:
                connection.send(request.encode())
                answers.append(json.loads(connection.recv(16384))[request.split(",")[0]])
        return answers

    def totals(self):
        return self.ask("/twinpath/splice")[0]

    def connect(self, **options):
        """A client."""
        return connect(self.address, **options)


def connect(address, receive_buffer=None):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    client = socket.socket(family)
    client.settimeout(20)
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(address)
    return client


def reset(connection):
    """Closes a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_all(connection, seconds=20):
    """Reads until the FIN. A reset raises ConnectionResetError."""
    connection.settimeout(seconds)
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


class Server(socket.socket):
    """A target; the test accepts its connections."""

    def __init__(self, family=socket.AF_INET, port=0):
        super().__init__(family)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bind((LOOPBACK[family], port))
        self.listen(1024)
        self.settimeout(20)

    @property
    def text(self):
        return text(*self.getsockname()[:2])

    def take(self):
        connection, _ = self.accept()
        connection.settimeout(20)
        return connection


def outcome(client):
    """Returns what a client receives, and how its connection ends: "fin" or "reset"."""
    came = b""
    try:
        while piece := client.recv(1 << 16):
            came += piece
        return came, "fin"
    except ConnectionResetError:
        return came, "reset"
    finally:
        client.close()


def attempt(program):
    """The outcome of a client that sends one byte and its FIN."""
    try:
        client = program.connect()  # the reset may come before connect() returns
    except OSError:
        return b"", "reset"
    try:
        client.sendall(b"?")
        client.shutdown(socket.SHUT_WR)
    except OSError:  # recv() does not report the reset a second time
        return outcome(client)[0], "reset"
    return outcome(client)


class Serving(threading.Thread):
    """A target that sends its name to each client that sends a byte, and reads until the FIN."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.name_bytes, self.served, self.ending = server, name, 0, False
        self.start()

    def run(self):
        self.server.settimeout(0.05)
        while not self.ending:
            try:
                connection, _ = self.server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.served += 1
            with connection, contextlib.suppress(OSError):  # the connection may be reset
                connection.settimeout(10)
                connection.recv(1)
                connection.sendall(self.name_bytes)
                connection.shutdown(socket.SHUT_WR)
                read_all(connection)

    def end(self):
        self.ending = True
        self.join(10)
        self.server.close()


class SpliceTest(unittest.TestCase):
    def setUp(self):
        isolation.new_network()  # no port, sysctl or TIME_WAIT of the test before
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        pathlib.Path("/run/dpdk/twinpath-splice/dpdk_telemetry.v2").unlink(
            missing_ok=True)  # another test may have killed its program

    def start(self, *arguments, **options):
        return Program(self.folder, *map(str, arguments), **options)

    def server(self, family=socket.AF_INET, port=0):
        server = Server(family, port)
        self.addCleanup(server.close)
        return server

    def in_each_mode(self, *arguments):
        """(server, program) in each mode."""
        for mode in MODES:
            server = self.server()
            program = self.running("--to", server.text, "--mode", mode, *arguments)
            self.assertEqual(mode, program.mode)
            yield server, program
            program.__exit__()

    def running(self, *arguments, **options):
        """Starts the program, which ends with the test at the latest. Prints its arguments, for a test
        that fails."""
        print("  with", *arguments, flush=True)
        program = self.start(*arguments, **options)
        self.addCleanup(program.__exit__)
        return program
