#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From capture to capture, frames that are not lost are unchanged and in order. A second run loses the same
# frames, another seed loses other ones. Uses policies that read headers and policies that do not.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

python3 "$LIB/captures.py" make in.pcap 2000
cat >rules.json <<'JSON'
{"version": 1, "rules": [
  {"name": "few", "match": {"src_port": "1000-1009"}, "loss": {"model": "random", "rate": 0}, "forward": {"port": "out"}},
  {"name": "none", "match": {"src_port": 1010}, "forward": "drop"}],
 "default": {"loss": {"model": "random", "rate": "30%"}, "forward": {"port": "out"}}}
JSON

# survivors SEED POLICY-ARGUMENT...: their numbers.
survivors() {
  local seed=$1
  shift
  rm -f out.pcap
  run --port in=net_pcap0,rx_pcap=in.pcap,tx_pcap=unused.pcap --port out=net_pcap1,tx_pcap=out.pcap \
    --seed "$seed" --packets 2000 "$@"
  check 'total("rx_packets") == 2000' 'total("malformed_packets") == total("tx_full_packets") == 0'
  python3 "$LIB/captures.py" survivors in.pcap out.pcap
}

for arguments in '--loss 30% --forward out' '--policy rules.json'; do
  # shellcheck disable=SC2086
  first=$(survivors 1 $arguments)
  # shellcheck disable=SC2086
  second=$(survivors 1 $arguments)
  # shellcheck disable=SC2086
  other=$(survivors 2 $arguments)
  [[ $first == "$second" ]] || fail "other survivors in the second run ($arguments)"
  [[ $first != "$other" ]] || fail "the same survivors with another seed ($arguments)"
  count=$(wc -w <<<"$first")
  check "queues['in/0']['tx_packets'] == $(wc -w <<<"$other")"
  ((count > 1200 && count < 1640)) || fail "$count of 2000 survive 30 % loss"
done
check 'rules["few"]["matched_packets"] == 400' 'rules["few"]["lost_packets"] == 0' \
  'queues["in/0"]["denied_packets"] == rules["none"]["matched_packets"] == 40'

# Without loss every frame arrives, including frames of several segments.
[[ $(survivors 1 --forward out) == "$(seq -s ' ' 0 1999)" ]] || fail "not every frame arrived"
cmp <(tail -c +25 in.pcap | wc -c) <(tail -c +25 out.pcap | wc -c) || fail "bytes are missing"
nothing_left

# The profile for captures needs only the given files, and the run ends at the end of the capture.
PROFILE=$(dirname -- "$LIB")/../dpdk-conf/profiles/pcap-in-out.json
files=(--port 'lan=net_pcap0,rx_pcap=in.pcap' --port 'wan=net_pcap1,tx_pcap=out.pcap')
for count in 2000 1 0; do
  for idle in busy adaptive; do
    rm -f out.pcap
    python3 "$LIB/captures.py" make in.pcap "$count"
    run_eal --profile "$PROFILE" --forward wan "${files[@]}" --idle "$idle"
    check "total('rx_packets') == total('tx_packets') == $count" 's["duration_s"] < 60'
    [[ $(python3 "$LIB/captures.py" survivors in.pcap out.pcap) == "$(seq -s ' ' 0 $((count - 1)))" ]] ||
      fail "other frames in out.pcap"
  done
done
python3 "$LIB/captures.py" make lan.pcap 10 # the profile's own names
run_eal --profile "$PROFILE" --forward wan
check 'total("tx_packets") == 10'
nothing_left
# A port that may receive for ever is refused.
refused() {
  local status=0
  timeout 60 "$PROGRAM" --profile "$PROFILE" --forward wan "${@:2}" 2>err.txt || status=$?
  ((status == 2)) || fail "status $status: $(cat err.txt)"
  grep -qF -- "/end_with_captures: found $1, allowed net_pcap ports without infinite_rx" err.txt || fail "$(cat err.txt)"
}
refused 'port lan on net_null0' --port lan=net_null0
refused 'port lan on net_pcap0,rx_pcap=in.pcap,infinite_rx=1' --port lan=net_pcap0,rx_pcap=in.pcap,infinite_rx=1
refused 'no capture to read' --port lan=net_pcap0,tx_pcap=other.pcap
rm -f other.pcap
nothing_left

# net_pcap cuts frames of several mbufs that are longer than 16,128 bytes: they are not sent, and counted.
python3 - "$LIB" <<'PYTHON'
import sys
sys.path.append(sys.argv[1])
import captures
captures.write("in.pcap", [bytes.fromhex("020000000002020000000001") + b"\x88\xb5" + bytes(length - 14)
                           for length in (60, 16128, 16129, 20000, 9000)])
PYTHON
rm -f out.pcap
run --port in=net_pcap0,rx_pcap=in.pcap,tx_pcap=unused.pcap --port out=net_pcap1,tx_pcap=out.pcap --packets 5 --forward out
check 'total("tx_packets") == 3' 'total("tx_full_packets") == 2' 'ports["out"]["tx_full_packets"] == 2'
[[ $(python3 -c 'import sys; sys.path.append(sys.argv[1]); import captures
print(sorted(map(len, captures.read("out.pcap"))))' "$LIB") == '[60, 9000, 16128]' ]] || fail "other frames in out.pcap"
nothing_left
