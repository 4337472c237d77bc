// SPDX-License-Identifier: BSD-3-Clause
// The compiled policy's tables in EAL memory (hugepages on one NUMA node), aligned to cache lines.
// The control thread builds them; they are read-only while workers run.

#ifndef TWINPATH_DPDK_EAL_TABLES_H_
#define TWINPATH_DPDK_EAL_TABLES_H_

#include <rte_malloc.h>

#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/policy/tables.h"
#include "src/policy/types.h"

namespace twinpath {

struct EalFree {
  void operator()(void* memory) const { rte_free(memory); }
};
// An array in EAL memory.
template <typename T>
using EalArray = std::unique_ptr<T[], EalFree>;

// Allocates `count` zeroed elements in EAL memory on NUMA node `node`, aligned to a cache line.
// `what` names their purpose in the error.
template <typename T>
absl::StatusOr<EalArray<T>> EmptyInEal(size_t count, const char* what, int node) {
  const size_t bytes = count * sizeof(T);
  void* memory = rte_zmalloc_socket("twinpath", bytes ? bytes : 1, RTE_CACHE_LINE_SIZE, node);
  if (memory == nullptr)
    return absl::ResourceExhaustedError(
        absl::StrCat("no EAL memory for ", what, " (", bytes,
                     " bytes); provide more hugepages, or start with a larger -m"));
  return EalArray<T>(static_cast<T*>(memory));
}

// Copies `from` into EAL memory.
template <typename T>
absl::StatusOr<EalArray<T>> CopyToEal(const std::vector<T>& from, int node) {
  auto made = EmptyInEal<T>(from.size(), "the policy's tables", node);
  if (made.ok() && !from.empty()) std::memcpy(made->get(), from.data(), from.size() * sizeof(T));
  return made;
}

// The EAL memory of a policy in bytes, for `queues` queues of all ports: tables and streams,
// without the flow table.
inline uint64_t PolicyBytes(const CompiledPolicy& policy, uint64_t queues) {
  const uint64_t stream = sizeof(tp_state) + (policy.rule_extras ? sizeof(tp_rule_extras) : 0);
  return TableBytes(policy) + queues * policy.rules.size() * stream;
}

class PolicyTables {
 public:
  static absl::StatusOr<PolicyTables> Create(const CompiledPolicy& policy, int node);

  // Sets the time from which conditions count to `now` (ns of the workers' clock), in these tables
  // and in `policy`, which they were made from. Call it before the workers run.
  void SetOrigin(uint64_t now, CompiledPolicy* policy) {
    twinpath::SetOrigin(now, policy);
    for (size_t i = 0; i < policy->whens.size(); i++) arrays_.whens[i].origin = now;
  }

  // Pointers into this object.
  const tp_tables& get() const { return tables_; }

 private:
  struct Arrays {
#define TP_TABLE_ARRAY(name, row) EalArray<row> name;
    TP_TABLES(TP_TABLE_ARRAY)
#undef TP_TABLE_ARRAY
  };
  PolicyTables() = default;
  Arrays arrays_;
  tp_tables tables_ = {};
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_TABLES_H_
