// SPDX-License-Identifier: BSD-3-Clause
// Polls the device.

#include <rte_ethdev.h>

#include "src/dpdk/traffic/traffic_port.h"

namespace twinpath {
namespace {

constexpr uint16_t kBurst = 64;
constexpr uint64_t kLongest = 1'000'000;  // ns of a poll that finds frames

}  // namespace

absl::StatusOr<bool> DpdkInput::Poll(uint64_t wait_ns, Receiver* receiver) {
  std::array<rte_mbuf*, kBurst> mbufs;
  const QueueEnd& end = port_->end();
  clock_.Correct();
  const uint64_t start = clock_.Now();
  bool any = false;
  for (uint64_t now = start; now < start + (any ? kLongest : wait_ns);) {
    const uint16_t count = rte_eth_rx_burst(end.ethdev, end.queue, mbufs.data(), kBurst);
    now = clock_.Now();
    if (count == 0) {
      clock_.Correct();
      continue;
    }
    any = true;
    for (uint16_t i = 0; i < count; i++) {
      const rte_mbuf* mbuf = mbufs[i];
      ReceivedFrame frame;
      frame.length = mbuf->pkt_len;
      frame.arrival = now;
      if (mbuf->nb_segs == 1) {
        frame.bytes = {rte_pktmbuf_mtod(mbuf, const uint8_t*), mbuf->data_len};
      } else {
        whole_.resize(mbuf->pkt_len);
        const void* bytes = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, whole_.data());
        frame.bytes = {static_cast<const uint8_t*>(bytes), mbuf->pkt_len};
      }
      receiver->Add(frame);
    }
    rte_pktmbuf_free_bulk(mbufs.data(), count);
  }
  return true;
}

uint64_t DpdkInput::missed() {
  uint64_t missed = 0;
  for (const auto& [name, count] : port_->port().Describe().extra)
    if (name == "device_rx_missed_packets" || name == "device_rx_no_mbuf_packets" ||
        name == "xsk_rx_dropped_packets" || name == "xsk_rx_ring_full_packets")
      missed += count;
  return missed;
}

}  // namespace twinpath
