# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What the tools share: messages, the build, hugepages lent and given back, and the sandbox that
# everything which touches the network runs in. Sourced by bash with `set -euo pipefail`.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${JOBS:-$(nproc)}
HUGEPAGES=${HUGEPAGES:-512} # of 2 MB, free when a sandbox starts

BOLD='' PLAIN=''
if [[ -t 1 ]]; then BOLD=$'\e[1m' PLAIN=$'\e[0m'; fi

say() { printf '%s\n' "$*"; }
title() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

need_root() {
  ((EUID == 0)) || die "needs root: namespaces, hugepages and BPF programs are made (sudo tools/${0##*/})"
}

# --- What is undone however the shell ends ---------------------------------------------------------

SCRATCH='' # a folder for logs and results
# Not in the shell that furnishes a sandbox: that one is killed, and cleans nothing up.
[[ ${0##*/} == sandbox && ${1:-} == --inside ]] || SCRATCH=$(mktemp -d)
build_pid=0          # meson or ninja, while it runs
sandbox_pid=0        # the sandbox that runs now
hugepages_lent=0     # that this shell added

finish() {
  if ((build_pid > 0)); then
    kill -TERM "$build_pid" 2>/dev/null || true
    wait "$build_pid" 2>/dev/null || true
  fi
  if ((sandbox_pid > 0)); then
    kill -KILL "$sandbox_pid" 2>/dev/null || true
    wait "$sandbox_pid" 2>/dev/null || true
  fi
  return_hugepages
  [[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- The build ------------------------------------------------------------------------------------

# quietly COMMAND...: runs it in the background, so that a signal to this shell is not kept waiting;
# what it prints is shown only if it fails.
quietly() {
  local status=0
  "$@" >"$SCRATCH/log" 2>&1 &
  build_pid=$!
  wait "$build_pid" || status=$?
  build_pid=0
  if ((status)); then
    grep -v '^\[[0-9]*/[0-9]*\] \(Compiling\|Linking\|Generating\)' "$SCRATCH/log" >&2 || true
  fi
  return "$status"
}

# build FOLDER [MESON OPTION or NINJA TARGET]...: sets the build folder up, once, or again where it
# was made for a source tree that stood elsewhere; then builds the targets (default: all).
build() {
  local folder=$ROOT/$1 options=() targets=() word
  shift
  for word in "$@"; do
    if [[ $word == -* ]]; then options+=("$word"); else targets+=("$word"); fi
  done
  if [[ ! -f $folder/build.ninja ]] ||
    ! grep -qF "\"source\": \"$ROOT\"" "$folder/meson-info/meson-info.json"; then
    rm -rf "$folder"
    quietly meson setup "$folder" "$ROOT" "${options[@]}" || return 1
  fi
  quietly ninja -C "$folder" -j "$JOBS" "${targets[@]}" || return 1
}

# --- Hugepages ------------------------------------------------------------------------------------

HUGE=/sys/kernel/mm/hugepages/hugepages-2048kB

# Makes sure that $HUGEPAGES are free, and remembers how many it had to add.
lend_hugepages() {
  [[ -d $HUGE ]] || die "this kernel has no 2 MB hugepages"
  local free total now
  free=$(<$HUGE/free_hugepages)
  ((free < HUGEPAGES)) || return 0
  total=$(<$HUGE/nr_hugepages)
  echo $((total + HUGEPAGES - free)) >$HUGE/nr_hugepages
  now=$(<$HUGE/nr_hugepages)
  hugepages_lent=$((now - total))
  if (($(<$HUGE/free_hugepages) < HUGEPAGES)); then
    return_hugepages
    die "$HUGEPAGES hugepages of 2 MB are needed, and this machine has memory for fewer"
  fi
}

# Takes away as many as were added: what others added meanwhile stays theirs.
return_hugepages() {
  ((hugepages_lent > 0)) || return 0
  local total
  total=$(<$HUGE/nr_hugepages)
  echo $((total > hugepages_lent ? total - hugepages_lent : 0)) >$HUGE/nr_hugepages
  hugepages_lent=0
}

# --- The sandbox ----------------------------------------------------------------------------------
#
# Namespaces of its own for mounts, network and processes: whatever a command makes in there --
# interfaces, network namespaces, mounts, sockets, daemons, temporary files -- is gone when it ends,
# or when the tool that started it ends in any way. (Only hugepages it lent stay lent after a SIGKILL.)

# sandbox COMMAND...: runs it, returns its exit status. Hugepages are lent while it runs.
sandbox() {
  local status=0
  lend_hugepages
  # In the background, as above.
  setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc \
    "$ROOT/tools/sandbox" --inside "$@" &
  sandbox_pid=$!
  wait "$sandbox_pid" || status=$?
  sandbox_pid=0
  return_hugepages
  return "$status"
}

# What the first process of a sandbox does before the command starts.
sandbox_furnish() {
  local mounted
  # EAL takes the first hugetlbfs it sees, and other runs' files with it. Before /run is covered: in
  # a sandbox inside another, one of them is there.
  while read -r _ mounted _; do umount -l "$mounted"; done < <(grep ' hugetlbfs ' /proc/mounts)
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/lock /run/netns /run/dpdk /run/hugepages /run/tmp
  chmod 1777 /run/tmp
  mount -t hugetlbfs -o pagesize=2M hugetlbfs /run/hugepages
  mount -t sysfs sysfs /sys # shows the interfaces of this network namespace only
  mount -t bpf bpf /sys/fs/bpf
  ip link set lo up
  export TMPDIR=/run/tmp TEST_TMPDIR=/run/tmp LIBXDP_SKIP_DISPATCHER=1
}
