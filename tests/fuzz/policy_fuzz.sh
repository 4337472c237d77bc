#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs the fuzz target for ten seconds from the shipped policies: policy_fuzz.sh FUZZER FOLDER.
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
cp "$2"/*.json "$2"/*/*.json "$corpus"
"$1" -max_total_time=10 -max_len=4096 -seed=1 -print_final_stats=1 -artifact_prefix="$corpus/" "$corpus" 2>"$corpus/log" || {
  cat "$corpus/log"
  exit 1
}
grep -E 'stat::(number_of_executed_units|new_units_added|peak_rss)' "$corpus/log"
