// SPDX-License-Identifier: BSD-3-Clause
// Copies the policy's tables into EAL memory. Control thread, at set-up.

#include "src/dpdk/tables.h"

#include <utility>

namespace twinpath {

absl::StatusOr<PolicyTables> PolicyTables::Create(const CompiledPolicy& policy, int node) {
  auto shapes = CopyToEal(policy.shapes, node);
  if (!shapes.ok()) return shapes.status();
  auto buckets = CopyToEal(policy.buckets, node);
  if (!buckets.ok()) return buckets.status();
  auto entries = CopyToEal(policy.entries, node);
  if (!entries.ok()) return entries.status();
  auto rules = CopyToEal(policy.rules, node);
  if (!rules.ok()) return rules.status();
  PolicyTables tables;
  tables.shapes_ = *std::move(shapes);
  tables.buckets_ = *std::move(buckets);
  tables.entries_ = *std::move(entries);
  tables.rules_ = *std::move(rules);
  tables.bucket_mask_ = static_cast<uint32_t>(policy.buckets.size() - 1);
  return tables;
}

}  // namespace twinpath
