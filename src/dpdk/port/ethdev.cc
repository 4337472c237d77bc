// SPDX-License-Identifier: BSD-3-Clause
// Probes, configures, starts and closes an ethdev. Control thread.

#include "src/dpdk/port/ethdev.h"

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/stderr_capture.h"

namespace twinpath {
namespace {

constexpr char kVdevBus[] = "vdev";
constexpr char kPciBus[] = "pci";

// QueueEnd::longest_chain of a PMD. `announced`: the PMD announces that it sends frames of several
// segments. net_pcap and net_null do not announce it but can; net_pcap cuts frames that are longer
// than RTE_ETH_PCAP_SNAPLEN. The AF_XDP PMD does not announce it, and sends garbage for all
// segments but the first.
uint32_t LongestChain(absl::string_view driver, bool announced) {
  if (driver == "net_pcap") return RTE_ETHER_MAX_JUMBO_FRAME_LEN;
  return announced || driver == "net_null" ? kAnyLength : 0;
}

}  // namespace

absl::StatusOr<Ethdev> Ethdev::Plug(const Vdev& vdev) {
  int code = rte_eal_hotplug_add(kVdevBus, vdev.name.c_str(), vdev.arguments.c_str());
  if (code != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("vdev ", vdev.name, vdev.arguments.empty() ? "" : ",", vdev.arguments,
                     " does not start: ", rte_strerror(-code), StderrCapture::LastLine()));
  }
  return Adopt(vdev.name);
}

absl::StatusOr<Ethdev> Ethdev::Adopt(const std::string& vdev) {
  uint16_t port = kNone;
  if (rte_eth_dev_get_port_by_name(vdev.c_str(), &port) == 0) return Ethdev(port, kVdevBus, vdev);
  rte_eal_hotplug_remove(kVdevBus, vdev.c_str());
  return absl::FailedPreconditionError(
      absl::StrCat("vdev ", vdev, " is not a network device", StderrCapture::LastLine()));
}

absl::StatusOr<Ethdev> Ethdev::Find(const std::string& pci) { return OnPci(pci, nullptr); }

absl::StatusOr<Ethdev> Ethdev::Probe(const std::string& pci) {
  int code = rte_eal_hotplug_add(kPciBus, pci.c_str(), "");
  if (code != 0)
    return absl::FailedPreconditionError(
        absl::StrCat("no PMD drives ", pci, ": ", rte_strerror(-code), StderrCapture::LastLine()));
  auto ethdev = OnPci(pci, kPciBus);
  if (!ethdev.ok()) rte_eal_hotplug_remove(kPciBus, pci.c_str());
  return ethdev;
}

absl::StatusOr<Ethdev> Ethdev::OnPci(const std::string& pci, const char* bus) {
  uint16_t port = kNone;
  if (rte_eth_dev_get_port_by_name(pci.c_str(), &port) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat("no PMD drives ", pci, StderrCapture::LastLine(),
                     "; `dpdk-devbind.py --status` shows its driver"));
  Ethdev ethdev(port, bus, pci);
  ethdev.removal_ = std::make_unique<RemovalNotice>(pci);
  return ethdev;
}

Ethdev::~Ethdev() {
  if (port_ == kNone) return;
  if (promiscuous_) rte_eth_promiscuous_disable(port_);
  rte_eth_dev_stop(port_);
  rte_eth_dev_close(port_);
  const char* bus = AskedBack() ? kPciBus : bus_;
  removal_.reset();
  if (bus != nullptr) rte_eal_hotplug_remove(bus, name_.c_str());
}

absl::Status Ethdev::Error(const char* call, int code) const {
  char name[RTE_ETH_NAME_MAX_LEN] = "?";
  rte_eth_dev_get_name_by_port(port_, name);
  return absl::FailedPreconditionError(
      absl::StrCat(call, " of ", name, ": ", rte_strerror(-code), StderrCapture::LastLine()));
}

rte_eth_dev_info Ethdev::info() const {
  rte_eth_dev_info info = {};
  if (rte_eth_dev_info_get(port_, &info) != 0) info = {};
  return info;
}

std::string Ethdev::driver() const {
  rte_eth_dev_info about = info();
  return about.driver_name != nullptr ? about.driver_name : "unknown";
}

std::string Ethdev::mac() const {
  rte_ether_addr address = {};
  rte_eth_macaddr_get(port_, &address);
  char text[RTE_ETHER_ADDR_FMT_SIZE];
  rte_ether_format_addr(text, sizeof(text), &address);
  return text;
}

int Ethdev::node() const { return std::max(0, rte_eth_dev_socket_id(port_)); }

absl::Status Ethdev::Start(const EthdevConfig& config) {
  rte_eth_dev_info about = info();
  const uint16_t most = std::min(about.max_rx_queues, about.max_tx_queues);
  if (config.queues > most) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the device has ", most, " queue", most == 1 ? "" : "s", ", fewer than the ", config.queues,
        " asked for; use --queues ", most,
        ", or let software spread frames (the profile's rss: {\"spread\": \"auto\"})"));
  }
  rte_eth_conf conf = {};
  if (config.mtu <= about.max_mtu && config.mtu >= about.min_mtu) conf.rxmode.mtu = config.mtu;
  std::vector<uint8_t> key;
  auto rss = AskRss(config.rss, about, config.queues, &key, &conf);
  if (!rss.ok()) return rss.status();
  rss_ = *std::move(rss);
  const bool told = about.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  longest_chain_ = LongestChain(about.driver_name, told);
  if (told) conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if (config.one_mempool)
    conf.txmode.offloads |= about.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  conf.intr_conf.rxq = config.interrupts;
  int code = rte_eth_dev_configure(port_, config.queues, config.queues, &conf);
  if (code != 0) return Error("rte_eth_dev_configure", code);
  absl::Status queues = SetUpQueues(config, about);
  if (!queues.ok()) return queues;
  // rte_eth_dev_start restores the promiscuous mode that ethdev has recorded: off by default.
  if (config.promiscuous_already) rte_eth_promiscuous_enable(port_);
  code = rte_eth_dev_start(port_);
  if (code != 0) return Error("rte_eth_dev_start", code);
  SettleRss(port_, config.rss, about, config.queues, &rss_);
  // A vdev without promiscuous mode refuses the call, but delivers every frame anyway.
  promiscuous_ = config.promiscuous && rte_eth_promiscuous_enable(port_) == 0;
  return absl::OkStatus();
}

absl::Status Ethdev::SetUpQueues(const EthdevConfig& config, rte_eth_dev_info& about) {
  uint16_t rx = config.rx_descriptors, tx = config.tx_descriptors;
  int code = rte_eth_dev_adjust_nb_rx_tx_desc(port_, &rx, &tx);
  if (code != 0) return Error("rte_eth_dev_adjust_nb_rx_tx_desc", code);
  const auto node = static_cast<unsigned>(rte_eth_dev_socket_id(port_));
  for (uint16_t q = 0; q < config.queues; q++) {
    int tries = config.setup_retries;
    auto pause = std::chrono::milliseconds(10);
    while ((code = rte_eth_rx_queue_setup(port_, q, rx, node, nullptr, config.mempool)) != 0) {
      if (tries-- == 0) return Error("rte_eth_rx_queue_setup", code);
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(400));
    }
    rte_eth_txconf tx_conf = about.default_txconf;
    code = rte_eth_tx_queue_setup(port_, q, tx, node, &tx_conf);
    if (code != 0) return Error("rte_eth_tx_queue_setup", code);
  }
  return absl::OkStatus();
}

}  // namespace twinpath
