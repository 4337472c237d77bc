# SPDX-License-Identifier: BSD-3-Clause
"""The verdicts by name, and the rule that every packet met one of them.

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
    """How many packets and bytes a queue received more than its verdicts say: {} where none."""
    missing = {unit: queue[f"rx_{unit}"] - sum(queue[f"{name}_{unit}"] for name in VERDICTS)
               for unit in ("packets", "bytes")}
    return {unit: count for unit, count in missing.items() if count}


def check_conserved(summary):
    """Raises AssertionError unless every queue of a summary accounts for all that it received."""
    for queue in summary["queues"]:
        missing = unaccounted(queue)
        assert not missing, f"not conserved, {missing} missing: {queue}"
