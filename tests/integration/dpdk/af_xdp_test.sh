#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Kernel interfaces on the AF_XDP PMD: ping and TCP cross a wire, the exception path works both ways, and
# the interfaces are as before, however the program ends.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

peer left wire0 10.9.0.1/24
peer right wire1 10.9.0.2/24

# A wire.
start --port lan=wire0 --port wan=wire1 --forward wire -- --no-huge
ip netns exec left ping -c 20 -i 0.05 -W 2 10.9.0.2 >ping.txt || fail "no ping: $(cat ping.txt)"
grep -q ' 0% packet loss' ping.txt || fail "ping lost some: $(cat ping.txt)"
ip netns exec right iperf3 -s -1 -D --logfile iperf.log
for ((i = 0; i < 50; i++)); do 
  ! ip netns exec right ss -ltn | grep -q :5201 || break
  sleep 0.1
done
timeout 30 ip netns exec left iperf3 -c 10.9.0.2 -n 4M >client.txt || fail "TCP: $(cat client.txt)"
stop TERM
check 'ports["lan"]["driver"] == "net_af_xdp"' 'ports["lan"]["mode"] == "copy"' \
  'ports["lan"]["why"].startswith("kernel interface, driver veth")' \
  'total("lost_packets") == 0' 'queues["lan/0"]["tx_packets"] > 1000'
nothing_left

# A signal under load, in both directions at once.
for signal in TERM INT; do
  start --port lan=wire0 --port wan=wire1 --loss 1% --forward wire -- --no-huge
  enough=$(($(</sys/class/net/wire0/statistics/rx_packets) + 2000))
  ip netns exec left timeout 120 ping -q -f -W 1 10.9.0.2 >/dev/null 2>&1 & load=$!
  for ((i = 0; i < 1200; i++)); do
    (($(</sys/class/net/wire0/statistics/rx_packets) < enough)) || break
    sleep 0.05
  done
  stop "$signal"
  kill -0 "$load" || fail "the load ended first"
  kill "$load"
  wait "$load" || true
  check 'queues["lan/0"]["tx_packets"] > 1500 < queues["wan/0"]["tx_packets"]' \
    'near(total("lost_packets"), total("rx_packets"), 0.01)'
  nothing_left
done

# Passed packets reach the kernel, which answers through the port: half of the pings come back.
ip addr add 10.9.0.9/24 dev wire0
start --port lan=wire0 --loss 50% --forward pass -- --no-huge
ip link show tp-lan | grep -q "$(cat /sys/class/net/wire0/address)" || fail "tp-lan has another MAC"
ip route add 10.9.0.1/32 dev tp-lan src 10.9.0.9
# The policy would lose the frames that find neighbours, too, so both hosts know each other.
ip neigh replace 10.9.0.1 lladdr "$(ip netns exec left cat /sys/class/net/eth0/address)" dev tp-lan
ip -n left neigh replace 10.9.0.9 lladdr "$(</sys/class/net/wire0/address)" dev eth0
ip netns exec left ping -c 200 -i 0.01 -W 1 10.9.0.9 >ping.txt 2>&1 || true
received=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' ping.txt)
stop TERM
((received > 65 && received < 135)) || fail "$received of 200 pings answered at 50 % loss"
check 'near(total("lost_packets"), total("rx_packets"), 0.5)' \
  'ports["lan"]["exception_rx_packets"] == ports["lan"]["exception_tx_packets"] >= '"$received" \
  'total("pass_packets") + total("lost_packets") == total("rx_packets")'
nothing_left

# Two queues, one AF_XDP port each. The interface keeps its settings when the program is killed.
ip netns add both
ip link add wide0 numrxqueues 2 numtxqueues 2 type veth peer name eth0 netns both numrxqueues 2 numtxqueues 2
ip link set wide0 up && ip -n both link set eth0 up
start --port wide=wide0 --queues 2 --forward reflect -- --no-huge
ip link show wide0 | grep -q xdp || fail "no XDP program on wide0"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
for ((i = 0; i < 40; i++)); do ip link show wide0 | grep -q 'xdp\|PROMISC' || break; sleep 0.05; done
! ip link show wide0 | grep -q 'xdp\|PROMISC' || fail "left by kill -9: $(ip link show wide0)"

# And it starts again at once.
start --port wide=wide0 --queues 2 --forward reflect -- --no-huge
stop TERM
check 'len(queues) == 2'
nothing_left
