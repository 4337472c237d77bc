// SPDX-License-Identifier: BSD-3-Clause
// What NICs are told of a mempool's memory. One thread; starts EAL once, as for NICs behind an
// IOMMU and for AF_XDP: DMA goes by virtual addresses.

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
  // PMDs never map for DMA what says that no frame goes there.
  EXPECT_EQ(mempool->get()->flags & RTE_MEMPOOL_F_NON_IO, 0u);
}

}  // namespace
}  // namespace twinpath
