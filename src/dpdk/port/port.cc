// SPDX-License-Identifier: BSD-3-Clause
// Opens, starts and describes a logical port. Control thread.

#include "src/dpdk/port/port.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"
#include "src/kernel/link/link_setup.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

absl::Status Named(const std::string& port, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("port ", port, ": ", status.message()));
}

// Whether an interface exists and has no XDP program.
bool FreeOfXdp(uint32_t interface) {
  auto xdp = ReadXdp(interface);
  return xdp.ok() && xdp->program == 0;
}

// The AF_XDP PMD reports only that it failed. If the interface's driver is the reason, returns an
// error that says so. `interface` 0: another PMD.
absl::Status Explained(const absl::Status& status, uint32_t interface) {
  const int error = interface == 0 ? 0 : TryNativeXdp(interface);
  for (const int else_why : {0, EBUSY, ENODEV, EPERM})
    if (error == else_why) return status;
  const std::string name = NameOfLink(interface);
  return absl::FailedPreconditionError(
      NeedsNativeXdp(name, NativeXdpRefusal(EthtoolDriver(name), error)));
}

// The elements of `after` that are not in `before`; both lists are sorted.
std::vector<int> Added(const std::vector<int>& before, const std::vector<int>& after) {
  std::vector<int> added;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(added));
  return added;
}

}  // namespace

absl::StatusOr<Port> Port::Open(const std::string& name, Device device, bool late) {
  Port port(name, std::move(device));
  port.index_ = IndexOfLink(port.device_.interface);
  if (port.device_.kind == Device::Kind::kPci) {
    auto ethdev = late ? Ethdev::Probe(port.device_.pci) : Ethdev::Find(port.device_.pci);
    if (!ethdev.ok()) return Named(name, ethdev.status());
    port.ethdevs_.push_back(*std::move(ethdev));
  }
  const bool af_packet =
      port.device_.kind == Device::Kind::kVdev && !port.device_.interface.empty();
  const std::vector<int> before = af_packet ? PacketSockets() : std::vector<int>();
  for (const Vdev& vdev : port.device_.vdevs) {
    auto ethdev = Ethdev::Plug(vdev);
    if (!ethdev.ok()) return Named(name, ethdev.status());
    port.ethdevs_.push_back(*std::move(ethdev));
  }
  if (af_packet) port.packet_sockets_ = Added(before, PacketSockets());
  port.driver_ = port.ethdevs_.front().driver();
  return port;
}

absl::Status Port::Start(const Profile& profile, bool one_mempool, rte_mempool* mempool,
                         InterfaceGuard* guard) {
  const bool af_xdp = device_.kind == Device::Kind::kAfXdp;
  const bool by_software = BySoftware(profile);
  mempool_ = mempool;
  dropped_before_ = ReadLink(index_).value_or(twinpath::Link()).tx_dropped;
  EthdevConfig config = {
      .queues = static_cast<uint16_t>(device_.vdev_a_queue || by_software ? 1 : profile.queues),
      .rx_descriptors = static_cast<uint16_t>(profile.rx_descriptors),
      .tx_descriptors = static_cast<uint16_t>(profile.tx_descriptors),
      .mtu = af_xdp ? device_.mtu : profile.mtu,
      .promiscuous = profile.promiscuous,
      .rss = profile.rss,
      .one_mempool = one_mempool,
      .mempool = mempool,
      .interrupts = profile.idle == Idle::kAdaptive,
      .setup_retries = af_xdp ? setup_retries_ : 0};
  absl::Status started = ReceiveAll(profile, &config);
  if (started.ok()) started = StartEthdevs(config, guard);
  if (!started.ok()) return Named(name_, started);
  if (af_xdp) ReadSocketMode();
  if (by_software) {
    absl::Status spread = SpreadBySoftware(profile, mempool);
    if (!spread.ok()) return Named(name_, spread);
  }
  LimitFrames();
  opened_ = ReadSetup(index_).value_or(LinkSetup());
  for (const std::string& what : rss().cannot)
    rss_warnings_.push_back(absl::StrCat("port ", name_, ": RSS: ", what));
  return absl::OkStatus();
}

