// SPDX-License-Identifier: BSD-3-Clause
// Masked keys -> the hash table that tp_lookup reads. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_
#define TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "src/policy/types.h"

namespace twinpath {

struct RuleEntry {
  tp_key key = {};   // masked; .shape is its shape's number
  uint64_t sum = 0;  // tp_key_sum of it
  uint32_t rule = 0;
};

// The `shift` of tp_first_bucket in a table of `buckets` buckets, which BuildBuckets made.
uint32_t BucketShift(size_t buckets);

// Makes a hash table of `entries`. The load is so low that nearly every lookup reads one cache
// line. ResourceExhausted where no size holds them: thousands of keys with one hash.
absl::StatusOr<std::vector<tp_bucket>> BuildBuckets(const std::vector<RuleEntry>& entries);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_
