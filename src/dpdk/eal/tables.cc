// SPDX-License-Identifier: BSD-3-Clause
// Copies the policy's tables into EAL memory. Control thread, at set-up.

#include "src/dpdk/eal/tables.h"

#include <utility>

namespace twinpath {

absl::StatusOr<PolicyTables> PolicyTables::Create(const CompiledPolicy& policy, int node) {
  PolicyTables tables;
  absl::Status status;
  const auto copy = [&](const auto& from, auto* to) {
    auto made = CopyToEal(from, node);
    status.Update(made.status());
    if (made.ok()) *to = *std::move(made);
  };
  copy(policy.shapes, &tables.shapes_);
  copy(policy.buckets, &tables.buckets_);
  copy(policy.entries, &tables.entries_);
  copy(policy.rules, &tables.rules_);
  copy(policy.details, &tables.details_);
  copy(policy.links, &tables.links_);
  copy(policy.runs, &tables.runs_);
  if (!status.ok()) return status;
  tables.n_details_ = policy.details.size();
  tables.bucket_mask_ = static_cast<uint32_t>(policy.buckets.size() - 1);
  return tables;
}

}  // namespace twinpath
