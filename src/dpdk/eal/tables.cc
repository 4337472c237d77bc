// SPDX-License-Identifier: BSD-3-Clause
// Copies the policy's tables into EAL memory. Control thread, at set-up.

#include "src/dpdk/eal/tables.h"

#include <utility>

#include "src/config/compile/rule_table.h"

namespace twinpath {

absl::StatusOr<PolicyTables> PolicyTables::Create(const CompiledPolicy& policy, int node) {
  PolicyTables tables;
  absl::Status status;
  const auto copy = [&](const auto& from, auto* to) {
    auto made = CopyToEal(from, node);
    status.Update(made.status());
    if (made.ok()) *to = *std::move(made);
  };
#define TP_TABLE_COPY(name, row)           \
  copy(policy.name, &tables.arrays_.name); \
  tables.tables_.name = tables.arrays_.name.get();
  TP_TABLES(TP_TABLE_COPY)
#undef TP_TABLE_COPY
  if (!status.ok()) return status;
  tables.tables_.bucket_shift = BucketShift(policy.buckets.size());
  return tables;
}

}  // namespace twinpath
