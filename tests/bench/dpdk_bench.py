#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures the cycles per packet of twinpath-dpdk and of dpdk-testpmd, on the same virtual devices.

Every round runs each program once. Packets come from DPDK's own telemetry (/ethdev/stats, the same counters
of the same PMD for both programs), at the start and at the end of a window. The time is the CPU time of the
busiest threads (schedstat), so other programs on the machine do not count. A figure is the median of the
rounds. A ratio is the median of the rounds' ratios, so that anything that slows the machine for a while slows
both sides. Runs inside tools/sandbox; tools/bench does that.

  dpdk_bench.py --programs BUILD/apps [--against BUILD/apps] [--rounds N] [--window S] [--only WORD] [--json FILE]

With --against, the peer of each row is the same row by another build's twinpath-dpdk, one run after the other.
Each ratio then has its 95 % interval.
"""
import argparse
import json
import math
import os
import pathlib
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

FRAMES = 10000  # in each capture, for any number of rules
CONTROL_CPU, WORKER_CPU = 0, 1


class Program:
    """One run of a DPDK program: started, read by telemetry, ended."""

    def __init__(self, name, command, prefix, folder):
        self.name, self.prefix = name, prefix
        self.log = open(pathlib.Path(folder, prefix + ".log"), "w+", encoding="utf-8")
        # testpmd needs a standard input that does not end.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self.socket = None

    def fail(self, what):
        self.log.seek(0)
        raise RuntimeError(f"{self.name}: {what}\n{self.log.read()[-2000:]}")

    def connect(self):
        path = f"/run/dpdk/{self.prefix}/dpdk_telemetry.v2"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with status {self.process.returncode}")
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.settimeout(5)
            try:
                self.socket.connect(path)
                self.socket.recv(4096)  # the greeting
                return
            except OSError:
                self.socket.close()
                time.sleep(0.05)
        self.fail("no telemetry after 20 s")

    def received(self, ports):
        """Packets received by `ports` so far."""
        total = 0
        for port in ports:
            self.socket.send(f"/ethdev/stats,{port}".encode())
            answer = json.loads(self.socket.recv(16384)).get("/ethdev/stats")
            total += (answer or {}).get("ipackets", 0)
        return total

    def thread_times(self):
        """Thread -> its CPU time so far, in ns."""
        times = {}
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            times[task.name] = int((task / "schedstat").read_text().split()[0])
        return times

    def cost(self, ports, workers, window):
        """Returns the CPU time of the `workers` busiest threads per packet, in ns, over `window` seconds."""
        self.connect()
        deadline = time.monotonic() + 20
        while self.received(ports) == 0:
            if time.monotonic() > deadline:
                self.fail("no packet after 20 s")
            time.sleep(0.05)
        time.sleep(0.3)  # caches and mempool caches fill
        packets, times = -self.received(ports), self.thread_times()
        time.sleep(window)
        packets += self.received(ports)
        spent = sorted(now - times.get(task, 0) for task, now in self.thread_times().items())
        return sum(spent[-workers:]) / packets

    def stop(self):
        if self.socket:
            self.socket.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.log.close()


class Subject:
    """A program to measure: how to start it, the DPDK ports whose packets count, and how many threads poll
    them. `programs` is the folder of its program; None: the system's."""

    def __init__(self, name, make_command, ports, workers=1, programs=None):
        self.name, self.make_command, self.ports = name, make_command, ports
        self.workers, self.programs = workers, programs
        self.cycles = []


