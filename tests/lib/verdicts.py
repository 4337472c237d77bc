# SPDX-License-Identifier: BSD-3-Clause
"""The verdicts by name, and the check that every packet has one of them, decided by one rule.

The names are those of enum tp_verdict in src/policy/types.h, so a new verdict needs no change here.
A summary's queue counts each as NAME_packets and NAME_bytes."""
import pathlib
import re

TYPES = pathlib.Path(__file__).resolve().parents[2] / "src/policy/types.h"


def enumerators(text, enum, prefix, end):
    """The enumerators of a C enum in order, up to `end`, in lower case without their prefix."""
    body = re.search(rf"^enum {enum} {{(.*?)^}};", text, re.MULTILINE | re.DOTALL)[1]
    names = re.findall(rf"^\s*{prefix}(\w+)\b", body, re.MULTILINE)
    return tuple(name.lower() for name in names[:names.index(end)])


VERDICTS = enumerators(TYPES.read_text(encoding="utf-8"), "tp_verdict", "TP_", "VERDICTS")


def unaccounted(queue):
    """Returns how many packets and bytes of a queue no verdict counts; {} if there are none."""
    missing = {unit: queue[f"rx_{unit}"] - sum(queue[f"{name}_{unit}"] for name in VERDICTS)
               for unit in ("packets", "bytes")}
    return {unit: count for unit, count in missing.items() if count}


def check_conserved(summary):
    """Raises AssertionError unless every queue of a summary accounts for all that it received, and the rules
    for what they matched."""
    for queue in summary["queues"]:
        missing = unaccounted(queue)
        assert not missing, f"not conserved, {missing} missing: {queue}"
    wrong = undecided(summary)
    assert not wrong, wrong


def undecided(summary):
    """Returns what is wrong with the decisions of the rules in a run's final summary; "": nothing."""
    for unit in ("packets", "bytes"):
        for rule in summary["rules"]:
            decided = sum(rule[f"{what}_{unit}"] for what in ("lost", "to_send", "to_pass", "denied"))
            if decided != rule[f"matched_{unit}"]:
                return f"{decided} {unit} decided by {rule}"
        by_rules = sum(rule[f"denied_{unit}"] for rule in summary["rules"])
        by_rules += summary["reloads"][f"retired_denied_{unit}"]
        by_queues = sum(queue[f"denied_{unit}"] for queue in summary["queues"])
        if by_rules != by_queues:  # a denied packet is always counted as denied
            return f"{by_rules} {unit} denied by the rules, {by_queues} by the queues"
    return ""
