# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Functions for the shell tests of twinpath-dpdk. Sourced with `set -euo pipefail`; "$@" are the test's
# arguments: the first is the program, the second is twinpath.

LIB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
[[ ${TWINPATH_ISOLATED:-} == 1 ]] || exec "$LIB/isolate" "$0" "$@"

PROGRAM=$(realpath -- "$1")
TWINPATH=$(realpath -- "$2")
export TWINPATH
mkdir -p /run/work
export LC_ALL=C TMPDIR=/run/work
cd /run/work || exit 1
pid=0

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# run ARGUMENT...: runs the program on ordinary memory. Its summary goes to summary.json, its output to
# out.txt and err.txt. Fails the test unless the program ends with status 0 within a minute.
run() { run_eal "$@" -- --no-huge; }

# run_eal ARGUMENT... [-- EAL ARGUMENT...]: does the same with these EAL arguments.
run_eal() {
  rm -f summary.json
  local status=0
  timeout 60 "$PROGRAM" --summary summary.json "$@" >out.txt 2>err.txt || status=$?
  ((status == 0)) || fail "exit status $status of: $*: $(cat err.txt)"
}

# start ARGUMENT...: starts the program in the background; returns once it runs. Its pid is in $pid.
start() {
  : >err.txt # the last program's log has the line that is waited for
  "$PROGRAM" --summary summary.json "$@" >out.txt 2>err.txt &
  pid=$!
  for ((i = 0; i < 300; i++)); do
    ! grep -q ': lcores ' err.txt || return 0
    kill -0 "$pid" 2>/dev/null || fail "did not start: $(cat err.txt)"
    sleep 0.1
  done
  fail "did not start within 30 s: $(cat err.txt)"
}

# stop SIGNAL: ends the program by a signal. Its exit status must be 0. A program that hangs meets meson's time-out.
stop() {
  local status=0
  kill "-$1" "$pid"
  wait "$pid" || status=$?
  ((status == 0)) || fail "exit status $status on SIG$1: $(cat err.txt)"
}

# check EXPRESSION...: checks Python expressions over the summary, `s`: `queues` ("port/queue" -> its
# counters), `rules` and `ports` by name, `total(KEY)` over all queues. Every queue must conserve packets
# and bytes, too.
check() { python3 "$LIB/check_summary.py" summary.json "$@" || fail "see above; $(cat err.txt)"; }

# nothing_left: checks that no interface, XDP program, hugepage or file of the program is left.
nothing_left() {
  [[ -z $(ls -A /run/dpdk 2>/dev/null) ]] || fail "left in /run/dpdk: $(ls -R /run/dpdk)"
  [[ -z $(ls -A /run/hugepages 2>/dev/null) ]] || fail "left in /run/hugepages: $(ls /run/hugepages)"
  [[ -z $(ip -brief link show type tun) ]] || fail "left: $(ip -brief link show type tun)"
  ! ip link | grep -q xdp || fail "left: $(ip link | grep xdp)"
  ! ip link | grep -q PROMISC || fail "left: $(ip link | grep PROMISC)"
}

# peer NAME INTERFACE ADDRESS: creates a namespace NAME and a veth pair between it and INTERFACE here. The end in
# the namespace has ADDRESS. Offloads are off, because the kernel leaves checksums to a veth, which adds none.
peer() {
  ip netns add "$1"
  ip link add "$2" type veth peer name eth0 netns "$1"
  ip -n "$1" addr add "$3" dev eth0
  ip -n "$1" link set lo up
  ip -n "$1" link set eth0 up
  ip link set "$2" up
  ethtool -K "$2" tx off rx off gso off tso off gro off >/dev/null 2>&1
  ip netns exec "$1" ethtool -K eth0 tx off rx off gso off tso off gro off >/dev/null 2>&1
}
