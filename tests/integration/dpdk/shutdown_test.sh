#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Every packet is accounted for when TX queues are full and when a signal ends the program under load, and
# nothing is left behind.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

# Two sources fill a ring that is emptied at the pace of one.
run --port a=net_null0 --port b=net_null1 --port c=net_ring0 --forward c --packets 400000
check 'total("tx_full_packets") > 10000' 'total("rx_packets") == 400000' 'total("lost_packets") == 0'
# The same on every queue.
run --port a=net_null0 --port b=net_null1 --port c=net_ring0 --queues 4 --forward c --packets 400000
check 'total("rx_packets") == 400000' 'len(queues) == 12' \
  'all(q["tx_full_packets"] > 10000 and q["tx_packets"] > 100 for q in queues.values() if q["port"] in "ab")'
cat >rules.json <<'JSON'
{"version": 1, "rules": [{"name": "r", "match": {"ether_type": 0}, "loss": {"model": "random", "rate": 0.5},
                          "forward": {"port": "c"}}],
 "default": {"forward": {"port": "c"}}}
JSON
run --port a=net_null0 --port b=net_null1 --port c=net_ring0 --policy rules.json --packets 400000
check 'total("tx_full_packets") > 10000' 'total("rx_packets") == 400000' \
  'total("tx_packets") + total("tx_full_packets") + total("lost_packets") == 400000'

for signal in TERM INT; do
  start --port a=net_null0 --port b=net_null1 --queues 2 --loss 10% --forward wire -- --no-huge
  sleep 0.5
  stop "$signal"
  check 'total("rx_packets") > 100000' 'near(total("lost_packets"), total("rx_packets"), 0.1)'
  nothing_left
done

# --duration ends the program, and --stats-interval prints tables before.
run --port a=net_null0 --forward drop --duration 1.2 --stats-interval 0.5
check '1.2 <= s["duration_s"] < 3'
(($(grep -c '^total' out.txt) >= 2)) || fail "no tables on the way: $(cat out.txt)"
nothing_left
