#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Loads a thousand policies one after the other while the worker runs as fast as it can. No packet is
# lost by a reload or decided by two policies, every stream loses as without a reload, bad policies
# change nothing, and a misuse of the control socket only returns an error.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

control=/run/dpdk/twinpath-dpdk/twinpath_control
cat >policies.py <<'PY'
import json

BURSTS = {"model": "gilbert_elliott", "p": "3%", "r": "20%", "loss_good": "1%"}
FROM_A = {"name": "from-a", "match": {"port": "a"}, "loss": BURSTS, "forward": {"port": "b"}}
FROM_B = {"name": "from-b", "match": {"port": "b"}, "loss": {"model": "random", "rate": "30%"},
          "forward": "drop"}
NOBODY = {"name": "nobody", "match": {"ether_type": "ipv6"}, "forward": {"port": "a"}}
LATER = {"name": "later", "match": {"port": "a"}, "active": {"from": "9000s"}, "forward": "drop"}
# The three tiers of a worker: blind, headers, general.
POLICIES = [{"version": 1, "seed": 9, "rules": rules, "default": {"forward": {"port": "a"}}}
            for rules in ([FROM_A, FROM_B], [NOBODY, FROM_B, FROM_A], [FROM_B, LATER, NOBODY, FROM_A])]
BAD = [b"", b"[]", b'{"version": 2}', b"\xff",
       {**POLICIES[0], "rules": [{**FROM_A, "forward": {"port": "c"}}]}]
for number, policy in enumerate(POLICIES):
    with open(f"{number}.json", "w", encoding="utf-8") as file:
        json.dump(policy, file)
PY
python3 policies.py

start --policy 0.json --port a=net_null0 --port b=net_null1 -- --no-huge
[[ $(stat -c %a "$control") == 600 ]] || fail "mode $(stat -c %a "$control")"
PYTHONPATH=$LIB:. timeout 100 python3 - "$control" <<'PY' || fail "see above; $(cat err.txt)"
import sys
import time

from policies import BAD, POLICIES
from reloading import ask, memory, reload_many

start = time.monotonic()
rejected = reload_many(sys.argv[1], 1000, POLICIES[1:] + POLICIES[:1], BAD)
assert rejected == 100, rejected
print(f"1000 reloads and {rejected} rejected in {time.monotonic() - start:.1f} s")
answer = ask(sys.argv[1], b'{"reload": "x"}', memory(b"x" * (10 << 20)))
assert answer["wrong"], answer
PY
"$TWINPATH" stats --json >live.json || fail "twinpath stats"
stop TERM
check 's["reloads"]["done"] == 1000' 's["reloads"]["rejected"] == 101' \
  's["reloads"]["retired_matched_packets"] == 0' 's["policy"]["file"] == "policy"' \
  'total("malformed_packets") == total("tx_full_packets") == total("no_port_packets") == 0' \
  'rules["from-a"]["matched_packets"] == queues["a/0"]["rx_packets"] > 1000000' \
  'rules["from-b"]["matched_packets"] == queues["b/0"]["rx_packets"] > 1000000' \
  'rules["from-a"]["lost_packets"] == queues["a/0"]["lost_packets"]' \
  'rules["from-b"]["lost_packets"] == queues["b/0"]["lost_packets"]' \
  'queues["a/0"]["denied_packets"] == 0 == queues["b/0"]["tx_packets"]' \
  'rules["default"]["matched_packets"] == 0'
figures() {
  python3 - summary.json <<'PY'
import json
import sys

s = json.load(open(sys.argv[1], encoding="utf-8"))
rules = {r["name"]: r for r in s["rules"]}
rate = s["totals"]["rx_packets"] / s["duration_s"] / 1e6
longest = s["reloads"]["longest_switch_ns"]
print(rules["from-a"]["matched_packets"], rules["from-a"]["lost_packets"], f"{rate:.1f}", longest,
      round(rate * longest / 1e3))
PY
}
read -r matched lost rate longest waited < <(figures)
echo "$rate Mpps meanwhile; the worker's longest switch took $longest ns, the time of $waited packets"
((longest > 0))
nothing_left

# The same stream without a reload loses as many of the same number of packets.
cat >alone.json <<'JSON'
{"version": 1, "seed": 9, "rules": [{"name": "from-a", "match": {"port": "a"}, "forward": "drop",
 "loss": {"model": "gilbert_elliott", "p": "3%", "r": "20%", "loss_good": "1%"}}]}
JSON
run --policy alone.json --port a=net_null0 --packets "$matched"
check "rules['from-a']['matched_packets'] == $matched" "rules['from-a']['lost_packets'] == $lost"

# A rule that stays keeps its count of marks: every packet here is marked.
PYTHONPATH=$LIB:. python3 - <<'PY'
import json

from captures import write

write("ect.pcap", [bytes.fromhex("020000000002 020000000001 0800 4502 002e 0000 0000 4011 66b9 0a000001 0a000002"
                                 "0400 1388 001a 0000") + bytes(18)])
