# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of twinpath-xdp and of twinpath-socket share: veth pairs, and the program from its start to its summary. The frames are xdp_traffic's.

A test file runs as FILE TWINPATH_XDP TWINPATH and ends with main()."""
import ctypes
import json
import math
import os
import pathlib
import platform
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import isolation
from verdicts import check_conserved

PROGRAM = os.path.realpath(sys.argv[1])
BPFFS = pathlib.Path("/sys/fs/bpf")
SOCKET = pathlib.Path("/run/dpdk", os.path.basename(PROGRAM), "dpdk_telemetry.v2")
MODES = ("native", "generic")
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_LOAD, LINK_CREATE = 5, 28
SCHED_CLS, TCX_INGRESS, F_BEFORE = 3, 46, 1 << 3
LIBC = ctypes.CDLL(None, use_errno=True)


def main():
    isolation.require()
    unittest.main(argv=sys.argv[:1], verbosity=2)


def run(*command):
    """Runs a command, which must succeed. Returns its output."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def remove(interface):
    """Removes a veth pair, unless the test has done so."""
    subprocess.run(["ip", "link", "del", interface], stderr=subprocess.DEVNULL, timeout=60)


class Program:
    """A program in the background. The constructor returns when it runs."""

    READY = " mode ("  # in the line of each port

    def __init__(self, folder, *arguments):
        self.summary_path = pathlib.Path(folder, "summary.json")
        self.summary_path.unlink(missing_ok=True)
        self.log = tempfile.TemporaryFile("w+", dir=folder)
        self.process = subprocess.Popen([PROGRAM, *arguments, "--summary", self.summary_path],
                                        stdout=self.log, stderr=subprocess.PIPE, text=True)
        self.messages = ""
        for _ in range(arguments.count("--port")):
            line = self.process.stderr.readline()
            self.messages += line
            if self.READY not in line:
                self.__exit__()
                raise AssertionError(f"did not start: {self.messages}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Ends the program, also after a failure of the test."""
        self.process.kill()
        self.process.wait(30)
        self.process.stderr.close()
        self.log.close()

    def stop(self, number=signal.SIGTERM):
        """Ends the program by a signal, and returns its summary."""
        self.process.send_signal(number)
        return self.end()

    def end(self):
        """Waits for the end. Returns the summary, whose queues conserve packets and bytes and whose rules
        account for every packet."""
        status = self.process.wait(30)
        assert status == 0, f"exit status {status}: {self.process.stderr.read()}"
        summary = json.loads(self.summary_path.read_text())
        check_conserved(summary)
        totals = summary["totals"]
        retired = summary["reloads"]  # the counts of rules that a reload removed
        for name, total in (("matched", totals["rx_packets"] - totals["malformed_packets"]),
                            ("lost", totals["lost_packets"])):
            key = f"{name}_packets"
            counted = sum(rule[key] for rule in summary["rules"]) + retired[f"retired_{key}"]
            assert counted == total, summary
        return summary

    def output(self):
        self.log.seek(0)
        return self.log.read()


class XdpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/run")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        SOCKET.unlink(missing_ok=True)  # another test may have killed its program

    def veth(self, near, far, queues=1, far_queues=None, index=None):
        """A veth pair that is up, on which the kernel sends no frame of its own. `index` is the ifindex of
        `near`."""
        near_numbers, far_numbers = (("numtxqueues", str(count), "numrxqueues", str(count))
                                     for count in (queues, far_queues or queues))
        number = ("index", str(index)) if index else ()
        run("ip", "link", "add", near, *number, *near_numbers, "type", "veth", "peer", "name", far,
            *far_numbers)
        self.addCleanup(remove, near)
        # Where the MTU was below 1,280 bytes, IPv6 starts anew with the default.
        for name in ("default", near, far):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        for name in (near, far):
            run("ip", "link", "set", name, "arp", "off", "up")

    def gro(self, *interfaces, on=True):
        for name in interfaces:
            run("ethtool", "-K", name, "gro", "on" if on else "off")

    def wire(self, queues=1):
        """Two veth pairs, gen - lan and wan - sink. gen and sink receive what native mode redirects."""
        self.veth("gen", "lan", queues)
        self.veth("wan", "sink", queues)
        self.gro("gen", "sink")

    def start(self, *arguments):
        return Program(self.folder, *arguments)

    def policy(self, default, *rules, **more):
        path = self.folder / "policy.json"
        path.write_text(json.dumps({"version": 1, "rules": rules, "default": default, **more}))
        return str(path)

    def assert_loss(self, rate, lost, of, deviations=3.9):
        """Checks `lost` of `of` packets against a rate: exactly at 0 and 1, else within this many
        standard deviations."""
        self.assertLessEqual(abs(lost - rate * of), deviations * math.sqrt(rate * (1 - rate) * of),
                             f"{lost} of {of} lost at {rate}")

    def refused(self, pattern, *arguments, prefix=(), environment=None):
        """Checks that the program ends with status 2 and one line that matches `pattern`, and leaves nothing."""
        before = leavings()
        result = subprocess.run([*prefix, PROGRAM, *arguments], capture_output=True, text=True,
                                env=environment, timeout=20)
        self.assertEqual(2, result.returncode, result.stderr)
        self.assertEqual("", result.stdout)
        self.assertRegex(result.stderr, rf"\A{os.path.basename(PROGRAM)}: [^\n]+\n\Z")
        self.assertRegex(result.stderr, pattern)
        self.assertLess(len(result.stderr), 400)
        self.assertEqual(before, leavings())


def attached():
    """Interface -> (mode, program id, program name) of every interface with an XDP program."""
    modes = {1: "native", 2: "generic"}
    links = json.loads(run("ip", "-json", "link"))
    return {link["ifname"]: (modes[link["xdp"]["mode"]], link["xdp"]["prog"]["id"],
                             link["xdp"]["prog"].get("name"))  # no name while the program is being removed
            for link in links if "xdp" in link}


def maps_of(program):
    """The ids of the maps of a program; None where there is no such program."""
    shown = subprocess.run(["bpftool", "--json", "prog", "show", "id", str(program)],
                           capture_output=True, text=True, timeout=60)
    return json.loads(shown.stdout).get("map_ids", []) if shown.returncode == 0 else None


def map_exists(number):
    return subprocess.run(["bpftool", "map", "show", "id", str(number)], capture_output=True,
                          timeout=60).returncode == 0


def leavings(program=PROGRAM):
    """Returns what programs may leave behind: attached programs, pins, files, folders, processes."""
    def files(folder):
        # The last program that ends removes the folder of all of them, which another one may have made.
        return sorted(str(path) for path in pathlib.Path(folder).rglob("*") if str(path) != "/run/dpdk")
    return {"attached": attached(), "pins": sorted(map(str, BPFFS.rglob("*"))),
            "files": files("/run"), "temporary": files("/tmp/dpdk"),
            "processes": [path for path in pathlib.Path("/proc").glob("[0-9]*")
                          if path.joinpath("exe").exists()
                          and os.readlink(path / "exe") == program]}


def bpf(command, attribute):
    """Calls bpf(2) with these bytes of a union bpf_attr. Returns a file descriptor."""
    attribute = ctypes.create_string_buffer(attribute.ljust(128, b"\0"), 128)
    result = LIBC.syscall(SYS_BPF, command, attribute, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"bpf({command})")
    return result


class FirstClassifier:
    """A program called `name` of the kernel's packet classifier (tcx, Linux 6.6) that runs before all others at the
    ingress of an interface, until close(), and passes every frame on to the next program. Debian 12's bpftool cannot
    attach one."""

    def __init__(self, interface, name=b"other"):
        code = struct.pack("<BBhi", 0xb7, 0, 0, -1) + struct.pack("<BBhi", 0x95, 0, 0, 0)  # return TCX_NEXT
        self.memory = [ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"BSD")]
        program = bpf(PROG_LOAD, struct.pack("<IIQQIIQII16s", SCHED_CLS, 2, ctypes.addressof(self.memory[0]),
                                             ctypes.addressof(self.memory[1]), 0, 0, 0, 0, 0, name))
        try:
            self.link = bpf(LINK_CREATE, struct.pack("<IIII", program, socket.if_nametoindex(interface), TCX_INGRESS,
                                                     F_BEFORE))
        finally:
            os.close(program)

    def close(self):
        os.close(self.link)