class Bench:
    def __init__(self, arguments, folder):
        self.apps = pathlib.Path(arguments.programs)
        self.window, self.rounds = arguments.window, arguments.rounds
        self.folder = pathlib.Path(folder)
        self.runs = 0
        self.tsc_hz = self.read_tsc()

    def read_tsc(self):
        """The rate of the time stamp counter, as EAL measures it."""
        text = subprocess.run(
            ["dpdk-testpmd", "-l", "0", "--no-pci", "--in-memory", "-m", "64",
             "--log-level=lib.eal:debug", "--", "--help"],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        found = re.search(r"TSC frequency is ~(\d+) KHz", text.stdout + text.stderr)
        if not found:
            raise RuntimeError("EAL did not say the frequency of the TSC:\n" + text.stderr[-2000:])
        return int(found[1]) * 1000

    def testpmd(self, mode, devices, queues=1, cores=1):
        """`cores` forwarding lcores, the first on the worker's CPU, burst 32, over virtual devices.
        The main lcore only waits."""
        def command(prefix, _):
            vdevs = [word for device in devices for word in ("--vdev", device)]
            lcores = f"0@{CONTROL_CPU},1@{WORKER_CPU}" + (f",2@{CONTROL_CPU}" if cores > 1 else "")
            return (["dpdk-testpmd", f"--lcores={lcores}", "--no-pci",
                     f"--file-prefix={prefix}", *vdevs, "--", f"--forward-mode={mode}",
                     f"--nb-cores={cores}", "--burst=32", f"--rxq={queues}", f"--txq={queues}",
                     "--total-num-mbufs=65536", "--auto-start", "--stats-period=3600"])
        name = f"testpmd {mode}" + (f", {cores} cores" if cores > 1 else "")
        return Subject(name, command, range(len(devices)), cores)

    def twinpath(self, name, policy, devices, lcores=str(WORKER_CPU), queues=1, mbufs=65536):
        """twinpath-dpdk, burst 32, ports p0, p1, ... on the same devices."""
        policy_file = self.folder / (re.sub(r"\W+", "-", name) + ".policy.json")
        policy_file.write_text(json.dumps(policy), encoding="utf-8")
        profile_file = self.folder / "profile.json"
        profile_file.write_text(json.dumps({"version": 1, "burst": 32, "mbufs": mbufs}),
                                encoding="utf-8")

        def command(prefix, programs):
            ports = [word for i, device in enumerate(devices)
                     for word in ("--port", f"p{i}={device}")]
            return ([str(programs / "twinpath-dpdk"), "--policy", str(policy_file), "--profile",
                     str(profile_file), *ports, "--queues", str(queues), "--lcores", lcores,
                     "--", f"--file-prefix={prefix}", "--no-pci"])
        return Subject(name, command, range(len(devices)), len(lcores.split(",")), self.apps)

    def measure(self, subjects):
        """Runs the subjects in turn, `rounds` times; every other round in reverse order."""
        for turn in range(self.rounds):
            for subject in subjects if turn % 2 == 0 else list(reversed(subjects)):
                self.runs += 1
                prefix = f"bench{self.runs}"
                command = subject.make_command(prefix, subject.programs)
                program = Program(subject.name, command, prefix, self.folder)
                try:
                    cost = program.cost(subject.ports, subject.workers, self.window)
                finally:
                    program.stop()
                subject.cycles.append(self.tsc_hz * cost / 1e9)


def crossed(loss):
    """Two crossed ports, with this loss in each direction."""
    return {"version": 1, "seed": 7, "rules": [
        {"name": f"p{a} to p{b}", "match": {"port": f"p{a}"}, "loss": loss,
         "forward": {"port": f"p{b}"}} for a, b in ((0, 1), (1, 0))]}


def wire(rate):
    """Two crossed ports, each direction losing `rate` at random."""
    return crossed({"model": "random", "rate": rate})


# One packet in a hundred, by every model but random.
MODELS = {
    "correlated": {"rate": "1%", "correlation": "50%"},
    "gilbert_elliott": {"p": "0.25%", "r": "24.75%"},
    "four_state": {"p13": "0.2%", "p31": "20%", "p32": "5%", "p23": "50%", "p14": "0.01%"},
    "periodic": {"every": 100},
    "sequence": {"packets": [3, 50], "repeat": 200},
}


def udp_loss(scope):
    """One rule that reads every packet, so that only the scope differs."""
    return {"version": 1, "seed": 7, "rules": [
        {"name": "udp", "match": {"proto": "udp"},
         "loss": {"model": "random", "rate": "1%", "scope": scope}, "forward": "reflect"}]}


def five_tuple(i):
    """The i-th flow: (source, destination, source port, destination port)."""
    return f"10.{i >> 12 & 255}.{i >> 4 & 255}.{i & 15}", "192.0.2.1", 1024 + i % 50000, 5000


def exact_rules(count):
    """`count` rules of one shape: five-tuples."""
    rules = []
    for i in range(count):
        src, dst, src_port, dst_port = five_tuple(i)
        rules.append({"name": f"flow {i}", "match": {"proto": "udp", "src": src + "/32",
                                                     "dst": dst + "/32", "src_port": src_port,
                                                     "dst_port": dst_port},
                      "loss": {"model": "random", "rate": "1%"}, "forward": "reflect"})
    return {"version": 1, "seed": 7, "rules": rules, "default": {"forward": "drop"}}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def write_capture(path, flows, frames=FRAMES):
    """Writes `frames` frames of 64 bytes (including the checksum of a wire), spread evenly over `flows`
    five-tuples, in an order that no prefetcher can predict."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for n in range(frames):
            src, dst, src_port, dst_port = five_tuple(n * 7919 % frames % flows)
            payload = bytes(18)
            udp = struct.pack("!HHHH", src_port, dst_port, 8 + len(payload), 0)
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), n & 0xffff, 0, 64, 17, 0,
                             socket.inet_aton(src), socket.inet_aton(dst))
            ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
            frame = bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + udp + payload
            file.write(struct.pack("<IIII", 0, n, len(frame), len(frame)) + frame)


def cases_of(bench):
    """(case word, peer subject, [(subject, target ratio to the peer or None)])."""
    nulls = ["net_null0", "net_null1"]
    yield "wire", bench.testpmd("io", nulls), [
        (bench.twinpath("wire, 0 % loss", wire(0), nulls), 1.05),
        (bench.twinpath("wire, 1 % loss", wire("1%"), nulls), 1.10),
        (bench.twinpath("wire, 50 % loss", wire("50%"), nulls), 1.20),
        (bench.twinpath("wire, 100 % loss", wire("100%"), nulls), 0.90)]
    reflect = {"version": 1, "default": {"forward": "reflect"}}
    yield "reflect", bench.testpmd("macswap", nulls), [
        (bench.twinpath("reflect", reflect, nulls), 1.05)]

    def pcap(flows):
        capture = bench.folder / f"{flows}.pcap"
        write_capture(capture, flows)
        return [f"net_pcap0,rx_pcap={capture},infinite_rx=1"]
    yield "rules", bench.twinpath("1 five-tuple rule", exact_rules(1), pcap(1)), [
        (bench.twinpath("1,000 five-tuple rules", exact_rules(1000), pcap(1000)), 1.30),
        (bench.twinpath("10,000 five-tuple rules", exact_rules(10000), pcap(10000)), 1.30),
        (bench.testpmd("macswap", pcap(10000)), None)]
    yield "models", bench.twinpath("wire, 1 % loss", wire("1%"), nulls), [
        (bench.twinpath(f"wire, 1 % by {model}", crossed({"model": model, **parameters}), nulls),
         1.15) for model, parameters in MODELS.items()]
    many = bench.folder / "100000.pcap"
    write_capture(many, 100000, 100000)
    many = [f"net_pcap0,rx_pcap={many},infinite_rx=1"]
    yield "flows", bench.twinpath("100,000 flows, scope queue", udp_loss("queue"), many,
                                  mbufs=262143), [
        (bench.twinpath("100,000 flows, scope flow", udp_loss("flow"), many, mbufs=262143), 2.5),
        (bench.twinpath("100,000 flows, scope packet", udp_loss("packet"), many, mbufs=262143),
         None)]
    yield "workers", bench.twinpath("1 worker, 2 queues", wire("1%"), nulls, queues=2), [
        (bench.twinpath("2 workers, 2 queues", wire("1%"), nulls, queues=2,
                        lcores=f"{CONTROL_CPU},{WORKER_CPU}"), 1.90)]
    # This measures the gain of a second CPU, because two CPUs that share a core are not twice as fast.
    yield "workers", bench.testpmd("io", nulls, queues=2), [
        (bench.testpmd("io", nulls, queues=2, cores=2), None)]


def pairs_of(bench, programs):
    """As cases_of: each of its rows of twinpath-dpdk beside the same row by the program in the folder `programs`."""
    seen = set()
    for word, peer, subjects in cases_of(bench):
        for subject in [peer, *(subject for subject, _ in subjects)]:
            if subject.programs and subject.name not in seen:
                seen.add(subject.name)
                before = Subject("the other build", subject.make_command, subject.ports, subject.workers, programs)
                yield word, before, [(subject, None)]


def interval_of(samples):
    """The 95 % interval of the median, by order statistics: the k-th smallest and largest sample, of which fewer than
    2.5 % of all sets of samples have the median beyond. None for fewer than six samples."""
    count, below, k = len(samples), 0, 0
    while (below := below + math.comb(count, k)) <= 0.025 * 2 ** count:
        k += 1
    return (sorted(samples)[k - 1], sorted(samples)[-k]) if k else None


def result_of(word, peer, subject, target):
    ratios = [ours / theirs for ours, theirs in zip(subject.cycles, peer.cycles)]
    scaling = word == "workers" and peer.name != "the other build"
    if scaling:  # so many workers, each at so many cycles a packet
        ratios = [subject.workers / ratio for ratio in ratios]
    ratio = statistics.median(ratios)
    return {
        "path": "dpdk", "case": word, "name": subject.name, "unit": "cycles/packet",
        "value": statistics.median(subject.cycles), "peer": peer.name,
        "peer_value": statistics.median(peer.cycles), "ratio": ratio,
        "ratio_is": "times as fast" if scaling else "times the cycles",
        "interval": interval_of(ratios), "target": target, "target_is": None if target is None else
        ("at least" if scaling else "at most"),
        "met": None if target is None else (ratio >= target if scaling else ratio <= target),
        "samples": subject.cycles, "peer_samples": peer.cycles,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder of twinpath-dpdk")
    parser.add_argument("--against", type=pathlib.Path, help="folder of another build's twinpath-dpdk")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--window", type=float, default=1.0, help="seconds")
    parser.add_argument("--only", default="", help="wire, reflect, rules, models, flows or workers")
    parser.add_argument("--json", default="-", help="file; default: standard output")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        against = arguments.against
        for word, peer, subjects in pairs_of(bench, against) if against else cases_of(bench):
            if arguments.only and arguments.only != word:
                continue
            print(f"  {word}: {arguments.rounds} rounds of {len(subjects) + 1} programs",
                  file=sys.stderr, flush=True)
            bench.measure([peer] + [subject for subject, _ in subjects])
            results += [result_of(word, peer, subject, target) for subject, target in subjects]
        report = {"tsc_hz": bench.tsc_hz, "rounds": arguments.rounds, "cpus": os.cpu_count(),
                  "results": results}
    text = json.dumps(report, indent=2) + "\n"
    if arguments.json == "-":
        print(text, end="")
    else:
        pathlib.Path(arguments.json).write_text(text, encoding="utf-8")


main()