marks = {"name": "marks", "match": {"proto": "udp"}, "forward": "drop",
         "loss": {"model": "random", "rate": "100%", "ecn_mark": True}}
other = {"name": "other", "match": {"proto": "tcp"}}
for number, rules in enumerate(([marks], [other, marks])):
    with open(f"marks{number}.json", "w", encoding="utf-8") as file:
        json.dump({"version": 1, "rules": rules}, file)
PY
start --policy marks0.json --port a=net_pcap0,rx_pcap=ect.pcap,infinite_rx=1 -- --no-huge
for number in 1 0 1; do "$TWINPATH" reload "marks$number.json" >/dev/null || fail "reload marks$number.json"; done
stop TERM
check 's["reloads"]["done"] == 3' \
  'rules["marks"]["marked_packets"] == rules["marks"]["matched_packets"] == total("rx_packets") > 1000'
nothing_left

# Another policy of the same size fits beside the current one.
python3 - <<'PY'
import json

rules = [{"name": f"r{i}", "match": {"dst_port": i + 1}, "loss": {"model": "random", "rate": "1%"}}
         for i in range(20000)]
with open("large.json", "w", encoding="utf-8") as file:
    json.dump({"version": 1, "rules": rules, "default": {"forward": "drop"}}, file)
PY
start --policy large.json --queues 8 --port a=net_null0 --port b=net_null1 -- --no-huge
for _ in 1 2; do "$TWINPATH" reload large.json >/dev/null || fail "reload large.json: $(cat err.txt)"; done
stop TERM
check 's["reloads"]["done"] == 2'
nothing_left

# twinpath reload and SIGHUP. Counts of removed rules are kept. Ports and exception ports are fixed for a run.
start --policy 1.json --port a=net_null0 --port b=net_null1 --queues 2 -- --no-huge
"$TWINPATH" reload 2.json >reloaded.txt || fail "reload"
grep -q 'twinpath-dpdk: loaded 2.json: 5 rules, 4 kept their state' reloaded.txt || fail "$(cat reloaded.txt)"
"$TWINPATH" reload --path dpdk --json alone.json | grep -q '"continued": 1' && fail "default changed"
status=0
"$TWINPATH" reload policies.py 2>refused.txt || status=$?
((status == 2)) || fail "status $status: $(cat refused.txt)"
status=0
"$TWINPATH" reload -f nobody 1.json 2>refused.txt || status=$?
((status == 1)) || fail "status $status: $(cat refused.txt)"
grep -q 'nothing runs at' refused.txt || fail "$(cat refused.txt)"
said() {
  for ((i = 0; i < 100; i++)); do
    ! grep -q "$1" err.txt || return 0
    sleep 0.1
  done
  fail "did not say '$1': $(cat err.txt)"
}
kill -HUP "$pid"
said 'SIGHUP: loaded .*/alone.json'
rm alone.json
kill -HUP "$pid"
said 'SIGHUP: keeping the current policy: .*alone.json'
mkfifo alone.json # whose end may never come: SIGINT is still heard
kill -HUP "$pid"
said 'SIGHUP: keeping the current policy: .*alone.json is no longer a regular file'
for i in 0 1 2 1; do "$TWINPATH" reload "$i.json" >/dev/null 2>&1 & done
stop INT
wait
check 's["reloads"]["done"] >= 3' 's["reloads"]["rejected"] == 3' \
  'sum(r["matched_packets"] for r in rules.values()) + s["reloads"]["retired_matched_packets"] == total("rx_packets")' \
  'sum(r["lost_packets"] for r in rules.values()) + s["reloads"]["retired_lost_packets"] == total("lost_packets")'
nothing_left

# A note names options of the command line that have no effect with the new policy, in the words in which the
# program refuses to start with them.
start --loss 5% --forward drop --port a=net_null0 -- --no-huge
echo '{"version": 1, "rules": [{"name": "all", "forward": "drop"}]}' >all.json
"$TWINPATH" reload all.json >reloaded.txt || fail "reload all.json"
without_effect="--loss 5% does nothing with $PWD/all.json: it is for the default rule, and /rules/0 (all) takes everything; \
put it into the policy"
grep -qxF "twinpath-dpdk: note: $without_effect" reloaded.txt || fail "$(cat reloaded.txt)"
said "reload: note: ${without_effect//[()]/.}"
stop TERM
status=0
"$PROGRAM" --policy "$PWD/all.json" --loss 5% --forward drop --port a=net_null0 -- --no-huge 2>refused.txt || status=$?
[[ $status == 2 && $(<refused.txt) == "twinpath-dpdk: $without_effect" ]] || fail "status $status: $(cat refused.txt)"
nothing_left

# kill -9 leaves a socket behind, and the next program starts nevertheless.
start --forward drop --port a=net_null0 -- --no-huge
kill -HUP "$pid"
said 'no policy file to read again'
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
start --forward drop --port a=net_null0 -- --no-huge
stop TERM
nothing_left
