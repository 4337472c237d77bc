// SPDX-License-Identifier: BSD-3-Clause
// The compiled policy's tables as the lcores read them: in EAL memory (hugepages, on one NUMA node)
// and on cache-line boundaries. Built by the control thread, read-only while workers run.

#ifndef TWINPATH_DPDK_TABLES_H_
#define TWINPATH_DPDK_TABLES_H_

#include <rte_malloc.h>

#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile.h"
#include "src/policy/types.h"

namespace twinpath {

struct EalFree {
  void operator()(void* memory) const { rte_free(memory); }
};
// An array in EAL memory.
template <typename T>
using EalArray = std::unique_ptr<T[], EalFree>;

// A copy of `from` in EAL memory on NUMA node `node`, with a cache-line boundary at its start.
template <typename T>
absl::StatusOr<EalArray<T>> CopyToEal(const std::vector<T>& from, int node) {
  const size_t bytes = from.size() * sizeof(T);
  void* memory = rte_zmalloc_socket("twinpath", bytes ? bytes : 1, RTE_CACHE_LINE_SIZE, node);
  if (memory == nullptr)
    return absl::ResourceExhaustedError("no EAL memory for the policy's tables");
  if (bytes) std::memcpy(memory, from.data(), bytes);
  return EalArray<T>(static_cast<T*>(memory));
}

// What a policy takes of EAL memory for `queues` queues over all ports, its streams included.
inline uint64_t PolicyBytes(const CompiledPolicy& policy, uint64_t queues) {
  return policy.shapes.size() * sizeof(tp_shape) + policy.buckets.size() * sizeof(tp_bucket) +
         policy.entries.size() * sizeof(tp_key) + policy.rules.size() * sizeof(tp_rule) +
         queues * policy.rules.size() * sizeof(tp_state);
}

class PolicyTables {
 public:
  static absl::StatusOr<PolicyTables> Create(const CompiledPolicy& policy, int node);

  const tp_shape* shapes() const { return shapes_.get(); }
  const tp_bucket* buckets() const { return buckets_.get(); }
  const tp_key* entries() const { return entries_.get(); }
  const tp_rule* rules() const { return rules_.get(); }
  uint32_t bucket_mask() const { return bucket_mask_; }

 private:
  PolicyTables() = default;
  EalArray<tp_shape> shapes_;
  EalArray<tp_bucket> buckets_;
  EalArray<tp_key> entries_;
  EalArray<tp_rule> rules_;
  uint32_t bucket_mask_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_TABLES_H_
