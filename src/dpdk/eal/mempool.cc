// SPDX-License-Identifier: BSD-3-Clause
// Sizes and creates mempools. Control thread.

#include "src/dpdk/eal/mempool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/stderr_capture.h"

namespace twinpath {
namespace {

// The kernel's XDP_PACKET_HEADROOM: an AF_XDP frame starts this far into the mbuf's room.
constexpr uint32_t kXdpHeadroom = 256;
// Bytes after the frame, besides the MTU, that Linux 6.18 needs to bind the socket. Found by trying
// every MTU.
constexpr uint32_t kXdpTailroom = 266;

// The mbufs that the lcores and this thread may hold. A mempool cache holds up to 1.5 times its
// size.
uint64_t CachedMbufs(const MempoolNeeds& needs) {
  return static_cast<uint64_t>(needs.lcores + 1) * (needs.cache * 3 / 2 + needs.burst);
}

// Sets an object's DMA address to its virtual address. With RTE_MEMPOOL_F_NO_IOVA_CONTIG EAL leaves
// RTE_BAD_IOVA there, and a NIC would write frames to that address.
void SetIova(rte_mempool*, void*, void* object, unsigned) {
  auto* header = reinterpret_cast<rte_mempool_objhdr*>(static_cast<char*>(object) -
                                                       sizeof(rte_mempool_objhdr));
  header->iova = reinterpret_cast<uintptr_t>(object);
}

// Counts an mbuf whose DMA address is wrong.
void CountWrongIova(rte_mempool*, void* misaddressed, void* object, unsigned) {
  const auto* mbuf = static_cast<const rte_mbuf*>(object);
  const rte_iova_t iova = rte_mempool_virt2iova(object);
  const auto start = reinterpret_cast<uintptr_t>(object);
  const uintptr_t room = reinterpret_cast<uintptr_t>(mbuf->buf_addr) - start;
  const bool right = iova != RTE_BAD_IOVA && rte_mbuf_iova_get(mbuf) == iova + room &&
                     (rte_eal_iova_mode() != RTE_IOVA_VA || iova == start);
  *static_cast<uint32_t*>(misaddressed) += !right;
}

}  // namespace

uint32_t Mempool::Misaddressed() const {
  uint32_t misaddressed = 0;
  rte_mempool_obj_iter(get(), CountWrongIova, &misaddressed);
  return misaddressed;
}

uint64_t MempoolSize::Bytes() const {
  const uint32_t element = sizeof(rte_mbuf) + data_room;
  return static_cast<uint64_t>(mbufs) * rte_mempool_calc_obj_size(element, 0, nullptr);
}

MempoolSize SizeMempool(const MempoolNeeds& needs) {
  MempoolSize size;
  const uint64_t rings =
      static_cast<uint64_t>(needs.queues) *
          (needs.rx_descriptors + needs.tx_descriptors + 2 * needs.burst) +
      static_cast<uint64_t>(needs.exception_queues) * (needs.rx_descriptors + needs.tx_descriptors);
  const uint64_t total = rings + CachedMbufs(needs) + needs.extra + 1024;
  size.mbufs = static_cast<uint32_t>(std::min<uint64_t>(total | 1023, UINT32_MAX));
  size.cache = std::min<uint32_t>(needs.cache, RTE_MEMPOOL_CACHE_MAX_SIZE);
  const uint32_t frame =
      needs.mtu + RTE_ETHER_HDR_LEN + 2 * 4 /* VLAN tags */ + kXdpHeadroom + kXdpTailroom;
  const uint32_t room = std::max<uint32_t>(RTE_MBUF_DEFAULT_DATAROOM, (frame + 63) & ~63u);
  size.data_room =
      static_cast<uint16_t>(std::min<uint32_t>(RTE_PKTMBUF_HEADROOM + room, UINT16_MAX));
  return size;
}

uint64_t LeastMbufs(const MempoolNeeds& needs) {
  return static_cast<uint64_t>(needs.queues + needs.exception_queues) *
             (needs.rx_descriptors + needs.burst) +
         CachedMbufs(needs) + needs.extra;
}

absl::StatusOr<Mempool> Mempool::Create(const std::string& name, const MempoolSize& size,
                                        int node) {
  // If DMA uses virtual addresses, a frame may cross a page, so that objects need no gaps. The
  // AF_XDP PMD needs a mempool without gaps for its umem, but rte_pktmbuf_pool_create leaves gaps.
  // The objects have no DMA address until SetIova.
  const unsigned flags = rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
  rte_pktmbuf_pool_private room = {};
  room.mbuf_data_room_size = size.data_room;
  Mempool pool(rte_mempool_create_empty(name.c_str(), size.mbufs, sizeof(rte_mbuf) + size.data_room,
                                        size.cache, sizeof(room), node, flags));
  int code = -rte_errno;
  if (pool.get() != nullptr) {
    code = rte_mempool_set_ops_byname(pool.get(), rte_mbuf_best_mempool_ops(), nullptr);
    rte_pktmbuf_pool_init(pool.get(), &room);
    if (code == 0) code = rte_mempool_populate_default(pool.get());
  }
  if (code < 0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "no memory for the mempool of ",
        node < 0 ? "any NUMA node" : absl::StrCat("NUMA node ", node), ": ", size.mbufs, " mbufs, ",
        size.Bytes() >> 20, " MiB (", rte_strerror(-code), ")", StderrCapture::LastLine()));
  }
  if (flags != 0) {
    rte_mempool_obj_iter(pool.get(), SetIova, nullptr);
    pool.get()->flags &= ~static_cast<unsigned>(RTE_MEMPOOL_F_NON_IO);
  }
  rte_mempool_obj_iter(pool.get(), rte_pktmbuf_init, nullptr);
  if (const uint32_t wrong = pool.Misaddressed(); wrong != 0) {
    return absl::InternalError(absl::StrCat("mempool of NUMA node ", node,
                                            ": NICs would write to wrong "
                                            "addresses for ",
                                            wrong, " of ", size.mbufs, " mbufs"));
  }
  return pool;
}

}  // namespace twinpath
