#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures goodput, request-response latency and CPU time of twinpath-splice in each mode, of haproxy in
TCP mode and of socat, alternately in one run.

All forwarders run all the time, on their own ports, in front of the same server (splice_bench). A round
measures them in turn, for every size of message and number of connections. A figure is the median of the
rounds. CPU time is that of the whole machine, including senders and receivers, because the kernel does much
of a forwarder's work in their calls. "direct", without a forwarder, is measured for comparison. Runs inside
tools/sandbox; tools/bench does that.

  splice_bench.py --programs BUILD [--quick] [--rounds N] [--window S] [--json FILE] [--plot FILE]
"""
import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

SERVER = "127.0.0.1:7100"
SIZES = {64: "64 B", 4096: "4 KiB", 131072: "128 KiB"}
CONNECTIONS = (1, 16, 256)
HAPROXY = """global
  nbthread {threads}
  maxconn 8192
defaults
  mode tcp
  maxconn 4096
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen bench
  bind {listen}
  server s {server}
"""
METRICS = (("goodput", "Mbit/s", lambda run: run["octets"] * 8 / run["seconds"] / 1e6),
           ("CPU", "s/GB", lambda run: run["busy_s"] / max(run["octets"], 1) * 1e9),
           ("p50", "us", lambda run: run["p50_us"]),
           ("p99", "us", lambda run: run["p99_us"]),
           ("p99.9", "us", lambda run: run["p999_us"]),
           ("RR CPU", "us/message", lambda run: run["busy_s"] / max(run["messages"], 1) * 1e6))


def forwarders(build, folder, threads):
    """Name -> (where it listens, its command)."""
    found = {}
    for at, mode in enumerate(("copy", "splice", "sockmap")):
        listen = f"127.0.0.1:{7001 + at}"
        found[mode] = (listen, [f"{build}/apps/twinpath-splice", "--listen", listen, "--to", SERVER,
                                "--mode", mode, "--workers", str(threads), "--drain", "0",
                                "--file-prefix", f"bench-{mode}"])
    config = pathlib.Path(folder, "haproxy.cfg")
    config.write_text(HAPROXY.format(threads=threads, listen="127.0.0.1:7004", server=SERVER))
    found["haproxy"] = ("127.0.0.1:7004", ["haproxy", "-q", "-db", "-f", str(config)])
    found["socat"] = ("127.0.0.1:7005", [
        "socat", "-b262144", "TCP4-LISTEN:7005,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024",
        f"TCP4:{SERVER},nodelay"])
    return found


def wait_for_listener(listen):
    host, _, port = listen.rpartition(":")
    deadline = time.monotonic() + 10
    while True:
        table = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii")
        if f":{int(port):04X} 00000000:0000 0A" in table:  # in LISTEN
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens on {host}:{port}")
        time.sleep(0.02)


class Bench:
    def __init__(self, arguments):
        self.load = f"{arguments.programs}/tests/bench/splice_bench"
        self.window, self.rounds = arguments.window, arguments.rounds
        self.sizes = [64, 131072] if arguments.quick else list(SIZES)
        self.connections = [1, 16] if arguments.quick else CONNECTIONS
        self.runs = []

    def measure(self, name, listen, size, connections, what):
        result = subprocess.run(
            [self.load, "--connect", listen, "--serve", SERVER, "--connections", str(connections),
             "--octets", str(size), "--seconds", str(self.window), what],
            capture_output=True, text=True, timeout=60, check=False)
        if result.returncode:
            raise RuntimeError(f"{name}, {size} bytes, {connections} connections: {result.stderr}")
        self.runs.append({"forwarder": name, "size": size, "connections": connections,
                          "what": what, **json.loads(result.stdout)})

    def run(self, subjects):
        for done in range(self.rounds):
            for size in self.sizes:
                for connections in self.connections:
                    for what in ("goodput", "latency"):
                        for name, listen in subjects:
                            self.measure(name, listen, size, connections, what)
            print(f"round {done + 1} of {self.rounds}", file=sys.stderr, flush=True)

    def figure(self, metric, name, size, connections):
        title, _, value = METRICS[metric]
        what = "goodput" if title in ("goodput", "CPU") else "latency"
        return statistics.median(
            value(run) for run in self.runs if
            (run["forwarder"], run["size"], run["connections"], run["what"])
            == (name, size, connections, what))


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def show(bench, names):
    for metric, (title, unit, _) in enumerate(METRICS):
        print(f"\n{title}, {unit}")
        rows = [["message", "connections", *names]]
        for size in bench.sizes:
            for connections in bench.connections:
                rows.append([SIZES[size], str(connections), *(
                    number(bench.figure(metric, name, size, connections)) for name in names)])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("  " + "  ".join([row[0].ljust(widths[0])] + [
                cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]))


def plot(bench, names, file):
    import matplotlib  # Debian's, so this file is run by Debian's Python
    matplotlib.use("Agg")
    from matplotlib import pyplot
    shown = (0, 2, 3, 1)  # goodput, p50, p99, CPU
    figure, all_axes = pyplot.subplots(len(shown), len(bench.sizes), squeeze=False,
                                       figsize=(4 * len(bench.sizes), 3 * len(shown)))
    colours = dict(zip(names, ("#999999", "#1b6ca8", "#2a9d8f", "#d1495b", "#edae49", "#66507a")))
    for row, metric in enumerate(shown):
        title, unit, _ = METRICS[metric]
        for column, size in enumerate(bench.sizes):
            axes = all_axes[row][column]
            width = 0.8 / len(names)
            for at, name in enumerate(names):
                axes.bar([i + (at - len(names) / 2 + 0.5) * width
                          for i in range(len(bench.connections))],
                         [bench.figure(metric, name, size, connections)
                          for connections in bench.connections],
                         width, label=name, color=colours[name])
            if unit == "us":
                axes.set_yscale("log")  # from one connection to 256 it grows a hundredfold
            axes.set_xticks(range(len(bench.connections)), [str(n) for n in bench.connections])
            axes.set_title(f"{title}, {SIZES[size]} messages", fontsize=10)
            axes.set_ylabel(unit.replace("us", "µs"))
            axes.grid(axis="y", alpha=0.3)
            axes.set_axisbelow(True)
            if row == len(shown) - 1:
                axes.set_xlabel("connections")
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=len(names), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(file, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--window", type=float)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    arguments.window = arguments.window or (0.4 if arguments.quick else 0.7)
    with tempfile.TemporaryDirectory() as folder, \
            open(pathlib.Path(folder, "log"), "w+", encoding="utf-8") as log:
        found = forwarders(arguments.programs, folder, arguments.threads)
        started = []
        try:
            for listen, command in found.values():
                started.append(subprocess.Popen(command, stdout=log, stderr=log))
                wait_for_listener(listen)
            bench = Bench(arguments)
            subjects = [("direct", SERVER)] + [(name, listen) for name, (listen, _) in found.items()]
            bench.run(subjects)
        except (RuntimeError, OSError) as error:
            log.seek(0)
            sys.exit(f"splice_bench.py: {error}\n{log.read()[-2000:]}")
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(20)
    names = [name for name, _ in subjects]
    print(f"{platform.node()}, Linux {platform.release()}, {arguments.threads} threads each, median "
          f"of {arguments.rounds} rounds of {arguments.window} s")
    show(bench, names)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(bench.runs, indent=1), encoding="utf-8")
    if arguments.plot:
        plot(bench, names, arguments.plot)
        print(f"\nThe plot: {arguments.plot}")


if __name__ == "__main__":
    main()
