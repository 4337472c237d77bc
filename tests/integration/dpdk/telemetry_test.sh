#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# DPDK's telemetry socket answers the twinpath commands while lcores run, with the figures of the summary,
# and `twinpath stats` reads it.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

start --port a=net_null0 --port b=net_null1 --queues 2 --loss 10% --forward wire -- --no-huge
cat >ask.py <<'PY'
import json
import socket
import sys
import time


def answer_to(command):
    """The answer. DPDK serves ten clients, and counts one that has left until the client's thread has run: it closes
    the connection of one more, who then tries again."""
    end = time.monotonic() + 60
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect("/run/dpdk/twinpath-dpdk/dpdk_telemetry.v2")
            if client.recv(16384):  # the greeting
                client.send(command.encode())
                return json.loads(client.recv(16384))
        assert time.monotonic() < end, "refused for 60 s"
        time.sleep(0.01)


for command in sys.argv[1:]:
    print(json.dumps(answer_to(command)[command.partition(",")[0]]))
PY
ask() { python3 ask.py "$@"; }

[[ $(ask / | tr -d '\n') == *'/twinpath/info'*'/twinpath/rules'* ]] || fail "commands: $(ask /)"
ask /twinpath/info | grep -q '"dpdk"' || fail "info: $(ask /twinpath/info)"
ask /twinpath/ports | grep -q 'net_null0' || fail "ports: $(ask /twinpath/ports)"
ask /twinpath/lcores | grep -q 'idle_turns' || fail "lcores: $(ask /twinpath/lcores)"
ask /twinpath/rules | grep -q 'wire-a' || fail "rules: $(ask /twinpath/rules)"
ask /twinpath/queues,nowhere | grep -q 'error' || fail "no error for a port that is not there"
packets() { ask /twinpath/queues | python3 -c 'import re,sys; print(sum(map(int, re.findall(r"\"rx_packets\": (\d+)", sys.stdin.read()))))'; }
before=$(packets)
sleep 0.3
after=$(packets)
((after > before && before > 0)) || fail "the counters do not grow: $before, $after"

# Several readers at once, while the lcores run.
mapfile -t twenty < <(yes /twinpath/queues | head -n 20)
for _ in 1 2 3 4; do
  ask "${twenty[@]}" >/dev/null &
  readers+=($!)
done
for reader in "${readers[@]}"; do wait "$reader" || fail "a reader failed"; done

"$TWINPATH" stats --json >stats.json || fail "twinpath stats"
grep -q '"wire-b"' stats.json || fail "twinpath stats: $(cat stats.json)"
stop TERM
check "total('rx_packets') >= $after"
nothing_left
