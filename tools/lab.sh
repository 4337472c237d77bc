# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A lab of network namespaces around one box under test. The box is the sandbox that creates the lab, and
# the lab disappears with it.
#
#   client (10.9.0.1) eth0 ---- lan0 [the box] wan0 ---- eth0 (10.9.0.2) server
#
# Both links are veth pairs. Client and server are in one subnet, so the box only has to forward frames
# from one port to the other.

# lab_link HOST INTERFACE ADDRESS QUEUES: creates namespace HOST with eth0, and INTERFACE at the box.
lab_link() {
  local host=$1 interface=$2 address=$3 queues=$4 offload
  local q=(numtxqueues "$queues" numrxqueues "$queues")
  ip netns add "$host"
  ip link add "$interface" "${q[@]}" type veth peer name eth0 netns "$host" "${q[@]}"
  # The stack would leave checksums and segmentation to the device, and a veth does neither.
  offload=(tx off rx off gso off tso off sg off)
  ethtool -K "$interface" "${offload[@]}" gro off >/dev/null 2>&1
  # GRO enables NAPI at the host's end; without NAPI, frames that XDP redirects to it are lost.
  ip netns exec "$host" ethtool -K eth0 "${offload[@]}" gro on >/dev/null 2>&1
  # Without IPv6 there are no router solicitations, so the tables show only the lab's own traffic.
  echo 1 >"/proc/sys/net/ipv6/conf/$interface/disable_ipv6"
  ip netns exec "$host" bash -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
  ip -n "$host" address add "$address/24" dev eth0
  ip -n "$host" link set lo up
  ip -n "$host" link set eth0 up
  ip link set "$interface" up
}

# lab_up QUEUES: creates both links, each with this many queues.
lab_up() {
  lab_link client lan0 10.9.0.1 "$1"
  lab_link server wan0 10.9.0.2 "$1"
}

lab_down() {
  ip link del lan0
  ip link del wan0
  ip netns del client
  ip netns del server
}

client() { ip netns exec client "$@"; }
