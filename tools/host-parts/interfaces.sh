# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Kernel interfaces: default routes, queues, and the settings for AF_XDP. Sourced by tools/host.

# The kernel's guide to AF_XDP, Documentation/networking/af_xdp.rst, recommends both values.
DEFER_HARD_IRQS=2
GRO_FLUSH_TIMEOUT=200000 # ns

# default_routes: prints the interfaces that a default route uses.
default_routes() {
  # This includes routes of other tables, with several next hops, and in two halves.
  if [[ -z $R ]]; then
    { ip -4 route show table all; ip -6 route show table all; } 2>/dev/null | awk '
      /^[^ \t]/ { on = $1 ~ /^(default|0\.0\.0\.0\/1|128\.0\.0\.0\/1|::\/1|8000::\/1)$/ }
      on { for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }'
    return 0
  fi
  awk 'NR > 1 && $2 == "00000000" && $8 == "00000000" { print $1 }' "$R/proc/net/route" 2>/dev/null || true
  awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { print $10 }' "$R/proc/net/ipv6_route" 2>/dev/null || true
}

# carries INTERFACE: whether a default route uses the interface, or one on top of it.
carries() {
  local upper route
  for route in $(default_routes); do
    if [[ $route == "$1" ]]; then return 0; fi
  done
  for upper in "$NET/$1"/upper_*; do
    if [[ -e $upper || -L $upper ]] && carries "${upper##*/upper_}"; then return 0; fi
  done
  return 1
}

refuse_default_route() { # INTERFACE WHAT FORCE
  if ((!$3)) && carries "$1"; then
    die "$2: $1 carries the default route, and your login may use it. Choose another interface, or add --force"
  fi
}

# channels INTERFACE: prints the kinds of queues that ethtool can set, and how many are set: "combined 4"
# or "rx 2 tx 2"; nothing if the driver does not say.
channels() {
  { ethtool -l "$1" 2>/dev/null || true; } | awk '
    /^Current/ { now = 1 }
    now && /^RX:/ { rx = $2 } now && /^TX:/ { tx = $2 } now && /^Combined:/ { combined = $2 }
    END { if (combined + 0 > 0) print "combined " combined; else if (rx + 0 > 0) print "rx " rx " tx " tx }'
}

# max_channels INTERFACE KIND: prints how many queues can be set.
max_channels() {
  { ethtool -l "$1" 2>/dev/null || true; } | awk -v kind="$2:" '/^Current/ { exit } tolower($1) == kind { print $2 + 0 }'
}

# set_queues INTERFACE KIND NUMBER...: sets queues. Retries for 2 s, because the kernel releases the
# queues of AF_XDP only some time after the program ended.
set_queues() {
  local i
  for ((i = 0; i < 20; i++)); do
    if ethtool -L "$@" 2>/dev/null; then return 0; fi
    if [[ $(channels "$1") == "${*:2}" ]]; then return 0; fi
    sleep 0.1
  done
  ethtool -L "$@"
}

# change_queues INTERFACE KIND NUMBER...: sets queues, and records how many there were.
change_queues() {
  local name=$1 before wanted="${*:2}"
  before=$(channels "$name")
  if [[ $before == "$wanted" ]]; then return 0; fi
  # "rx 2 tx 2" is recorded as rx:2,tx:2
  recorded queues "$name" || record queues "$name" "$(sed -E 's/ ([0-9]+) /:\1,/; s/ /:/' <<<"$before")"
  set_queues "$@"
  say "$name: queues $before -> $wanted"
}

# peer_of INTERFACE: prints the other end of a veth, if it is in this network namespace.
peer_of() {
  local index
  index=$(<"$NET/$1/iflink")
  [[ $index != "$(<"$NET/$1/ifindex")" ]] || return 0
  ip -o link show dev "$1" | awk -F'[ @:]+' '$3 !~ /^if[0-9]+$/ { print $3 }'
}

up_queues() { # INTERFACE QUEUES
  local name=$1 queues=$2 now kind peer
  now=$(channels "$name")
  kind=${now%% *}
  if [[ -z $now ]]; then return 0; fi
  if (($(max_channels "$name" "$kind") < queues)); then
    say "$name: has at most $(max_channels "$name" "$kind") queues; the profile needs $queues" >&2
    return 0
  fi
  if [[ $kind == combined ]]; then
    change_queues "$name" combined "$queues"
    return 0
  fi
  # Native XDP on a veth always needs at least as many RX queues as its peer has TX queues. Therefore
  # the peer's TX queues are reduced first.
  peer=$(peer_of "$name")
  if [[ -n $peer ]]; then
    now=$(channels "$peer")
    if [[ $now == rx\ *\ tx\ * ]] && ((${now##* } > queues)); then
      change_queues "$peer" rx "$(cut -d' ' -f2 <<<"$now")" tx "$queues"
    fi
  fi
  if (($(max_channels "$name" tx) >= queues)); then
    change_queues "$name" rx "$queues" tx "$queues"
  else
    change_queues "$name" rx "$queues" tx "$(channels "$name" | cut -d' ' -f4)"
  fi
}

up_interface() { # NAME QUEUES
  local name=$1 queues=$2
  set_file "$NET/$name/napi_defer_hard_irqs" "$DEFER_HARD_IRQS"
  set_file "$NET/$name/gro_flush_timeout" "$GRO_FLUSH_TIMEOUT"
  [[ -z $R ]] || return 0
  up_queues "$name" "$queues"
  if ! ip -o link show dev "$name" | grep -q '[<,]UP[,>]'; then
    recorded up "$name" || record up "$name"
    ip link set dev "$name" up
    say "$name: up"
  fi
}
