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
  uint32_t cache = 0;      // mbufs in an lcore's cache
  uint16_t data_room = 0;  // bytes of an mbuf, with headroom

  uint64_t Bytes() const;  // of memory, approximately
};

struct MempoolNeeds {
  uint32_t queues = 0;  // of all ports
  uint32_t exception_queues = 0;
  uint32_t rx_descriptors = 0, tx_descriptors = 0;
  uint32_t lcores = 1;
  uint32_t burst = 32;
  uint32_t cache = 256;
  uint32_t extra = 0;  // that PMDs hold for themselves
  uint32_t mtu = 1500;
};

// Returns as many mbufs as descriptors, bursts and caches can hold at once, so that the mempool
// never runs empty.
MempoolSize SizeMempool(const MempoolNeeds& needs);

// The smallest usable number of mbufs. With fewer, RX queues do not fill, or one lcore's cache
// takes the mbufs that another lcore needs.
uint64_t LeastMbufs(const MempoolNeeds& needs);

class Mempool {
 public:
  // ResourceExhausted: no memory; the message names the node and the size. Internal: see
  // Misaddressed.
  static absl::StatusOr<Mempool> Create(const std::string& name, const MempoolSize& size, int node);
  rte_mempool* get() const { return pool_.get(); }

  // Leaves the memory to the kernel, which frees it when the process ends. That is faster: EAL
  // frees page by page, overwrites each page and removes it from the IOMMU of every NIC.
  void Leave() { pool_.release(); }

  // The number of mbufs whose DMA address differs from the address that lcores read; 0 in a correct
  // mempool. Only NICs use DMA addresses, so virtual devices do not show this fault. Visits all
  // mbufs.
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
