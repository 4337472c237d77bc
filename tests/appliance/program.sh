#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs twinpath-dpdk in the background of the machine, so that other commands can follow.
#
#   program.sh start NAME PROGRAM [ARGUMENT]...  returns at its first turn
#   program.sh stop NAME SIGNAL                  returns when it has ended, with its exit status
set -euo pipefail
verb=$1 name=$2
share=/run/share

# Waits at most two minutes until a command succeeds.
await() {
  local end=$((SECONDS + 120))
  while ((SECONDS < end)); do
    ! "$@" || return 0
    sleep 0.05
  done
  echo "not within two minutes: $*" >&2
  cat "$share/$name.log" >&2
  return 1
}

ready() {
  [[ -e $share/$name.status ]] || grep -qF -- ": lcores " "$share/$name.log"
}

case $verb in
  start)
    shift 2
    for left in /run/*.pid; do # of a test that failed
      [[ ! -e $left ]] || kill -KILL "$(<"$left")" 2>/dev/null || true
    done
    rm -f "$share/$name".{status,log,json} /run/*.pid
    : >"$share/$name.log"
    (
      status=0
      setsid "$@" --summary "$share/$name.json" >"$share/$name.out" 2>"$share/$name.log" &
      echo $! >"/run/$name.pid"
      wait $! || status=$?
      echo "$status" >"/run/$name.status.new"
      mv "/run/$name.status.new" "$share/$name.status"
    ) &
    await ready
    [[ ! -e $share/$name.status ]] || {
      cat "$share/$name.log"
      exit 1
    }
    ;;
  stop)
    kill "-$3" "$(<"/run/$name.pid")"
    await test -e "$share/$name.status"
    cat "$share/$name.status"
    ;;
esac
