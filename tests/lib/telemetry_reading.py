# SPDX-License-Identifier: BSD-3-Clause
"""Reads telemetry with DPDK's own dpdk-telemetry.py, and puts the pages of a list together."""
import json
import subprocess

COMMANDS = ("/twinpath/info", "/twinpath/ports", "/twinpath/queues", "/twinpath/rules",
            "/twinpath/lcores", "/twinpath/faults")


def ask(prefix, *requests):
    """The answers that Debian's dpdk-telemetry.py prints to `requests`, without their keys."""
    reader = subprocess.run(["dpdk-telemetry.py", "-f", prefix], input="\n".join(requests) + "\n",
                            capture_output=True, text=True, timeout=60)
    assert reader.returncode == 0, reader.stderr
    answers = [json.loads(line) for line in reader.stdout.splitlines()]
    assert len(answers) == len(requests), reader.stdout
    return [answer[request.split(",")[0]] for request, answer in zip(requests, answers)]


def read_list(prefix, command, before_first=","):
    """All entries of a paged list, found by following "next". Checks that none is missing."""
    entries, first = [], 0
    while first is not None:
        page, = ask(prefix, f"{command}{before_first}{first}")
        assert page.pop("first") == first
        assert page.pop("duration_us") > 0
        total, first = page.pop("total"), page.pop("next", None)
        assert list(page) == [str(len(entries) + i) for i in range(len(page))]
        entries += page.values()
    assert len(entries) == total
    return entries


def check_complete(prefix, summary):
    """Checks that the answers to all commands agree with `summary`."""
    commands, help_text, unknown = ask(prefix, "/", "/help,/twinpath/rules", "/twinpath/nothing")
    for command in COMMANDS:
        assert command in commands, commands
    assert "Parameters" in help_text["/twinpath/rules"]
    assert unknown is None
    info, = ask(prefix, "/twinpath/info")
    assert info["path"] == summary["path"]
    assert info["seed"] == summary["seed"]
    assert info["policy_sha256"] == summary["policy"]["sha256"]
    for entry, port in zip(read_list(prefix, "/twinpath/ports"), summary["ports"], strict=True):
        for key in ("name", "device", "driver", "mode", "queues"):
            assert entry[key] == port[key], (key, entry, port)
    queues = read_list(prefix, "/twinpath/queues", ",,")
    for entry, queue in zip(queues, summary["queues"], strict=True):
        sent = {name: entry[f"tx_to_{i}_packets"] for i, name in
                enumerate(port["name"] for port in summary["ports"])
                if f"tx_to_{i}_packets" in entry}
        assert sent == queue["tx_to"], (entry, queue)
        for key in set(queue) - {"tx_to"}:
            assert entry[key] == queue[key], (key, entry, queue)
    for entry, rule in zip(read_list(prefix, "/twinpath/rules"), summary["rules"], strict=True):
        for key in [f"{what}_{unit}" for what in ("matched", "lost", "to_send", "to_pass", "denied")
                    for unit in ("packets", "bytes")]:
            assert entry[key] == rule[key], (key, entry, rule)
        for key in ("loss_rate", "loss_rate_low", "loss_rate_high"):
            assert abs(entry[key + "_ppb"] - rule[key] * 1e9) <= 1, (key, entry, rule)
    read_list(prefix, "/twinpath/lcores")
    for entry, fault in zip(read_list(prefix, "/twinpath/faults"), summary["faults"], strict=True):
        for key in ("subject", "fault", "times"):
            assert entry[key] == fault[key], (key, entry, fault)
    error, = ask(prefix, "/twinpath/queues,no-such-port")
    assert "allowed" in error["error"], error