// Some PMDs set the promiscuous flag of a kernel interface, and the flag outlives a killed process.
// For these, holds the interface promiscuous in another way, and keeps the PMD from clearing a flag
// that the user has set.
absl::Status Port::ReceiveAll(const Profile& profile, EthdevConfig* config) {
  const auto filter = FindLink(device_.mac_filter);
  if (!filter.has_value()) return absl::OkStatus();
  config->promiscuous = false;
  config->promiscuous_already = filter->flags & IFF_PROMISC;
  if (!profile.promiscuous) return absl::OkStatus();
  auto held = Promiscuous::Hold(filter->index);
  if (!held.ok()) return held.status();
  promiscuous_ = *std::move(held);
  return absl::OkStatus();
}

absl::Status Port::StartEthdevs(const EthdevConfig& config, InterfaceGuard* guard) {
  const bool af_xdp = device_.kind == Device::Kind::kAfXdp;
  const uint32_t xdp_on = OnAfXdp(device_) ? IndexOfLink(device_.mac_filter) : 0;
  const bool guarded = af_xdp || FreeOfXdp(xdp_on);
  for (Ethdev& ethdev : ethdevs_) {
    const std::vector<int> before = af_xdp ? XskSockets() : std::vector<int>();
    if (guarded && guard != nullptr) guard->Expect(xdp_on);
    absl::Status started = ethdev.Start(config);
    // Protect the interface even if the ethdev did not start completely.
    if (guarded) Protect(xdp_on, guard);
    if (af_xdp) xsk_sockets_.push_back(Added(before, XskSockets()));
    if (!started.ok()) return Explained(started, xdp_on);
    for (uint16_t q = 0; q < config.queues; q++)
      ends_.push_back(
          {.ethdev = ethdev.port(), .queue = q, .longest_chain = ethdev.longest_chain()});
  }
  return absl::OkStatus();
}

// Lets the workers compare frames with the MTU of the interface that sends them: the kernel drops
// longer ones after the PMD has counted them as sent, or sends them nevertheless.
void Port::LimitFrames() {
  sends_by_ = index_ != 0 ? index_ : IndexOfLink(device_.sends_by);
  if (device_.sends_by.empty() || sends_by_ == 0) return;
  limits_ = std::make_unique<FrameLimits>();
  UpdateMtu();
  for (QueueEnd& end : ends_) end.limits = limits_.get();
}

void Port::UpdateMtu() {
  if (limits_ == nullptr || ethdevs_.empty()) return;
  const auto link = ReadLink(sends_by_);
  if (!link.has_value()) return;
  mtu_ = link->mtu;
  const uint32_t tagged = LongestFrame(mtu_);
  const uint32_t untagged = device_.packet_socket ? tagged - kVlanTag : tagged;
  limits_->untagged.store(std::min(untagged, device_.longest_sent), std::memory_order_relaxed);
  limits_->tagged.store(std::min(tagged, device_.longest_sent), std::memory_order_relaxed);
}

bool Port::BySoftware(const Profile& profile) const {
  if (profile.queues < 2 || profile.rss.spread == RssSpread::kDevice) return false;
  if (profile.rss.spread == RssSpread::kSoftware) return true;
  const rte_eth_dev_info about = ethdevs_.front().info();
  const size_t there =
      device_.vdev_a_queue ? ethdevs_.size() : std::min(about.max_rx_queues, about.max_tx_queues);
  // A NIC without RSS uses only one queue. Other devices spread frames in other ways.
  const bool blind = device_.kind == Device::Kind::kPci && !HashesAny(profile.rss, about);
  return there < profile.queues || blind;
}

// Puts rings between the device's single queue and the profile's queues.
absl::Status Port::SpreadBySoftware(const Profile& profile, rte_mempool* mempool) {
  auto spread = SoftwareRss::Create(
      {.queues = profile.queues, .burst = profile.burst, .rss = profile.rss, .mempool = mempool},
      ethdevs_.front());
  if (!spread.ok()) return spread.status();
  software_rss_ = *std::move(spread);
  ends_.clear();
  for (uint32_t q = 0; q < profile.queues; q++) ends_.push_back(software_rss_->end(q));
  return absl::OkStatus();
}

