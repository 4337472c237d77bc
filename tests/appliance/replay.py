# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests' policy on captures, on the host with net_pcap ports."""
import json
import pathlib
import subprocess

import flows as traffic

HERE = pathlib.Path(__file__).resolve().parent
PROFILES = HERE.parent.parent / "dpdk-conf" / "profiles"
POLICY = HERE / "policy.json"


def run(program, folder, forth, back, *arguments, profile=PROFILES / "pcap-in-out.json"):
    """Returns ([flow -> frames from lan to wan, flow -> frames from wan to lan], the summary)."""
    ports = []
    for number, (name, frames) in enumerate((("lan", forth), ("wan", back))):
        traffic.write_pcap(folder / f"{name}.pcap", frames)
        ports += ["--port", f"{name}=net_pcap{number},rx_pcap={name}.pcap,tx_pcap={name}-out.pcap"]
    subprocess.run([program, "--profile", profile, "--policy", POLICY, *ports, "--summary", "summary.json",
                    "--packets", str(len(forth) + len(back)), "--flow-memory", "4MiB", *arguments],
                   cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    spared = [traffic.by_flow(traffic.read_pcap(folder / f"{name}-out.pcap")) for name in ("wan", "lan")]
    return spared, json.loads((folder / "summary.json").read_text())
