# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Functions that the tools share: messages, the build, temporary hugepages, and the sandbox, in which
# everything runs that uses the network. Sourced by bash under `set -euo pipefail`.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${JOBS:-$(nproc)}
HUGEPAGES=${HUGEPAGES:-512} # 2 MB pages that must be free when a sandbox starts

BOLD='' PLAIN=''
if [[ -t 1 ]]; then BOLD=$'\e[1m' PLAIN=$'\e[0m'; fi

say() { printf '%s\n' "$*"; }
title() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# usage: prints the comment at the top of the running script, which is its help.
usage() { sed -n '4,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

need_root() {
  ((EUID == 0)) || die "needs root to create namespaces, hugepages and BPF programs: sudo tools/${0##*/}"
}

# --- Clean-up, however the shell ends -------------------------------------------------------------

SCRATCH='' # a folder for logs and results
# The shell that sets up a sandbox or a release's root is killed and cannot clean up, so it gets no folder.
[[ ${0##*/} =~ ^(sandbox|release)$ && ${1:-} == --inside ]] || SCRATCH=$(mktemp -d)
sandbox_pid=0     # the running sandbox, or 0
hugepage_users='' # the descriptor of a lock, while this shell uses hugepages

# stop SIGNAL PID: ends a child, with its process group if it has its own, and waits for it.
stop() {
  kill "-$1" -- "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null || true
  wait "$2" 2>/dev/null || true
}

finish() {
  local pid
  if ((sandbox_pid)); then stop KILL "$sandbox_pid"; fi
  for pid in $(jobs -p); do stop TERM "$pid"; done
  remove_hugepages
  [[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- The build ------------------------------------------------------------------------------------

# Every command below runs in the background, and the shell waits for it, because bash handles a signal
# only after a foreground command has ended. `setsid` keeps the terminal's Ctrl-C from meson and ninja.
# finish() sends SIGTERM to their process group instead: ninja and ccache forward it to the compilers,
# but ninja waits for a meson that it started itself.

# quietly COMMAND...: runs a command and shows its output only if it fails.
quietly() {
  local status=0
  setsid "$@" >"$SCRATCH/log" 2>&1 &
  wait $! || status=$?
  if ((status)); then cat "$SCRATCH/log" >&2; fi
  return "$status"
}

# Warnings are errors only in the releases that tools/test runs on, because a new compiler may add some.
WERROR=()
if grep -qE '^VERSION_CODENAME=(bookworm|trixie)$' /etc/os-release; then WERROR=(-Dwerror=true); fi

SECONDS_A_STEP_X10=50 # of one CPU, without a compiler cache, in tenths

# count_steps FOLDER [TARGET]...: prints how many steps a build has.
count_steps() {
  ninja -n -C "$@" 2>/dev/null | sed -n '$s|^\[[0-9]*/\([0-9]*\)\] .*|\1|p'
}

# announce FOLDER STEPS: says how long a build takes. Prints nothing for 0 steps.
announce() {
  local time="about a minute" minutes=$(($2 * SECONDS_A_STEP_X10 / JOBS / 600))
  (($2 > 0)) || return 0
  if ((minutes)); then time="about $((minutes + 1)) minutes"; fi
  say "Building in ${1##*/}/: $2 steps, $time with $JOBS jobs"
}

# setup FOLDER [MESON OPTION]...: sets a build folder up if it is new, or belongs to a source tree in
# another place.
setup() {
  local folder=$ROOT/$1
  shift
  if [[ -f $folder/build.ninja ]] &&
    grep -qF "\"source\": \"$ROOT\"" "$folder/meson-info/meson-info.json"; then
    return 0
  fi
  # The folder itself may be a mount of tools/release.
  if [[ -d $folder ]]; then find "$folder" -mindepth 1 -delete; fi
  say "Setting up $folder"
  quietly meson setup "$folder" "$ROOT" "${WERROR[@]}" "$@"
}

# build FOLDER [TARGET]...: sets the folder up if necessary, builds the targets (default: all), and shows
# the progress. Prints the compiler's output if the build fails.
build() {
  local folder=$ROOT/$1 status=0 steps ninja progress
  setup "$1" || return 1
  shift
  steps=$(count_steps "$folder" "$@") || true
  announce "$folder" "${steps:=0}"
  rm -f "$SCRATCH/ninja"
  mkfifo "$SCRATCH/ninja"
  "$ROOT/tools/progress.py" --steps "$steps" "$SCRATCH/log" <"$SCRATCH/ninja" &
  progress=$!
  NINJA_STATUS='[%f/%t] ' setsid ninja -C "$folder" -j "$JOBS" "$@" >"$SCRATCH/ninja" 2>&1 &
  ninja=$!
  wait "$ninja" || status=$?
  wait "$progress" || true
  if ((status)); then cat "$SCRATCH/log" >&2; fi
  return "$status"
}

# --- Hugepages ------------------------------------------------------------------------------------

HUGE=/sys/kernel/mm/hugepages/hugepages-2048kB

# Tools that run at once share their hugepages; the last one to end removes what all of them added. Each
# of them holds a shared lock on $HUGE_LENT.users. $HUGE_LENT has the number of added pages; it is locked
# while someone changes that number.
HUGE_LENT=/run/lock/twinpath-hugepages

# add_hugepages: makes $HUGEPAGES free.
add_hugepages() {
  [[ -d $HUGE ]] || die "this kernel has no 2 MB hugepages"
  local free total lent lock
  mkdir -p "${HUGE_LENT%/*}"
  exec {lock}>>"$HUGE_LENT" {hugepage_users}>>"$HUGE_LENT.users"
  flock "$lock"
  flock --shared "$hugepage_users"
  free=$(<$HUGE/free_hugepages)
  if ((free < HUGEPAGES)); then
    total=$(<$HUGE/nr_hugepages) lent=$(<"$HUGE_LENT")
    echo $((total + HUGEPAGES - free)) >$HUGE/nr_hugepages
    echo $((lent + $(<$HUGE/nr_hugepages) - total)) >"$HUGE_LENT"
  fi
  exec {lock}>&-
  if (($(<$HUGE/free_hugepages) < HUGEPAGES)); then
    remove_hugepages
    die "needs $HUGEPAGES free hugepages of 2 MB, and this machine has too little memory for them"
  fi
}

# remove_hugepages: removes what all tools added, if this is the last of them. Pages that others have added
# since then stay.
remove_hugepages() {
  [[ -n $hugepage_users ]] || return 0
  local total lent lock
  exec {lock}>>"$HUGE_LENT"
  flock "$lock"
  if flock --exclusive --nonblock "$hugepage_users"; then
    total=$(<$HUGE/nr_hugepages) lent=$(<"$HUGE_LENT")
    ((lent == 0)) || echo $((total > lent ? total - lent : 0)) >$HUGE/nr_hugepages
    : >"$HUGE_LENT"
  fi
  exec {lock}>&- {hugepage_users}>&-
  hugepage_users=''
}

# --- The sandbox ----------------------------------------------------------------------------------
#
# A sandbox has its own namespaces for mounts, network and processes. Everything that a command creates
# in it (interfaces, network namespaces, mounts, sockets, daemons, temporary files) disappears when the
# command ends, or the tool that started the sandbox. Only hugepages that the tool added stay if SIGKILL
# ends it, until the next one ends.

# sandbox COMMAND...: runs a command in a sandbox and returns its exit status.
sandbox() {
  local status=0
  add_hugepages
  setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc \
    "$ROOT/tools/sandbox" --inside "$@" {hugepage_users}>&- &
  sandbox_pid=$!
  wait "$sandbox_pid" || status=$?
  sandbox_pid=0
  remove_hugepages
  return "$status"
}

# sandbox_furnish: mounts what a command needs. The first process of a sandbox runs it before the command.
sandbox_furnish() {
  local mounted
  # EAL uses the first hugetlbfs in the list of mounts, which may be full of another run's files. This
  # loop must come before the tmpfs on /run: the hugetlbfs of a surrounding sandbox is in /run.
  while read -r _ mounted _; do umount -l "$mounted"; done < <(grep ' hugetlbfs ' /proc/mounts)
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/lock /run/netns /run/dpdk /run/hugepages /run/tmp
  chmod 1777 /run/tmp
  mount -t hugetlbfs -o pagesize=2M hugetlbfs /run/hugepages
  mount -t sysfs sysfs /sys # shows only the interfaces of this network namespace
  mount -t bpf bpf /sys/fs/bpf
  ip link set lo up
  export TMPDIR=/run/tmp TEST_TMPDIR=/run/tmp LIBXDP_SKIP_DISPATCHER=1
}