const RssState& Port::rss() const {
  return software_rss_ ? software_rss_->rss() : ethdevs_.front().rss();
}

// Records the program that libxdp attached to `interface`, here and in the guard, which outlives
// this process.
void Port::Protect(uint32_t interface, InterfaceGuard* guard) {
  auto xdp = ReadXdp(interface);
  if (!xdp.ok() || xdp->program == 0) return;
  if (interface == index_) own_program_ = xdp->program;
  if (guard != nullptr) guard->Protect(interface, xdp->program);
}

uint32_t Port::TakesFrom() const {
  if (!OnAfXdp(device_)) return 0;
  return index_ != 0 ? index_ : IndexOfLink(device_.mac_filter);
}

std::vector<int> Port::sockets(uint32_t queue) const {
  if (software_rss_ || xsk_sockets_.empty()) return {};
  return xsk_sockets_[xsk_sockets_.size() == 1 ? 0 : queue];
}

// Reads the mode that the kernel chose, from the sockets that Start added.
void Port::ReadSocketMode() {
  const bool zero_copy =
      std::all_of(xsk_sockets_.begin(), xsk_sockets_.end(), [](const std::vector<int>& sockets) {
        return !sockets.empty() && std::all_of(sockets.begin(), sockets.end(), XskIsZeroCopy);
      });
  device_.mode = zero_copy ? "zero-copy" : "copy";
  absl::StrAppend(&device_.why, zero_copy ? " has zero-copy" : " has no zero-copy");
  auto xdp = ReadXdp(index_);
  if (xdp.ok() && xdp->program != 0) absl::StrAppend(&device_.why, ", XDP ", xdp->mode);
}

PortSnapshot Port::Describe() const {
  PortSnapshot port;
  port.name = name_;
  port.device = device_.given;
  port.driver = driver_;
  port.mode = device_.mode;
  port.why = device_.why;
  port.link = Link();
  port.queues = static_cast<uint32_t>(ends_.size());
  const DeviceCounts counts = CountsNow();
  port.extra = {{"device_rx_missed_packets", counts.missed},
                {"device_rx_error_packets", counts.errors},
                {"device_rx_no_mbuf_packets", counts.no_mbuf},
                {"device_tx_error_packets", counts.send_errors}};
  if (device_.kind == Device::Kind::kAfXdp) {
    port.extra.insert(port.extra.end(),
                      {{"xsk_rx_dropped_packets", counts.xsk.rx_dropped},
                       {"xsk_rx_ring_full_packets", counts.xsk.rx_ring_full},
                       {"xsk_rx_fill_ring_empty_packets", counts.xsk.rx_fill_ring_empty},
                       {"xsk_tx_invalid_packets", counts.xsk.tx_invalid},
                       {"interface_tx_dropped_packets", counts.interface_dropped},
                       {"gone_tx_packets", counts.unsent},
                       {"gone_rx_packets", counts.unread}});
  }
  port.rss = DescribeRss();
  if (software_rss_ || counts.spread_full != 0)
    port.extra.emplace_back("spread_full_packets", counts.spread_full);
  return port;
}

RssSnapshot Port::DescribeRss() const {
  RssSnapshot snapshot;
  const RssState& state = rss();
  const bool kernel = device_.kind == Device::Kind::kAfXdp;
  if (ethdevs_.empty()) return snapshot;
  snapshot.by = software_rss_      ? "software"
                : ends_.size() < 2 ? "none"
                : kernel           ? "kernel"
                                   : "device";
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
  return absl::StrCat(
      "port ", name_, ": ", device_.given, " on ", driver_, ", ", device_.mode, " (", device_.why,
      "), ", queues,
      ends_.size() < 2 ? ""
                       : absl::StrCat(", spread by ", DescribeRss().by, ": ", DescribeRss().fields),
      device_.completes ? ", completes checksums" : "");
}

}  // namespace twinpath
