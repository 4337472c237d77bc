// SPDX-License-Identifier: BSD-3-Clause
// Chooses a stand-in for each device, and starts the datapath. Control thread.

#include "src/dpdk/replay/dry_run.h"

#include <rte_devargs.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/dpdk/dpdk_path.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

bool IsVdev(const std::string& device) {
  static const std::regex vdev("[a-z]+_[a-z0-9_]+(,.*)?");
  return std::regex_match(device, vdev);
}

Vdev Parts(const std::string& device) {
  const size_t comma = device.find(',');
  return {device.substr(0, comma), comma == std::string::npos ? "" : device.substr(comma + 1)};
}

// Whether all captures are regular files. A trial start would consume the content of a pipe.
bool ReadsFiles(const std::string& arguments) {
  static const std::regex capture("rx_pcap=([^,]+)");
  for (std::sregex_iterator at(arguments.begin(), arguments.end(), capture), end; at != end; ++at) {
    std::error_code error;
    if (!std::filesystem::is_regular_file((*at)[1].str(), error)) return false;
  }
  return true;
}

class StandIns {
 public:
  StandIns(bool own_network, DryRun* dry_run) : own_network_(own_network), dry_run_(dry_run) {}

  std::string For(const std::string& device) {
    // The kernel's names come first, because an interface may have the name of a vdev.
    if (IndexOfLink(device) != 0 || !IsVdev(device)) return StandIn();
    const Vdev vdev = Parts(device);
    const std::string driver = VdevDriver(vdev.name);
    const auto has = [&](const char* key) { return absl::StrContains(vdev.arguments, key); };
    if (driver == "net_null" || driver == "net_ring") return device;
    if (driver == "net_pcap" && !has("iface=") && !has("iface_in=") && ReadsFiles(vdev.arguments)) {
      static const std::regex written("tx_pcap=[^,]*");
      return std::regex_replace(device, written, "tx_pcap=/dev/null");
    }
    if (own_network_ && driver == "net_tap" && !has("remote=")) return device;
    if (own_network_ && driver == "net_virtio_user" && has("path=/dev/vhost-net") &&
        !has("server="))
      return device;
    // The process's own namespace has only the loopback interface.
    static const std::regex on("iface=[^,]*");
    if (own_network_ && driver == "net_af_packet")
      return std::regex_replace(device, on, "iface=lo");
    if (driver == "net_af_xdp")
      dry_run_->probed.push_back(vdev);
    else
      dry_run_->unstarted.push_back(vdev);
    return StandIn();
  }

 private:
  // A net_null device with a number that no user gives.
  std::string StandIn() { return absl::StrCat("net_null", 90000 + stand_ins_++); }

  bool own_network_;
  DryRun* dry_run_;
  int stand_ins_ = 0;
};

// Checks that DPDK has a driver for the vdev.
absl::Status FindDriver(const Vdev& vdev) {
  rte_devargs found = {};
  const int code = rte_devargs_parsef(&found, "%s", vdev.name.c_str());
  std::free(found.data);  // rte_devargs_reset is not part of the stable ABI
  return code == 0 ? absl::OkStatus()
                   : absl::FailedPreconditionError(absl::StrCat(
                         "vdev ", vdev.name, " does not start: DPDK has no driver of this name"));
}

}  // namespace

DryRun PlanDryRun(const Profile& profile, bool own_network) {
  DryRun dry_run = {.profile = profile};
  StandIns stand_ins(own_network, &dry_run);
  for (PortSpec& port : dry_run.profile.ports) port.device = stand_ins.For(port.device);
  std::vector<std::string>& eal = dry_run.profile.eal;
  for (size_t i = 0; i < eal.size(); i++) {
    if (absl::StartsWith(eal[i], "--vdev="))
      eal[i] = absl::StrCat("--vdev=", stand_ins.For(eal[i].substr(7)));
    else if (eal[i] == "--vdev" && i + 1 < eal.size())
      eal[i + 1] = stand_ins.For(eal[i + 1]);
  }
  eal.emplace_back("--no-pci");  // overrides any other argument about NICs
  dry_run.profile.exception = ExceptionPath::kNone;
  dry_run.profile.telemetry = false;
  return dry_run;
}

absl::Status RunDryRun(const DryRun& dry_run, const Policy& policy, CompiledPolicy compiled,
                       int network) {
  auto datapath = DpdkPath::Create(policy, std::move(compiled), dry_run.profile, {}, {}, nullptr);
  if (!datapath.ok()) return datapath.status();
  for (const Vdev& vdev : dry_run.unstarted)
    if (absl::Status there = FindDriver(vdev); !there.ok()) return there;
  if (dry_run.probed.empty()) return absl::OkStatus();
  if (network >= 0 && setns(network, CLONE_NEWNET) != 0)
    return absl::ErrnoToStatus(errno, "setns() of the network namespace");
  const StderrCapture capture;
  for (const Vdev& vdev : dry_run.probed)
    if (auto ethdev = Ethdev::Plug(vdev); !ethdev.ok()) return ethdev.status();
  return absl::OkStatus();
}

}  // namespace twinpath
