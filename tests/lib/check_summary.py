#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks Python expressions over a summary, that every queue conserves its packets and bytes, and that
every packet was decided by a rule.
Prints what does not hold and exits 1.

  check_summary.py SUMMARY EXPRESSION..."""
import json
import math
import sys

from verdicts import unaccounted, undecided

summary = json.load(open(sys.argv[1], encoding="utf-8"))
queues = {f"{q['port']}/{q['queue']}": q for q in summary["queues"]}
rules = {r["name"]: r for r in summary["rules"]}
ports = {p["name"]: p for p in summary["ports"]}


def complain(text):
    print(text, file=sys.stderr)


def total(key):
    return sum(q[key] for q in summary["queues"])


def near(lost, matched, rate):
    """Whether a loss is within 5 standard deviations of its rate; 0 and 1 are exact. The sequence of
    losses is fixed, but a run may stop anywhere in it, and at its best place a random walk is beyond 3.9
    deviations far more often than once in 10,000 times. dpdk_fates_test checks the sequence itself."""
    return abs(lost - matched * rate) <= 5 * math.sqrt(matched * rate * (1 - rate))


wrong = 0
for name, queue in queues.items():
    if missing := unaccounted(queue):
        complain(f"{name}: not conserved, {missing} missing: {queue}")
        wrong += 1
if problem := undecided(summary):
    complain(problem)
    wrong += 1
for expression in sys.argv[2:]:
    names = {"s": summary, "queues": queues, "rules": rules, "ports": ports, "total": total,
             "near": near}
    if not eval(expression, names):  # written by the tests
        complain(f"false: {expression}")
        wrong += 1
if wrong:
    complain(json.dumps(summary["queues"], indent=1))
sys.exit(wrong != 0)
