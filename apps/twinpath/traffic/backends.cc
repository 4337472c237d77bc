// SPDX-License-Identifier: BSD-3-Clause
// Tries the fastest backend first, and says why another one was taken.

#include "apps/twinpath/traffic/backends.h"

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"
#include "src/traffic/receive/packet_input.h"
#include "src/traffic/send/packet_sender.h"
#include "src/xdp/traffic/live_sender.h"

namespace twinpath {
namespace {

// Below this rate a system call for each frame keeps the gaps, which live frames would send in
// pairs and more.
constexpr double kOneByOne = 100'000;  // packets a second

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
  return ChosenSender{kAfPacket, absl::StrCat("AF_PACKET (", why, ")"), *std::move(sender)};
}

}  // namespace

absl::StatusOr<ChosenSender> ChooseSender(const std::string& port, const std::string& backend,
                                          const FrameSource& source, const Plan* plan,
                                          double packets) {
  const auto link = KernelInterface(port);
  if (!link.ok()) return link.status();
  if (backend == kAfPacket) return ByPacketSocket(*link, source, "as asked");
  if (plan == nullptr) {
    if (backend == kXdp)
      return absl::InvalidArgumentError(
          "--backend xdp sends no captures: its calls send equal frames; allowed with --pcap: "
          "af_packet, dpdk");
    return ByPacketSocket(*link, source, "the frames are a capture's");
  }
  if (backend == kAuto && packets > 0 && packets <= kOneByOne)
    return ByPacketSocket(*link, source, "up to 100,000 packets/s, each gap is kept");
  auto live = LiveSender::Create(*link, *plan);
  if (live.ok())
    return ChosenSender{
        kXdp, absl::StrCat("XDP live frames (", backend == kXdp ? "as asked" : "the fastest", ")"),
        *std::move(live)};
  if (backend == kXdp) return live.status();
  return ByPacketSocket(*link, source,
                        absl::StrCat("no XDP live frames: ", live.status().message()));
}

absl::StatusOr<ChosenInput> ChooseInput(const std::string& port, const std::string&) {
  const auto link = KernelInterface(port);
  if (!link.ok()) return link.status();
  auto input = PacketInput::Create(*link);
  if (!input.ok()) return input.status();
  return ChosenInput{kAfPacket, "AF_PACKET (TPACKET_V3, the kernel's timestamps)",
                     *std::move(input)};
}

}  // namespace twinpath
