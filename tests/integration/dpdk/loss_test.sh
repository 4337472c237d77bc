#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# --packets is exact, and so are losses of 0 % and 100 %. Other losses are near their rate on every queue,
# with one queue and with two on two lcores.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

# A second lcore only where there is a second CPU.
mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n')
lcores() { ((${#cpus[@]} > 1)) && echo 0-1 || echo 0; }

for layout in '1 0' "2 $(lcores)"; do
  read -r queues lcores <<<"$layout"
  for loss in 0 1% 50% 100%; do
    rate=$(python3 -c "t='$loss'; print(float(t[:-1])/100 if t[-1]=='%' else float(t))")
    run --port a=net_null0 --port b=net_null1 --queues "$queues" --lcores "$lcores" \
      --loss "$loss" --forward wire --packets 300007
    check 'total("rx_packets") == 300007' "near(total('lost_packets'), 300007, $rate)" \
      "all(near(q['lost_packets'], q['rx_packets'], $rate) for q in queues.values())" \
      "len(queues) == 2 * $queues" 'total("tx_full_packets") == total("pass_packets") == 0' \
      'all(q["rx_bytes"] == 64 * q["rx_packets"] for q in queues.values())' \
      "rules['wire-a']['matched_packets'] + rules['wire-b']['matched_packets'] == 300007"
  done
done

# The same packets on the same queue with the same seed.
run --port a=net_null0 --loss 10% --forward reflect --packets 100000 --seed 5
first=$(python3 -c 'import json; print(json.load(open("summary.json"))["rules"][0]["lost_packets"])')
run --port a=net_null0 --loss 10% --forward reflect --packets 100000 --seed 5
check "total('lost_packets') == $first"
run --port a=net_null0 --loss 10% --forward reflect --packets 100000 --seed 6
check "total('lost_packets') != $first" 'near(total("lost_packets"), 100000, 0.1)'

# A million flows fit into the default memory of flows.
cat >flows.json <<'JSON'
{"version": 1, "default": {"loss": {"model": "sequence", "packets": [1], "scope": "flow"}, "forward": "drop"}}
JSON
python3 "$LIB/captures.py" flows flows.pcap 1000000
run --policy flows.json --port a=net_pcap0,rx_pcap=flows.pcap --packets 2000000
check 'total("rx_packets") == 2000000' 'total("lost_packets") == 1000000' \
  'queues["a/0"]["flows_added"] == 1000000' 'queues["a/0"]["flows_evicted"] == 0' \
  's["flow_table"]["bytes"] <= 64 << 20'
grep 'flows: ' err.txt
rm flows.pcap

# Packets that are passed without a kernel interface count as passed, and the log warns.
run --port a=net_null0 --forward pass --packets 1000
check 'total("pass_packets") == 1000'
grep -q 'a: no exception port' err.txt || fail "no warning: $(cat err.txt)"
run --port a=net_null0 --forward drop --packets 1000
check 'total("denied_packets") == 1000'
nothing_left
