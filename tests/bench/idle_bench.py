#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures the effects of sleeping in twinpath-dpdk: its CPU time without traffic, and the round trip
of a frame that it reflects on a veth. Compares lcores that poll (--idle busy) with lcores that sleep (--idle
adaptive), alternately in one run. Each program starts once per round, on its own CPU. This script sends and
receives on the other CPU, and is part of every figure. Runs inside tools/sandbox; tools/bench does that.

  idle_bench.py --programs BUILD/apps [--rounds N] [--json FILE]"""
import argparse
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

OUR_CPU, WORKER_CPU = 0, 1
IDLE_S = 1.0
SPARSE, DENSE = 200, 2000  # frames per round: some milliseconds apart, and each as soon as the last is back
PACKET_IGNORE_OUTGOING, SOL_PACKET = 23, 263
# AF_XDP sockets wake an lcore. net_af_packet cannot, so the lcore sleeps for short fixed times.
DEVICES = {"woken (AF_XDP)": "bench0", "naps (net_af_packet)": "net_af_packet0,iface=bench0"}


def frame(number):
    payload = struct.pack("!Q", number) + bytes(10)
    udp = struct.pack("!HHHH", 1024, 5000, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]),
                     bytes([10, 0, 0, 2]))
    return bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip + udp + payload


class Program:
    def __init__(self, path, device, idle):
        self.process = subprocess.Popen(
            ["taskset", "-c", f"{OUR_CPU},{WORKER_CPU}", path, "--port", f"a={device}", "--forward", "reflect", "--idle", idle, "--lcores", str(WORKER_CPU),
             "--", "--no-huge", "--file-prefix=idlebench"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = ""
        while ": lcores " not in said:
            line = self.process.stderr.readline()
            said += line
            if not line:
                raise RuntimeError(said)

    def cpu_time(self):
        """Seconds, of all its threads."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def cpu_share(self):
        before, began = self.cpu_time(), time.monotonic()
        time.sleep(IDLE_S)
        return (self.cpu_time() - before) / (time.monotonic() - began)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


def round_trips(wire, count, pause):
    """Returns the round trips, in microseconds, of frames that are sent one after the other, each after a pause
    of about that many seconds."""
    took, chance = [], random.Random(count)
    for number in range(count):
        if pause:
            time.sleep(chance.uniform(pause / 2, pause * 3 / 2))
        sent = frame(number)
        began = time.perf_counter_ns()
        wire.send(sent)
        while wire.recv(2048)[42:50] != sent[42:50]:
            pass
        took.append((time.perf_counter_ns() - began) / 1000)
    return took


def measure(program, device, idle):
    """(CPU share, sparse round trips, dense ones)"""
    running = Program(program, device, idle)
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
            wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            wire.settimeout(5)
            wire.bind(("bench1", 3))
            round_trips(wire, 50, 0)
            share = running.cpu_share()
            return share, round_trips(wire, SPARSE, 0.004), round_trips(wire, DENSE, 0)
    finally:
        running.stop()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder of twinpath-dpdk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="file")
    arguments = parser.parse_args()
    program = os.path.realpath(pathlib.Path(arguments.programs, "twinpath-dpdk"))
    os.sched_setaffinity(0, {OUR_CPU})
    subprocess.run("ip link add bench0 type veth peer name bench1 && echo 1 | tee "
                   "/proc/sys/net/ipv6/conf/bench0/disable_ipv6 /proc/sys/net/ipv6/conf/bench1/disable_ipv6 >/dev/null"
                   " && ip link set bench0 arp off up && ip link set bench1 arp off up", shell=True, check=True)
    results = {(kind, idle): ([], [], []) for kind in DEVICES for idle in ("busy", "adaptive")}
    try:
        for turn in range(arguments.rounds):
            print(f"  round {turn + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
            for (kind, idle), (shares, sparse, dense) in results.items():
                share, after_pauses, at_once = measure(program, DEVICES[kind], idle)
                shares.append(share)
                sparse.extend(after_pauses)
                dense.extend(at_once)
    finally:
        subprocess.run(["ip", "link", "del", "bench0"], check=False)
    rows = []
    print(f"\n  {'':<22}{'--idle':<10}{'CPU, idle':>10}   round trip after a pause   back to back, us"
          f"\n  {'':<42}   {'p50':>8}{'p99':>9}       {'p50':>8}{'p99':>9}")
    for (kind, idle), (shares, sparse, dense) in results.items():
        row = {"device": kind, "idle": idle, "cpu_share": statistics.median(shares),
               **{f"{name}_{word}_us": percentile(values, at) for name, values in (("pause", sparse), ("dense", dense))
                  for word, at in (("p50", 0.5), ("p99", 0.99))}}
        rows.append(row)
        print(f"  {kind:<22}{idle:<10}{row['cpu_share']:>10.1%}   {row['pause_p50_us']:>8.0f}{row['pause_p99_us']:>9.0f}"
              f"       {row['dense_p50_us']:>8.0f}{row['dense_p99_us']:>9.0f}")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


main()
