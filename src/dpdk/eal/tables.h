// SPDX-License-Identifier: BSD-3-Clause
// The compiled policy's tables as the lcores read them: in EAL memory (hugepages, on one NUMA node)
// and on cache-line boundaries. Built by the control thread, read-only while workers run.

#ifndef TWINPATH_DPDK_EAL_TABLES_H_
#define TWINPATH_DPDK_EAL_TABLES_H_

#include <rte_malloc.h>

#include <cstring>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/policy/types.h"

namespace twinpath {

struct EalFree {
  void operator()(void* memory) const { rte_free(memory); }
};
// An array in EAL memory.
template <typename T>
using EalArray = std::unique_ptr<T[], EalFree>;

// `count` of all zeroes in EAL memory on NUMA node `node`, with a cache-line boundary at its start;
// `what` it is for.
template <typename T>
absl::StatusOr<EalArray<T>> EmptyInEal(size_t count, const char* what, int node) {
  const size_t bytes = count * sizeof(T);
  void* memory = rte_zmalloc_socket("twinpath", bytes ? bytes : 1, RTE_CACHE_LINE_SIZE, node);
  if (memory == nullptr)
    return absl::ResourceExhaustedError(
        absl::StrCat("no EAL memory for ", what, " (", bytes,
                     " octets); more hugepages, or a start with more of -m, would give some"));
  return EalArray<T>(static_cast<T*>(memory));
}

// The same, as a copy of `from`.
template <typename T>
absl::StatusOr<EalArray<T>> CopyToEal(const std::vector<T>& from, int node) {
  auto made = EmptyInEal<T>(from.size(), "the policy's tables", node);
  if (made.ok() && !from.empty()) std::memcpy(made->get(), from.data(), from.size() * sizeof(T));
  return made;
}

// What a policy takes of EAL memory for `queues` queues over all ports, its streams included, its
// flows not.
inline uint64_t PolicyBytes(const CompiledPolicy& policy, uint64_t queues) {
  const uint64_t stream = sizeof(tp_state) + (policy.marks ? sizeof(tp_count) : 0);
  return policy.shapes.size() * sizeof(tp_shape) + policy.buckets.size() * sizeof(tp_bucket) +
         policy.entries.size() * sizeof(tp_key) + policy.rules.size() * sizeof(tp_rule) +
         policy.links.size() * sizeof(tp_link) + policy.details.size() * sizeof(tp_detail) +
         policy.runs.size() * sizeof(tp_run) + queues * policy.rules.size() * stream;
}

class PolicyTables {
 public:
  static absl::StatusOr<PolicyTables> Create(const CompiledPolicy& policy, int node);

  // The times of conditions count from `now`, of the workers' clock, here and in `policy`, of which
  // the tables were made. Before the workers run.
  void SetOrigin(uint64_t now, CompiledPolicy* policy) {
    twinpath::SetOrigin(now, policy);
    for (size_t i = 0; i < n_details_; i++) details_[i].origin = now;
  }

  const tp_shape* shapes() const { return shapes_.get(); }
  const tp_bucket* buckets() const { return buckets_.get(); }
  const tp_key* entries() const { return entries_.get(); }
  const tp_rule* rules() const { return rules_.get(); }
  const tp_detail* details() const { return details_.get(); }
  const tp_link* links() const { return links_.get(); }
  const tp_run* runs() const { return runs_.get(); }
  uint32_t bucket_mask() const { return bucket_mask_; }

 private:
  PolicyTables() = default;
  EalArray<tp_shape> shapes_;
  EalArray<tp_bucket> buckets_;
  EalArray<tp_key> entries_;
  EalArray<tp_rule> rules_;
  EalArray<tp_detail> details_;
  size_t n_details_ = 0;
  EalArray<tp_link> links_;
  EalArray<tp_run> runs_;
  uint32_t bucket_mask_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_TABLES_H_
