// SPDX-License-Identifier: BSD-3-Clause
// Opens, starts and describes a logical port. Control thread.

#include "src/dpdk/port.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/dpdk/xdp_state.h"
#include "src/dpdk/xsk_sockets.h"

namespace twinpath {
namespace {

absl::Status Named(const std::string& port, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("port ", port, ": ", status.message()));
}

// What is in `after` only; both are sorted.
std::vector<int> Added(const std::vector<int>& before, const std::vector<int>& after) {
  std::vector<int> added;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(added));
  return added;
}

}  // namespace

absl::StatusOr<Port> Port::Open(const std::string& name, Device device) {
  Port port(name, std::move(device));
  if (port.device_.kind == Device::Kind::kPci) {
    auto ethdev = Ethdev::Find(port.device_.pci);
    if (!ethdev.ok()) return Named(name, ethdev.status());
    port.ethdevs_.push_back(*std::move(ethdev));
  }
  for (const Vdev& vdev : port.device_.vdevs) {
    auto ethdev = Ethdev::Plug(vdev);
    if (!ethdev.ok()) return Named(name, ethdev.status());
    port.ethdevs_.push_back(*std::move(ethdev));
  }
  return port;
}

absl::Status Port::Start(const Profile& profile, bool one_mempool, rte_mempool* mempool,
                         InterfaceGuard* guard) {
  const bool af_xdp = device_.kind == Device::Kind::kAfXdp;
  const bool by_software = BySoftware(profile);
  EthdevConfig config = {
      .queues = static_cast<uint16_t>(device_.vdev_a_queue || by_software ? 1 : profile.queues),
      .rx_descriptors = static_cast<uint16_t>(profile.rx_descriptors),
      .tx_descriptors = static_cast<uint16_t>(profile.tx_descriptors),
      .mtu = af_xdp ? device_.mtu : profile.mtu,
      .promiscuous = profile.promiscuous && !device_.promiscuous_already,
      .rss = profile.rss,
      .one_mempool = one_mempool,
      .mempool = mempool,
      .interrupts = profile.idle == Idle::kAdaptive,
      .setup_retries = af_xdp ? 8 : 0};
  for (Ethdev& ethdev : ethdevs_) {
    const std::vector<int> before = af_xdp ? XskSockets() : std::vector<int>();
    if (af_xdp && guard != nullptr) guard->Expect(device_.interface, config.promiscuous);
    absl::Status started = ethdev.Start(config);
    if (af_xdp && guard != nullptr) Protect(profile, guard);  // even where it did not start whole
    if (!started.ok()) return Named(name_, started);
    if (af_xdp) xsk_sockets_.push_back(Added(before, XskSockets()));
    for (uint16_t q = 0; q < config.queues; q++)
      ends_.push_back({.port = ethdev.port(), .queue = q, .chains = ethdev.chains()});
  }
  if (af_xdp) ReadSocketMode();
  if (by_software) {
    absl::Status spread = SpreadBySoftware(profile, mempool);
    if (!spread.ok()) return Named(name_, spread);
  }
  for (const std::string& what : rss().cannot)
    rss_warnings_.push_back(absl::StrCat("port ", name_, ": RSS: ", what));
  return absl::OkStatus();
}

bool Port::BySoftware(const Profile& profile) const {
  if (profile.queues < 2 || profile.rss.spread == RssSpread::kDevice) return false;
  if (profile.rss.spread == RssSpread::kSoftware) return true;
  const rte_eth_dev_info about = ethdevs_.front().info();
  const size_t there =
      device_.vdev_a_queue ? ethdevs_.size() : std::min(about.max_rx_queues, about.max_tx_queues);
  // Queues that nothing spreads over are one queue. Of other devices than NICs something else does.
  const bool blind = device_.kind == Device::Kind::kPci && !HashesAny(profile.rss, about);
  return there < profile.queues || blind;
}

// Puts rings between the device's one queue and the profile's.
absl::Status Port::SpreadBySoftware(const Profile& profile, rte_mempool* mempool) {
  auto spread = Spread::Create(
      {.queues = profile.queues, .burst = profile.burst, .rss = profile.rss, .mempool = mempool},
      ethdevs_.front());
  if (!spread.ok()) return spread.status();
  spread_ = *std::move(spread);
  ends_.clear();
  for (uint32_t q = 0; q < profile.queues; q++) ends_.push_back(spread_->end(q));
  return absl::OkStatus();
}

const RssState& Port::rss() const { return spread_ ? spread_->rss() : ethdevs_.front().rss(); }

