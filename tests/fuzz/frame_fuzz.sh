#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs a fuzz target for ten seconds from fresh seeds: frame_fuzz.sh FUZZER SEEDS_PROGRAM LONGEST FORMAT.
# LONGEST is in bytes; FORMAT is that of the seeds.
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$2" "$corpus" "$4"
"$1" -max_total_time=10 -max_len="$3" -seed=1 -print_final_stats=1 -artifact_prefix="$corpus/" "$corpus" 2>"$corpus/log" || {
  cat "$corpus/log"
  exit 1
}
grep -E 'stat::(number_of_executed_units|new_units_added|peak_rss)' "$corpus/log"
