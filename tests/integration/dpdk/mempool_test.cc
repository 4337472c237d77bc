// SPDX-License-Identifier: BSD-3-Clause
// Tests the flags of a mempool's memory, which NICs use. One thread. Starts EAL once, with virtual
// addresses for DMA, as for NICs behind an IOMMU and for AF_XDP.

#include <gtest/gtest.h>

#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/replay/replay_eal.h"

namespace twinpath {
namespace {

TEST(DpdkMempool, EveryMbufHasTheAddressThatDmaGoesTo) {
  ASSERT_TRUE(StartReplayEal().ok()) << StartReplayEal();
  auto mempool = Mempool::Create("addresses", {.mbufs = 8191, .cache = 32, .data_room = 2304}, 0);
  ASSERT_TRUE(mempool.ok()) << mempool.status();
  EXPECT_EQ(mempool->Misaddressed(), 0u);
  // PMDs do not map memory for DMA if its flags say that it holds no frames.
  EXPECT_EQ(mempool->get()->flags & RTE_MEMPOOL_F_NON_IO, 0u);
}

}  // namespace
}  // namespace twinpath