void Port::Protect(const Profile& profile, InterfaceGuard* guard) {
  auto xdp = ReadXdp(device_.interface);
  if (xdp.ok() && xdp->program != 0) {
    guard->Protect(device_.interface, xdp->program,
                   profile.promiscuous && !device_.promiscuous_already);
  }
}

std::vector<int> Port::sockets(uint32_t queue) const {
  if (spread_ || xsk_sockets_.empty()) return {};
  return xsk_sockets_[xsk_sockets_.size() == 1 ? 0 : queue];
}

// Learns from the sockets that Start added which way the kernel took.
void Port::ReadSocketMode() {
  const bool zero_copy =
      std::all_of(xsk_sockets_.begin(), xsk_sockets_.end(), [](const std::vector<int>& sockets) {
        return !sockets.empty() && std::all_of(sockets.begin(), sockets.end(), XskIsZeroCopy);
      });
  device_.mode = zero_copy ? "zero-copy" : "copy";
  absl::StrAppend(&device_.why, zero_copy ? " has zero-copy" : " has no zero-copy");
  auto xdp = ReadXdp(device_.interface);
  if (xdp.ok() && xdp->program != 0) absl::StrAppend(&device_.why, ", XDP ", xdp->mode);
}

bool Port::link_up() const {
  return std::all_of(ethdevs_.begin(), ethdevs_.end(), [](const Ethdev& ethdev) {
    rte_eth_link link = {};
    return rte_eth_link_get_nowait(ethdev.port(), &link) == 0 &&
           link.link_status == RTE_ETH_LINK_UP;
  });
}

PortSnapshot Port::Describe() const {
  PortSnapshot port;
  port.name = name_;
  port.device = device_.given;
  port.driver = ethdevs_.front().driver();
  port.mode = device_.mode;
  port.why = device_.why;
  port.queues = static_cast<uint32_t>(ends_.size());
  uint64_t missed = 0, errors = 0, no_mbuf = 0, send_errors = 0;
  for (const Ethdev& ethdev : ethdevs_) {
    rte_eth_stats stats = {};
    if (rte_eth_stats_get(ethdev.port(), &stats) != 0) continue;
    missed += stats.imissed;
    errors += stats.ierrors;
    no_mbuf += stats.rx_nombuf;
    send_errors += stats.oerrors;
  }
  port.extra = {{"device_rx_missed_packets", missed},
                {"device_rx_error_packets", errors},
                {"device_rx_no_mbuf_packets", no_mbuf},
                {"device_tx_error_packets", send_errors}};
  if (device_.kind == Device::Kind::kAfXdp) {
    XskDrops sum;
    for (const std::vector<int>& sockets : xsk_sockets_) {
      for (int fd : sockets) {
        XskDrops drops = ReadXskDrops(fd);
        sum.rx_dropped += drops.rx_dropped;
        sum.rx_ring_full += drops.rx_ring_full;
        sum.rx_fill_ring_empty += drops.rx_fill_ring_empty;
        sum.tx_invalid += drops.tx_invalid;
      }
    }
    port.extra.insert(port.extra.end(), {{"xsk_rx_dropped_packets", sum.rx_dropped},
                                         {"xsk_rx_ring_full_packets", sum.rx_ring_full},
                                         {"xsk_rx_fill_ring_empty_packets", sum.rx_fill_ring_empty},
                                         {"xsk_tx_invalid_packets", sum.tx_invalid}});
  }
  port.rss = DescribeRss();
  if (spread_) port.extra.emplace_back("spread_full_packets", spread_->full_packets());
  return port;
}

RssSnapshot Port::DescribeRss() const {
  RssSnapshot snapshot;
  const RssState& state = rss();
  const bool kernel = device_.kind == Device::Kind::kAfXdp;
  snapshot.by = spread_ ? "software" : ends_.size() < 2 ? "none" : kernel ? "kernel" : "device";
  snapshot.fields = snapshot.by == "kernel" ? "the interface's own" : RssFieldWords(state.fields);
  snapshot.key = IsSymmetricRssKey(state.key)
                     ? "symmetric"
                     : absl::BytesToHexString(absl::string_view(
                           reinterpret_cast<const char*>(state.key.data()), state.key.size()));
  snapshot.reta = RetaWords(state.reta);
  return snapshot;
}

std::string Port::Summary() const {
  const std::string queues = absl::StrCat(ends_.size(), ends_.size() == 1 ? " queue" : " queues");
  return absl::StrCat("port ", name_, ": ", device_.given, " on ", ethdevs_.front().driver(), ", ",
                      device_.mode, " (", device_.why, "), ", queues, ", spread by ",
                      DescribeRss().by, ", ", DescribeRss().fields);
}

}  // namespace twinpath
