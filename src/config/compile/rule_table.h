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
  tp_key key = {};    // masked; .shape is its shape's number
  uint64_t hash = 0;  // tp_key_hash of it
  uint32_t rule = 0;
};

// A power of two of buckets, entry i of `entries` in one of them, at a load that leaves nearly
// every lookup in one cache line. ResourceExhausted where no size will hold them: thousands of keys
// of one hash.
absl::StatusOr<std::vector<tp_bucket>> BuildBuckets(const std::vector<RuleEntry>& entries);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_RULE_TABLE_H_
