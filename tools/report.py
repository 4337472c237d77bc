#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of tools/run and of tools/bench.

  report.py queues FOLDER               a path's counters of its ports and queues
  report.py loss POLICY FOLDER PATH...  the configured and the measured loss, and what the hosts saw
  report.py bench FOLDER FILE           every figure next to its peer's; FILE (may be empty) gets all as JSON

FOLDER has the output of the programs, ping and iperf3, in a folder for each path, or the benchmarks' JSON.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/lib"))
from verdicts import VERDICTS

# The lab's own traffic: label, the rule of lab.json that takes it, the file with its result.
TRAFFIC = [("ping", "ping", "ping"), ("TCP", "tcp clean", "tcp_clean.json"),
           ("TCP", "tcp 1%", "tcp_loss.json"), ("UDP", "udp 50%", "udp.json")]


def table(headings, rows, right):
    """Prints rows under headings; `right` are the columns that are numbers."""
    widths = [max(len(str(row[i])) for row in [headings] + rows) for i in range(len(headings))]
    for row in [headings] + rows:
        cells = [str(cell).rjust(width) if i in right else str(cell).ljust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def percent(fraction):
    return f"{fraction * 100:.3f}".rstrip("0").rstrip(".") + " %"


def asked(rule):
    """Returns the configured loss of a rule of a policy, in words."""
    rate = rule.get("loss", {}).get("rate", 0)
    if isinstance(rate, str) and rate.endswith("%"):
        return rate[:-1].strip() + " %"
    return percent(float(rate))


def load(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def saw(file):
    """Returns the result of one run of ping or iperf3, in a few words."""
    if file.name == "ping":
        text = file.read_text(encoding="utf-8")
        count = re.search(r"(\d+) packets transmitted, (\d+) received", text)
        times = re.search(r"= [\d.]+/([\d.]+)/", text)
        if not count:
            return "no answer"
        return f"{count[2]} of {count[1]} answered" + (f", {float(times[1]):.2f} ms" if times else "")
    report = load(file)
    if report.get("error") or "end" not in report:
        return "no result: " + report.get("error", "iperf3 got no answer").split(" - ")[0]
    end = report["end"]
    if file.name == "udp.json":
        total = end["sum"]
        received = total["packets"] - total["lost_packets"]
        share = received / total["packets"] if total["packets"] else 0
        return f"{percent(round(share, 4))} of {total['packets']:,} datagrams arrived"
    goodput = end["sum_received"]["bits_per_second"] / 1e6
    again = end["sum_sent"].get("retransmits", 0)
    return f"{goodput:,.0f} Mbit/s, {again:,} retransmit{'' if again == 1 else 's'}"


def show_queues(folder):
    """Prints the port and queue tables: the second and third block of the program's last report."""
    blocks = (folder / "tables").read_text(encoding="utf-8").strip().split("\n\n")
    for block in blocks[-3:-1]:
        print("\n" + "\n".join("  " + line.rstrip() for line in block.splitlines()))
    return 0


def rule_cells(rule):
    if not rule["matched_packets"]:
        return ["0", "-", "-"]
    return [f"{rule['matched_packets']:,}", percent(rule["loss_rate"]),
            f"{percent(rule['loss_rate_low'])} to {percent(rule['loss_rate_high'])}"]


def show_lab(policy, summaries, folder):
    print("\nConfigured loss, measured loss, and what the hosts saw\n")
    wanted = {rule["name"]: asked(rule) for rule in policy["rules"]}
    rows = []
    for path, summary in summaries.items():
        rules = {rule["name"]: rule for rule in summary["rules"]}
        for label, name, file in TRAFFIC:
            packets, reached, interval = rule_cells(rules[name])
            rows.append([path, label, packets, wanted[name], reached, interval,
                         saw(folder / path / file)])
    table(["path", "traffic", "packets", "configured", "measured", "95 % interval", "seen by the hosts"],
          rows, {2, 3, 4})


def show_own(policy, summaries, folder):
    print("\nConfigured loss and measured loss\n")
    wanted = [asked(rule) for rule in policy.get("rules", [])] + [asked(policy.get("default", {}))]
    rows = []
    for path, summary in summaries.items():
        for rule, loss in zip(summary["rules"], wanted):
            packets, reached, interval = rule_cells(rule)
            rows.append([path, rule["name"], packets, loss, reached, interval])
    table(["path", "rule", "packets", "configured", "measured", "95 % interval"], rows, {2, 3, 4})
    print("\nWhat the hosts saw\n")
    rows = []
    for path in summaries:
        for label, _, file in TRAFFIC:
            port = {"tcp_clean.json": " to 5201", "tcp_loss.json": " to 5202", "udp.json": " to 5203"}
            rows.append([path, label + port.get(file, ""), saw(folder / path / file)])
    table(["path", "traffic", "seen by the hosts"], rows, set())


def show_loss(policy_file, folder, paths):
    policy = load(policy_file)
    summaries = {path: load(folder / path / "summary.json") for path in paths}
    lab = policy_file.name == "lab.json" and policy_file.parent.name == "policies"
    (show_lab if lab else show_own)(policy, summaries, folder)
    print()
    balanced = True
    for path, summary in summaries.items():
        sums = {key: sum(queue.get(f"{key}_packets", 0) for queue in summary["queues"])
                for key in ("rx",) + VERDICTS}
        left = sums["rx"] - sum(sums[verdict] for verdict in VERDICTS)
        balanced = balanced and left == 0
        parts = " + ".join(f"{sums[verdict]:,} {verdict}" for verdict in VERDICTS if sums[verdict])
        print(f"  {path}: {sums['rx']:,} received = {parts}"
              + ("" if left == 0 else f", and {left:,} UNACCOUNTED FOR"))
    return 0 if balanced else 1


def interval(result):
    """The 95 % interval of a row's ratio, of those that are measured beside another build."""
    ends = result.get("interval")
    return f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends and result["peer"] == "the other build" else ""


def show_bench(folder, file):
    """Prints every figure next to its peer's, with its target. A missed target is not an error."""
    reports = {path: load(folder / f"{path}.json") for path in ("dpdk", "xdp")}
    rows = []
    for path, report in reports.items():
        for result in report.get("results", []):
            target = result.get("target")
            ratio, unit = result["ratio"], result["ratio_is"]
            rows.append([path, result["name"], f"{result['value']:.1f} {result['unit']}",
                         f"{result['peer']}: {result['peer_value']:.1f}", f"{ratio:.2f} {unit}" + interval(result),
                         "" if target is None else f"{result['target_is']} {target:.2f}",
                         {None: "", True: "met", False: "MISSED"}[result.get("met")]])
    print()
    table(["path", "case", "cost", "compared with", "ratio", "target", ""], rows, {2})
    if file:
        merged = {"machine": {"cpus": os.cpu_count(), "kernel": platform.release(),
                              "cpu": platform.processor()},
                  **{path: report for path, report in reports.items() if report}}
        pathlib.Path(file).write_text(json.dumps(merged, indent=2) + "\n", encoding="utf-8")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    reports = parser.add_subparsers(dest="report", required=True, metavar="queues|loss|bench")
    queues = reports.add_parser("queues")
    queues.add_argument("folder", type=pathlib.Path)
    loss = reports.add_parser("loss")
    loss.add_argument("policy", type=pathlib.Path)
    loss.add_argument("folder", type=pathlib.Path)
    loss.add_argument("paths", nargs="+", metavar="path")
    bench = reports.add_parser("bench")
    bench.add_argument("folder", type=pathlib.Path)
    bench.add_argument("file")
    arguments = parser.parse_args()
    if arguments.report == "bench":
        return show_bench(arguments.folder, arguments.file)
    if arguments.report == "queues":
        return show_queues(arguments.folder)
    return show_loss(arguments.policy, arguments.folder, arguments.paths)


sys.exit(main())
