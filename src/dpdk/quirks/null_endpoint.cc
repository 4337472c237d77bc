// SPDX-License-Identifier: BSD-3-Clause
// Installs no-op burst functions in an unused slot of rte_eth_fp_ops, the table that
// rte_eth_rx_burst and rte_eth_tx_burst read (rte_ethdev_core.h; the DPDK programmer's guide does
// not mention it). A null device would cost a vdev and its queues.

#include "src/dpdk/quirks/null_endpoint.h"

#include <rte_ethdev.h>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

constexpr uint16_t kSlot = RTE_MAX_ETHPORTS - 1;

uint16_t None(void*, rte_mbuf**, uint16_t) { return 0; }

}  // namespace

absl::StatusOr<QueueEnd> MakeNullEndpoint() {
  if (rte_eth_dev_is_valid_port(kSlot))
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", RTE_MAX_ETHPORTS, " ethdevs of EAL are in use"));
  rte_eth_fp_ops[kSlot].rx_pkt_burst = None;
  rte_eth_fp_ops[kSlot].tx_pkt_burst = None;
  return QueueEnd{.ethdev = kSlot, .queue = 0, .longest_chain = kAnyLength};
}

}  // namespace twinpath
