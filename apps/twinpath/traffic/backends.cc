// SPDX-License-Identifier: BSD-3-Clause
// Tries the fastest backend first, and says why another one was taken.

#include "apps/twinpath/traffic/backends.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/traffic/traffic_port.h"
#include "src/kernel/link/link.h"
#include "src/traffic/receive/packet_input.h"
#include "src/traffic/send/packet_sender.h"
#include "src/xdp/traffic/live_sender.h"

namespace twinpath {
namespace {

// Below this rate a system call for each frame keeps the gaps, which live frames would send in
// pairs and more.
constexpr double kOneByOne = 100'000;  // packets a second

constexpr uint32_t kLongestReceived = 1514;  // bytes of a frame that a NIC receives

// Whether DPDK drives the port: everything that is not a kernel interface.
bool OnDpdk(const std::string& port, const std::string& backend) {
  return backend == kByDpdk || backend == kByAfXdp ||
         (backend == kByAuto && !FindLink(port).has_value());
}

absl::Status CheckDpdk(const std::string& port, const std::string& backend) {
  const bool interface = FindLink(port).has_value();
  if (backend == kByAfXdp && !interface)
    return absl::InvalidArgumentError(absl::StrCat(
        "--backend af_xdp needs a kernel interface, and there is no interface ", port));
  if (backend == kByDpdk && interface)
    return absl::InvalidArgumentError(
        absl::StrCat("--backend dpdk needs a NIC bound to DPDK or a virtual device, and ", port,
                     " is a kernel interface; allowed for it: auto, xdp, af_xdp, af_packet"));
  return absl::OkStatus();
}

absl::Status OfPort(const absl::Status& status) {
  // DPDK's ports have names; this one is called "port".
  return absl::Status(status.code(),
                      absl::StrCat("--port: ", absl::StripPrefix(status.message(), "port port: ")));
}

absl::StatusOr<Link> KernelInterface(const std::string& port) {
  const auto link = FindLink(port);
  if (!link.has_value())
    return absl::InvalidArgumentError(absl::StrCat(
        "--port: there is no interface ", port, " in this network namespace (ip link shows them)"));
  return *link;
}

absl::StatusOr<ChosenSender> ByPacketSocket(const Link& link, const FrameSource& source,
                                            const std::string& why) {
  auto sender = PacketSender::Create(link, source);
  if (!sender.ok()) return sender.status();
  return ChosenSender{kByAfPacket, absl::StrCat("AF_PACKET (", why, ")"), *std::move(sender)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<InterfaceGuard>> GuardPort(const std::string& port,
                                                          const std::string& backend, bool* ended) {
  *ended = false;
  const uint32_t index = OnDpdk(port, backend) ? AfXdpInterface(port) : 0;
  if (index == 0) return nullptr;
  auto forked = InterfaceGuard::Fork({index});
  if (!forked.ok()) return forked.status();
  auto guard = std::make_unique<InterfaceGuard>(*std::move(forked));
  if (guard->in_child()) {
    guard->Watch();
    *ended = true;
  }
  return guard;
}

absl::StatusOr<ChosenSender> ChooseSender(const std::string& port, const std::string& backend,
                                          const FrameSource& source, const Plan* plan,
                                          double packets, InterfaceGuard* guard) {
  if (OnDpdk(port, backend)) {
    if (absl::Status right = CheckDpdk(port, backend); !right.ok()) return right;
    auto opened = TrafficPort::Open(port, source.longest(), guard);
    if (!opened.ok()) return OfPort(opened.status());
    const std::string about = (*opened)->about();
    return ChosenSender{backend == kByAfXdp ? kByAfXdp : kByDpdk, about,
                        std::make_unique<DpdkSender>(*std::move(opened), source)};
  }
  const auto link = KernelInterface(port);
  if (!link.ok()) return link.status();
  if (backend == kByAfPacket) return ByPacketSocket(*link, source, "as asked");
  if (plan == nullptr) {
    if (backend == kByXdp)
      return absl::InvalidArgumentError(
          "--backend xdp sends no captures: its calls send equal frames; allowed with --pcap: "
          "af_packet, dpdk");
    return ByPacketSocket(*link, source, "the frames are a capture's");
  }
  if (backend == kByAuto && packets > 0 && packets <= kOneByOne)
    return ByPacketSocket(*link, source, "up to 100,000 packets/s, each gap is kept");
  auto live = LiveSender::Create(*link, *plan);
  if (live.ok())
    return ChosenSender{
        kByXdp,
        absl::StrCat("XDP live frames (", backend == kByXdp ? "as asked" : "the fastest", ")"),
        *std::move(live)};
  if (backend == kByXdp) return live.status();
  return ByPacketSocket(*link, source,
                        absl::StrCat("no XDP live frames: ", live.status().message()));
}

absl::StatusOr<ChosenInput> ChooseInput(const std::string& port, const std::string& backend,
                                        InterfaceGuard* guard) {
  if (OnDpdk(port, backend)) {
    if (absl::Status right = CheckDpdk(port, backend); !right.ok()) return right;
    auto opened = TrafficPort::Open(port, kLongestReceived, guard);
    if (!opened.ok()) return OfPort(opened.status());
    const std::string about = (*opened)->about();
    return ChosenInput{backend == kByAfXdp ? kByAfXdp : kByDpdk, about,
                       std::make_unique<DpdkInput>(*std::move(opened))};
  }
  const auto link = KernelInterface(port);
  if (!link.ok()) return link.status();
  auto input = PacketInput::Create(*link);
  if (!input.ok()) return input.status();
  return ChosenInput{kByAfPacket, "AF_PACKET (TPACKET_V3, the kernel's timestamps)",
                     *std::move(input)};
}

}  // namespace twinpath
