// SPDX-License-Identifier: BSD-3-Clause
// The parts of a Port that handle a device that disappears and comes back: the link, the device's
// counts, closing and reopening. Control thread. Other threads may call Link and CountsNow under
// the lock that excludes Close and Reopen.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/quirks/xsk_frames.h"
#include "src/kernel/link/link.h"
#include "src/kernel/link/link_setup.h"
#include "src/telemetry/setup_faults.h"

namespace twinpath {
namespace {

bool IsUp(const Ethdev& ethdev) {
  rte_eth_link link = {};
  return rte_eth_link_get_nowait(ethdev.port(), &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

// The inode of an open descriptor; 0 if it is not open.
ino_t InodeOf(int fd) {
  struct stat about = {};
  return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

}  // namespace

std::string Port::Link() const {
  if (ethdevs_.empty()) return kLinkGone;
  // The AF_XDP and AF_PACKET PMDs report every link as up.
  if (!std::all_of(packet_sockets_.begin(), packet_sockets_.end(), PacketSocketBound))
    return kLinkGone;
  for (const std::vector<int>& sockets : xsk_sockets_)
    if (!std::all_of(sockets.begin(), sockets.end(), XskBound)) return kLinkGone;
  if (index_ != 0) return LinkState(index_);
  if (std::any_of(ethdevs_.begin(), ethdevs_.end(), std::mem_fn(&Ethdev::AskedBack)))
    return kLinkGone;
  return std::all_of(ethdevs_.begin(), ethdevs_.end(), IsUp) ? kLinkUp : kLinkDown;
}

void Port::SetSetupFaults(FaultLedger* ledger, FaultLedger::Clock::time_point now) const {
  const auto found = ethdevs_.empty() ? std::nullopt : ReadSetup(index_);
  if (!found.has_value()) return;
  LinkUse use;
  if (device_.kind == Device::Kind::kAfXdp) use.unserved = "go to the kernel, without the policy";
  twinpath::SetSetupFaults(absl::StrCat("port ", name_), opened_, *found, use, ledger, now);
}

bool Port::DeviceExists() {
  if (!device_.pci.empty()) return !Machine().PciDriver(device_.pci).empty();
  if (device_.kind != Device::Kind::kAfXdp) return IndexOfLink(device_.interface) != 0;
  if (NameOfLink(index_).empty()) index_ = 0;
  return index_ != 0 || IndexOfLink(device_.given) != 0;
}

uint64_t Port::NoMbuf() const {
  uint64_t sum = past_.no_mbuf;
  for (const Ethdev& ethdev : ethdevs_) {
    rte_eth_stats stats = {};
    if (rte_eth_stats_get(ethdev.port(), &stats) == 0) sum += stats.rx_nombuf;
  }
  return sum;
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
  const auto link = xsk_sockets_.empty() ? std::nullopt : ReadLink(index_);
  if (link.has_value())
    sum.interface_dropped += std::max(link->tx_dropped, dropped_before_) - dropped_before_;
  if (software_rss_) sum.spread_full += software_rss_->full_packets();
  return sum;
}

// Also closes the sockets that the AF_XDP PMD leaves open, because they keep the interface's queues
// in use. The PMD detaches any XDP program from the interface, even one of another owner; this
// function attaches such a program again.
void Port::CloseEthdevs() {
  const std::optional<XdpState> foreign = ForeignProgram();
  const FileDescriptor program = OpenXdpProgram(foreign.has_value() ? foreign->program : 0);
  std::vector<std::pair<int, ino_t>> sockets;
  for (const std::vector<int>& of_ethdev : xsk_sockets_)
    for (const int fd : of_ethdev) sockets.emplace_back(fd, InodeOf(fd));
  xsk_sockets_.clear();
  packet_sockets_.clear();
  ethdevs_.clear();
  promiscuous_ = Promiscuous();
  for (const auto& [fd, inode] : sockets)
    if (inode != 0 && InodeOf(fd) == inode) close(fd);
  if (program.get() >= 0) AttachXdp(index_, program, foreign->mode).IgnoreError();
}

void Port::Close() {
  const bool gone = Link() == kLinkGone;
  past_ = CountsNow();
  software_rss_.reset();
  std::vector<rte_mbuf*> mbufs;
  for (const std::vector<int>& sockets : xsk_sockets_) {
    for (const int fd : sockets) {
      const XskFrames frames = FramesIn(fd, mempool_);
      mbufs.insert(mbufs.end(), frames.mbufs.begin(), frames.mbufs.end());
      past_.unsent += frames.unsent;
      past_.unread += frames.unread;
    }
  }
  CloseEthdevs();
  if (gone) index_ = 0;  // another interface may have this index now
  std::sort(mbufs.begin(), mbufs.end());
  mbufs.erase(std::unique(mbufs.begin(), mbufs.end()), mbufs.end());
  rte_pktmbuf_free_bulk(mbufs.data(), static_cast<unsigned>(mbufs.size()));
}

std::optional<XdpState> Port::ForeignProgram() const {
  if (own_program_ == 0 || ethdevs_.empty()) return std::nullopt;
  const auto xdp = ReadXdp(index_);
  if (!xdp.ok() || xdp->program == own_program_) return std::nullopt;
  return *xdp;
}

absl::StatusOr<Device> Port::FindAgain(const Profile& profile) const {
  const std::string name = device_.kind == Device::Kind::kAfXdp ? NameOfLink(index_) : "";
  const std::string& device = name.empty() ? device_.given : name;
  // If the interface was in another network namespace when its device was closed, libxdp could not
  // detach its program there, and the interface comes back with the program.
  if (own_program_ != 0) DetachXdp(IndexOfLink(device), own_program_).IgnoreError();
  auto found = ResolveDevice({.name = name_, .device = device}, profile.queues, Machine());
  if (found.ok()) found->given = device_.given;
  return found;
}

absl::Status Port::Reopen(Device device, const Profile& profile, bool one_mempool,
                          InterfaceGuard* guard) {
  auto port = Open(name_, std::move(device), true);
  if (!port.ok()) return port.status();
  port->setup_retries_ = 0;  // its queues are new; the caller should not wait long
  absl::Status started = port->Start(profile, one_mempool, mempool_, guard);
  if (started.ok() && port->ends_.size() != ends_.size())
    started = absl::FailedPreconditionError("it has another number of queues than before");
  if (!started.ok()) {
    port->Close();
    if (port->own_program_ != 0) own_program_ = port->own_program_;
    return started;
  }
  port->past_ = past_;
  port->opened_.rx_queues = opened_.rx_queues;  // the log reports queues that are not served
  *this = *std::move(port);
  return absl::OkStatus();
}

}  // namespace twinpath
