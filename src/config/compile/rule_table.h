// SPDX-License-Identifier: BSD-3-Clause
// Builds the hash table that tp_lookup reads from masked keys. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_
#define TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "src/policy/types.h"

namespace twinpath {

struct RuleEntry {
  tp_key key = {};   // masked; .shape is the number of its shape
  uint64_t sum = 0;  // its tp_key_sum
  uint32_t rule = 0;
};

// The `shift` of tp_first_bucket for a table of `buckets` buckets from BuildBuckets.
uint32_t BucketShift(size_t buckets);

// Builds a hash table of `entries`. The load is so low that nearly every lookup reads one cache
// line. ResourceExhausted if no size is large enough: thousands of keys have the same hash.
absl::StatusOr<std::vector<tp_bucket>> BuildBuckets(const std::vector<RuleEntry>& entries);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_
