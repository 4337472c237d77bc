# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The record of what `up` changed, and `down`, which undoes it. Sourced by tools/host.
#
# The record is a file of lines "KIND THING BEFORE .". Its first line names the boot of the other steps.
# A line is written before its step is done. The full stop at the end shows that the line is complete;
# the step of an incomplete line has not begun. `down` undoes the last line first.

record() { # KIND THING BEFORE
  mkdir -p "$(dirname -- "$STATE")"
  [[ -s $STATE ]] || printf 'boot %s - .\n' "$BOOT" >"$STATE"
  printf '%s %s %s .\n' "$1" "$2" "${3:--}" >>"$STATE"
  sync -d "$STATE" # the line must be on the disk before the step is done
}

recorded() { # KIND THING
  [[ -f $STATE ]] && grep -qF -- "$1 $2 " "$STATE"
}

# forget_other_boots: removes the steps of an earlier boot, because the reboot has undone them. Keeps
# the lines of driverctl's overrides, which survive a reboot.
forget_other_boots() {
  local kept
  [[ -s $STATE ]] && [[ $(head -n 1 "$STATE") == boot\ * ]] || return 0
  [[ $(head -n 1 "$STATE") != "boot $BOOT - ." ]] || return 0
  kept=$(grep '^driverctl .* \.$' "$STATE" || true)
  rm -f "$STATE"
  [[ -z $kept ]] || printf 'boot %s - .\n%s\n' "$BOOT" "$kept" >"$STATE"
}

# set_file FILE VALUE: writes a file, and records its old value. Does nothing if it is not writable.
set_file() {
  local before
  [[ -w $1 ]] || return 0
  before=$(<"$1")
  [[ $before != "$2" ]] || return 0
  recorded file "$1" || record file "$1" "$before"
  echo "$2" >"$1"
  say "$1: $before -> $2"
}

# other_records: prints the files of other instances that have steps of this boot to undo.
other_records() {
  local other
  for other in "$(dirname -- "$STATE")"/*; do
    [[ $other != "$STATE" && -s $other ]] || continue
    [[ $(head -n 1 "$other") == "boot $BOOT - ." ]] || continue
    printf '%s\n' "$other"
  done
}

# hand_over KIND THING BEFORE: moves the step to the record of another instance, which may still use the
# thing. Fails if there is no other instance.
hand_over() {
  local other
  read -r other < <(other_records) || return 1
  sed -i "1a $1 $2 $3 ." "$other"
  sync -d "$other"
}

# own_hugepages: prints how many hugepages this instance has got.
own_hugepages() {
  # A "hugepages" line has the old total, the wanted total, and the number for this instance. If the
  # totals differ, a "raised" line follows with the number that the kernel really added.
  awk '
    $1 == "hugepages" && $4 == "." {
      split($3, part, ":")
      if (part[1] == part[2]) n += part[3]; else begun = part[3]
    }
    $1 == "raised" && $4 == "." { n += begun + $3 - (part[2] - part[1]); begun = 0 }
    END { print n + 0 }' "$STATE" 2>/dev/null || echo 0
}

# other_hugepages: prints how many hugepages the other instances of this boot have got.
other_hugepages() {
  local other
  while read -r other; do
    awk '
      $1 == "hugepages" && $4 == "." { split($3, part, ":"); print part[3] }
      $1 == "raised" && $4 == "." { print $3 - (part[2] - part[1]) } # the kernel had memory for fewer
    ' "$other"
  done < <(other_records) | awk '{ n += $1 } END { print n + 0 }'
}

# undo KIND THING BEFORE: undoes one step. `raised`, a variable of `down`, says whether the "raised" line
# of a "hugepages" line has been undone.
undo() {
  local kind=$1 thing=$2 before=$3 from to total more
  case $kind in
    file) if [[ -e $thing ]]; then echo "$before" >"$thing"; fi ;;
    hugepages) # BEFORE is FROM:TO:N. Without a "raised" line the total shows whether the step was done
      if ((raised)); then return 0; fi
      IFS=: read -r from to _ <<<"$before"
      total=$(<"$thing")
      more=$((total > from ? total - from : 0))
      if ((more > to - from)); then more=$((to - from)); fi
      echo $((total - more)) >"$thing"
      ;;
    raised) # BEFORE is the number of pages. Pages that other programs have added since then stay
      total=$(<"$thing")
      echo $((total > before ? total - before : 0)) >"$thing"
      ;;
    mount) if mountpoint -q "$thing" && ! hand_over "$kind" "$thing" "$before"; then umount "$thing"; fi ;;
    folder)
      if [[ -d $thing ]] && ! hand_over "$kind" "$thing" "$before"; then rmdir --ignore-fail-on-non-empty "$thing"; fi
      ;;
    up) if [[ -e $NET/$thing ]]; then ip link set dev "$thing" down; fi ;;
    queues) # BEFORE is KIND:NUMBER,...
      if [[ -e $NET/$thing ]]; then
        if [[ $before =~ ^[0-9]+$ ]]; then before=combined:$before; fi # an earlier version wrote this form
        before=${before//[:,]/ }
        # shellcheck disable=SC2086 # words
        set_queues "$thing" $before
      fi
      ;;
    driverctl) undo_driverctl "$thing" "$before" ;;
    bind) undo_bind "$thing" "$before" ;;
    module) undo_module "$thing" ;;
    boot) return 0 ;;
    *)
      printf '%s: %s: unknown line "%s %s %s"\n' "$NAME" "$STATE" "$kind" "$thing" "$before" >&2
      return 1
      ;;
  esac
  say "undone: $kind $thing" || true # the step is undone even if nobody reads this
}

down() {
  local kind thing before whole line status failed=0 raised=0
  # If a signal interrupted this between undoing a step and removing its line, the next `down` would
  # undo the step again.
  trap '' INT TERM HUP PIPE
  forget_other_boots
  if [[ ! -s $STATE ]]; then
    say "nothing to undo"
    return 0
  fi
  for ((line = $(wc -l <"$STATE") + 1; line >= 1; line--)); do
    kind='' thing='' before='' whole=''
    read -r kind thing before whole < <(sed -n "${line}p" "$STATE") || true
    if [[ $kind == boot ]] && ((failed)); then continue; fi
    if [[ $whole == . ]]; then # the line is complete, so the step may have been done
      # `set -e` has no effect where a condition tests the outcome, so a subshell runs the step.
      set +e
      (
        set -e
        undo "$kind" "$thing" "$before"
      )
      status=$?
      set -e
      if [[ $kind == raised ]]; then raised=1; elif [[ $kind == hugepages ]]; then raised=0; fi
      if ((status)); then
        printf '%s: cannot undo: %s %s %s (it stays in %s)\n' "$NAME" "$kind" "$thing" "$before" "$STATE" >&2
        failed=1
        continue
      fi
    fi
    sed -i "${line}d" "$STATE"
  done
  ((!failed)) || return 1
  rm -f "$STATE"
  rmdir --ignore-fail-on-non-empty "$(dirname -- "$STATE")" 2>/dev/null || true
}
