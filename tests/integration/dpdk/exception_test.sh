#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# If the kernel is too slow for the exception port, or its interface is down, every packet that it does not
# accept is counted. It works again when the interface is up.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

# More packets than a kernel accepts, and then a kernel that accepts none. The kernel's count of received
# packets is the count of passed packets.
echo '{"version": 1, "exception": "tap"}' >profile.json
start --profile profile.json --port a=net_null0 --queues 2 --forward pass --loss 10% -- --no-huge
for ((i = 0; i < 100; i++)); do
  arrived=$(</sys/class/net/tp-a/statistics/rx_packets)
  ((arrived < 20000)) || break
  sleep 0.05
done
ip link set tp-a down
arrived=$(</sys/class/net/tp-a/statistics/rx_packets)
sleep 0.2
stop TERM
check "total('pass_packets') == $arrived >= 20000" 'all(q["tx_full_packets"] > 1000 for q in queues.values())' \
  'near(total("lost_packets"), total("rx_packets"), 0.1)' \
  'total("pass_packets") + total("tx_full_packets") + total("lost_packets") == total("rx_packets")'
nothing_left

# A kernel interface: pings are answered, then counted as not taken, then answered again.
peer left wire0 10.9.0.1/24
ip addr add 10.9.0.9/24 dev wire0
start --port lan=wire0 --forward pass -- --no-huge
open() {
  ip link set tp-lan up
  ip route replace 10.9.0.1/32 dev tp-lan src 10.9.0.9
}
pings() { ip netns exec left ping -c "$1" -i 0.02 -W 1 10.9.0.9 >ping.txt 2>&1; }
open
pings 20 || fail "no answer: $(cat ping.txt)"
ip link set tp-lan down
! pings 20 || fail "answered while the exception port is down: $(cat ping.txt)"
open
for ((i = 0; i < 50; i++)); do ! pings 1 || break; done
pings 20 || fail "no answer once it is up again: $(cat ping.txt)"
stop TERM
check 'total("tx_full_packets") >= 20' 'total("pass_packets") >= 40' \
  'ports["lan"]["exception_tx_packets"] >= 40' 'total("lost_packets") == total("denied_packets") == 0'
nothing_left
