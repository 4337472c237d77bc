// SPDX-License-Identifier: BSD-3-Clause
// Fills buckets in the way that tp_lookup expects: slots fill from 0, and a full bucket overflows
// into the next one. Control thread, at set-up.

#include "src/config/compile/rule_table.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

constexpr size_t kMaxBuckets = 8 * TP_MAX_ENTRIES;

bool Insert(const RuleEntry& entry, uint32_t index, std::vector<tp_bucket>* buckets) {
  const uint32_t first = tp_first_bucket(entry.sum, BucketShift(buckets->size()));
  for (uint32_t probe = 0; probe < TP_MAX_PROBES; probe++) {
    tp_bucket& bucket = (*buckets)[first + probe];
    if (bucket.used == TP_BUCKET_SLOTS) continue;
    bucket.tag[bucket.used] = tp_key_tag(entry.sum);
    bucket.entry[bucket.used] = index;
    bucket.rule[bucket.used] = entry.rule;
    bucket.used++;
    return true;
  }
  return false;
}

}  // namespace

uint32_t BucketShift(size_t buckets) {
  return static_cast<uint32_t>(65 - std::bit_width(buckets - (TP_MAX_PROBES - 1)));
}

absl::StatusOr<std::vector<tp_bucket>> BuildBuckets(const std::vector<RuleEntry>& entries) {
  // At most 1.5 of a bucket's 5 slots are used on average, so that only 2 % of the buckets are
  // full.
  size_t count = 2;
  while (count * 3 < entries.size() * 2) count *= 2;
  for (; count <= kMaxBuckets; count *= 2) {
    std::vector<tp_bucket> buckets(count + TP_MAX_PROBES - 1);
    uint32_t placed = 0;
    while (placed < entries.size() && Insert(entries[placed], placed, &buckets)) placed++;
    if (placed == entries.size()) return buckets;
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(entries.size(), " keys do not fit into ", kMaxBuckets, " buckets"));
}

}  // namespace twinpath
