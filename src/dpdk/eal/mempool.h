// SPDX-License-Identifier: BSD-3-Clause
// Packet buffers: one mempool on each NUMA node that has a port. Control thread at set-up; lcores
// allocate and free mbufs through their caches.

#ifndef TWINPATH_DPDK_EAL_MEMPOOL_H_
#define TWINPATH_DPDK_EAL_MEMPOOL_H_

#include <rte_mempool.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath {

struct MempoolSize {
  uint32_t mbufs = 0;
  uint32_t cache = 0;      // mbufs that an lcore keeps
  uint16_t data_room = 0;  // bytes of an mbuf, headroom included

  uint64_t Bytes() const;  // of memory, approximately
};

struct MempoolNeeds {
  uint32_t queues = 0;  // over all ports
  uint32_t exception_queues = 0;
  uint32_t rx_descriptors = 0, tx_descriptors = 0;
  uint32_t lcores = 1;
  uint32_t burst = 32;
  uint32_t cache = 256;
  uint32_t extra = 0;  // that PMDs hold for themselves
  uint32_t mtu = 1500;
};

// As many mbufs as descriptors, bursts and caches can hold at once, so that they never run out.
MempoolSize SizeMempool(const MempoolNeeds& needs);

// With fewer mbufs than this, RX queues do not fill, or one lcore's cache starves another's.
uint64_t LeastMbufs(const MempoolNeeds& needs);

class Mempool {
 public:
  // ResourceExhausted names the node and the bytes; Internal: see Misaddressed.
  static absl::StatusOr<Mempool> Create(const std::string& name, const MempoolSize& size, int node);
  rte_mempool* get() const { return pool_.get(); }

  // Leaves the memory to be freed with the process, which is faster: EAL frees page by page, and
  // overwrites each page and removes it from every NIC's IOMMU.
  void Leave() { pool_.release(); }

  // The number of mbufs for which a NIC would write to another address than the one that lcores
  // read; 0 in a sound mempool. A virtual device would not notice. Visits all mbufs.
  uint32_t Misaddressed() const;

 private:
  struct Free {
    void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
  };
  explicit Mempool(rte_mempool* pool) : pool_(pool) {}
  std::unique_ptr<rte_mempool, Free> pool_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_MEMPOOL_H_
