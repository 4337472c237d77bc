// SPDX-License-Identifier: BSD-3-Clause
// --packets: the exact number of packets that a run may receive, on all queues together. Workers
// take grants from a shared pool and return what they do not need, so that single packets cost no
// atomic operation.

#ifndef TWINPATH_DPDK_WORKER_BUDGET_H_
#define TWINPATH_DPDK_WORKER_BUDGET_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace twinpath {

class PacketBudget {
 public:
  explicit PacketBudget(uint64_t packets) : free_(packets), open_(packets) {}

  // Takes up to `wanted` packets. Any thread.
  uint64_t Take(uint64_t wanted) {
    uint64_t free = free_.load(std::memory_order_relaxed);
    while (free != 0) {
      uint64_t grant = std::min(free, wanted);
      if (free_.compare_exchange_weak(free, free - grant, std::memory_order_relaxed)) return grant;
    }
    return 0;
  }

  // Returns `packets` of a grant that were not received. Any thread.
  void GiveBack(uint64_t packets) { free_.fetch_add(packets, std::memory_order_relaxed); }

  // Reports that `packets` of a grant were received. Any thread.
  void Spend(uint64_t packets) { open_.fetch_sub(packets, std::memory_order_release); }

  // Whether all packets were received. Any thread.
  bool spent() const { return open_.load(std::memory_order_acquire) == 0; }

 private:
  std::atomic<uint64_t> free_;  // not granted
  std::atomic<uint64_t> open_;  // not reported as received
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_WORKER_BUDGET_H_
