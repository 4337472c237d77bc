// SPDX-License-Identifier: BSD-3-Clause
// A port whose device comes and goes: its link, what the device counted, letting go of one that is
// no more and taking the next. Control thread; Link and CountsNow also under the lock that keeps
// Close and Reopen away.

#include <net/if.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "src/dpdk/port.h"
#include "src/dpdk/xdp_state.h"
#include "src/dpdk/xsk_frames.h"
#include "src/telemetry/link_state.h"

namespace twinpath {
namespace {

bool IsUp(const Ethdev& ethdev) {
  rte_eth_link link = {};
  return rte_eth_link_get_nowait(ethdev.port(), &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace

std::string Port::Link() const {
  if (ethdevs_.empty()) return kLinkGone;
  // The AF_XDP and AF_PACKET PMDs say that every link is up.
  if (index_ != 0) return LinkState(index_);
  if (std::any_of(ethdevs_.begin(), ethdevs_.end(), std::mem_fn(&Ethdev::AskedBack)))
    return kLinkGone;
  return std::all_of(ethdevs_.begin(), ethdevs_.end(), IsUp) ? kLinkUp : kLinkDown;
}

bool Port::DeviceThere() const {
  if (!device_.pci.empty()) return !Machine().PciDriver(device_.pci).empty();
  return if_nametoindex(device_.interface.c_str()) != 0;
}

Port::DeviceCounts Port::CountsNow() const {
  DeviceCounts sum = past_;
  for (const Ethdev& ethdev : ethdevs_) {
    rte_eth_stats stats = {};
    if (rte_eth_stats_get(ethdev.port(), &stats) != 0) continue;
    sum.missed += stats.imissed;
    sum.errors += stats.ierrors;
    sum.no_mbuf += stats.rx_nombuf;
    sum.send_errors += stats.oerrors;
  }
  for (const std::vector<int>& sockets : xsk_sockets_) {
    for (const int fd : sockets) {
      const XskDrops drops = ReadXskDrops(fd);
      sum.xsk.rx_dropped += drops.rx_dropped;
      sum.xsk.rx_ring_full += drops.rx_ring_full;
      sum.xsk.rx_fill_ring_empty += drops.rx_fill_ring_empty;
      sum.xsk.tx_invalid += drops.tx_invalid;
    }
  }
  if (!xsk_sockets_.empty() && index_ == if_nametoindex(device_.interface.c_str())) {
    const uint64_t dropped = Machine().InterfaceTxDropped(device_.interface);
    sum.interface_dropped += std::max(dropped, dropped_before_) - dropped_before_;
  }
  if (spread_) sum.spread_full += spread_->full_packets();
  return sum;
}

void Port::Close() {
  past_ = CountsNow();
  spread_.reset();
  std::vector<rte_mbuf*> mbufs;
  for (const std::vector<int>& sockets : xsk_sockets_) {
    for (const int fd : sockets) {
      const XskFrames frames = FramesIn(fd, mempool_);
      mbufs.insert(mbufs.end(), frames.mbufs.begin(), frames.mbufs.end());
      past_.unsent += frames.unsent;
      past_.unread += frames.unread;
    }
  }
  xsk_sockets_.clear();
  ethdevs_.clear();
  std::sort(mbufs.begin(), mbufs.end());
  mbufs.erase(std::unique(mbufs.begin(), mbufs.end()), mbufs.end());
  rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(mbufs.size()));
}

// An interface that was in another network namespace when its device was closed brings back what
// libxdp attached, and could not take off there.
void Port::TakeOffOwnProgram() const {
  if (own_program_ != 0) DetachXdp(device_.interface, own_program_).IgnoreError();
}

absl::Status Port::Reopen(const Profile& profile, bool one_mempool, InterfaceGuard* guard) {
  TakeOffOwnProgram();
  auto device = ResolveDevice({.name = name_, .device = device_.given}, profile.queues, Machine());
  if (!device.ok()) return device.status();
  auto port = Open(name_, *std::move(device), true);
  if (!port.ok()) return port.status();
  port->setup_retries_ = 0;  // nobody had its queues before; who waits here is not to wait long
  absl::Status started = port->Start(profile, one_mempool, mempool_, guard);
  if (started.ok() && port->ends_.size() != ends_.size())
    started = absl::FailedPreconditionError("it has another number of queues than before");
  if (!started.ok()) {
    port->Close();
    if (port->own_program_ != 0) own_program_ = port->own_program_;
    return started;
  }
  port->past_ = past_;
  *this = *std::move(port);
  return absl::OkStatus();
}

}  // namespace twinpath
