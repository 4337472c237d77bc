// SPDX-License-Identifier: BSD-3-Clause
// Writes frames into mbufs, and asks the device in the end what it sent.

#include <rte_ethdev.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "src/dpdk/traffic/traffic_port.h"
#include "src/kernel/link/link.h"

namespace twinpath {

DpdkSender::DpdkSender(std::unique_ptr<TrafficPort> port, const FrameSource& source)
    : port_(std::move(port)), source_(source), counted_before_(CountedAsSent()) {
  const uint32_t index = IndexOfLink(port_->port().device().interface);
  if (index != 0) interface_.emplace(index, port_->port().device().interface);
}

absl::StatusOr<uint32_t> DpdkSender::Send(uint32_t count) {
  std::array<rte_mbuf*, kMost> mbufs;
  const QueueEnd& end = port_->end();
  if (interface_.has_value())
    if (absl::Status there = interface_->Check(); !there.ok()) return there;
  if (rte_pktmbuf_alloc_bulk(port_->mempool(), mbufs.data(), count) != 0) {
    // The device still has them all; a look at its queue may bring some back.
    rte_eth_tx_done_cleanup(end.ethdev, end.queue, 0);
    return 0;
  }
  clock_.Correct();
  for (uint32_t i = 0; i < count; i++) {
    auto* data = rte_pktmbuf_mtod(mbufs[i], uint8_t*);
    const uint32_t size = source_.Write(next_ + i, clock_.Now(), data);
    mbufs[i]->data_len = static_cast<uint16_t>(size);
    mbufs[i]->pkt_len = size;
  }
  const uint16_t sent =
      rte_eth_tx_burst(end.ethdev, end.queue, mbufs.data(), static_cast<uint16_t>(count));
  if (sent < count) rte_pktmbuf_free_bulk(&mbufs[sent], count - sent);
  next_ += sent;
  return sent;
}

uint64_t DpdkSender::CountedAsSent() const {
  rte_eth_stats stats = {};
  return rte_eth_stats_get(port_->end().ethdev, &stats) == 0 ? stats.opackets : 0;
}

// What the device has in its queue leaves within half a second, or never.
uint64_t DpdkSender::dropped() {
  const QueueEnd& end = port_->end();
  uint64_t unsent = 0;
  for (int look = 0; look < 50; look++) {
    const uint64_t counted = CountedAsSent() - counted_before_;
    unsent = next_ - std::min(next_, counted);
    if (unsent == 0) break;
    rte_eth_tx_burst(end.ethdev, end.queue, nullptr, 0);  // wakes an AF_XDP socket
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return interface_.has_value() ? std::max(unsent, interface_->Dropped(next_)) : unsent;
}

}  // namespace twinpath
