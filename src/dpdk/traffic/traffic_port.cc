// SPDX-License-Identifier: BSD-3-Clause
// Starts EAL and the port as twinpath-dpdk does, with a policy that drops everything.

#include "src/dpdk/traffic/traffic_port.h"

#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/dpdk/eal/preflight.h"

namespace twinpath {
namespace {

constexpr char kPort[] = "port";
constexpr auto kLinkWait = std::chrono::seconds(10);

absl::StatusOr<Preflight> Check(const Profile& profile) {
  const auto policy =
      ParsePolicy(R"({"version": 1, "default": {"forward": "drop"}})", "the empty policy");
  if (!policy.ok()) return policy.status();
  const auto compiled = CompilePolicy(*policy, {kPort});
  if (!compiled.ok()) return compiled.status();
  const std::string prefix = absl::StrCat("--file-prefix=twinpath-traffic-", getpid());
  const Machine machine;
  auto plan = CheckBeforeEal(profile, *compiled, {prefix}, machine);
  if (plan.ok() || !absl::IsFailedPrecondition(plan.status())) return plan;
  // Only a NIC needs memory that it can reach by its address.
  auto without = CheckBeforeEal(profile, *compiled, {prefix, "--no-huge"}, machine);
  if (!without.ok() || without->devices.front().kind == Device::Kind::kPci) return plan;
  return without;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrafficPort>> TrafficPort::Open(const std::string& device,
                                                               uint32_t longest,
                                                               InterfaceGuard* guard) {
  std::unique_ptr<TrafficPort> port(new TrafficPort);
  if (absl::Status done = port->SetUp(device, longest, guard); !done.ok()) return done;
  return port;
}

absl::Status TrafficPort::SetUp(const std::string& device, uint32_t longest,
                                InterfaceGuard* guard) {
  Profile profile;
  profile.ports = {{.name = kPort, .device = device}};
  profile.exception = ExceptionPath::kNone;
  profile.telemetry = false;
  profile.mtu = std::max(1500U, longest - std::min(longest, 14U));
  auto plan = Check(profile);
  if (!plan.ok()) return plan.status();
  capture_.emplace();
  auto instance = FilePrefixLock::Create(plan->eal.file_prefix);
  if (!instance.ok()) return instance.status();
  auto eal = Eal::Create(plan->eal, *std::move(instance));
  if (!eal.ok()) return eal.status();
  eal_ = std::make_unique<Eal>(*std::move(eal));
  auto port = Port::Open(kPort, plan->devices.front());
  if (!port.ok()) return port.status();
  port_.emplace(*std::move(port));
  auto mempool = Mempool::Create("twinpath-traffic", plan->mempool, port_->node());
  if (!mempool.ok()) return mempool.status();
  mempool_.emplace(*std::move(mempool));
  const uint32_t room = rte_pktmbuf_data_room_size(mempool_->get()) - RTE_PKTMBUF_HEADROOM;
  if (longest > room)
    return absl::InvalidArgumentError(absl::StrCat("frames of ", longest,
                                                   " bytes: DPDK sends up to ", room,
                                                   " bytes in one piece out of ", device));
  absl::Status started = port_->Start(profile, true, mempool_->get(), guard);
  if (started.ok()) started = WaitForLink();
  capture_.reset();
  return started;
}

absl::Status TrafficPort::WaitForLink() const {
  const auto end = std::chrono::steady_clock::now() + kLinkWait;
  for (;;) {
    rte_eth_link link = {};
    if (rte_eth_link_get_nowait(this->end().ethdev, &link) != 0 || link.link_status)
      return absl::OkStatus();
    if (std::chrono::steady_clock::now() >= end)
      return absl::FailedPreconditionError(
          absl::StrCat(port_->device().given, " has no link after 10 s: is its other end up?"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

TrafficPort::~TrafficPort() {
  if (eal_ == nullptr) return;
  if (!capture_.has_value()) capture_.emplace();
  port_.reset();
  if (mempool_.has_value() && eal_->private_memory()) mempool_->Leave();
  mempool_.reset();
  eal_.reset();
}

std::string TrafficPort::about() const {
  const PortSnapshot port = port_->Describe();
  return absl::StrCat("DPDK's ", port.driver, ", ", port.mode);
}

}  // namespace twinpath
