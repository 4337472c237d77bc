// SPDX-License-Identifier: BSD-3-Clause
// twinpath receive: counts what arrives of the streams of `twinpath generate`. Main thread.

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/twinpath/subcommand.h"
#include "apps/twinpath/traffic/backends.h"
#include "apps/twinpath/traffic/report.h"
#include "apps/twinpath/traffic/stop.h"
#include "apps/twinpath/traffic/values.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/kernel/clock.h"
#include "src/traffic/captures.h"
#include "src/traffic/frames/clock_id.h"

namespace twinpath {
namespace {

constexpr char kReceive[] = "twinpath receive";
constexpr uint64_t kLook = 50'000'000;  // ns between two looks at the signals

struct ReceiveOptions {
  std::string port, pcap, backend = kByAuto;
  std::optional<double> duration, idle;
  std::optional<uint64_t> packets;
  std::vector<std::string> expect;
  bool json = false;
};

uint64_t Nanoseconds(double seconds) { return static_cast<uint64_t>(seconds * 1e9); }

// Receives until one of the limits is reached.
absl::Status ReceiveUntil(const ReceiveOptions& options, StopSignals* stopped, FrameInput* input,
                          Receiver* receiver) {
  const uint64_t start = MonotonicNow();
  for (;;) {
    const absl::StatusOr<bool> more = input->Poll(kLook, receiver);
    if (!more.ok()) return more.status();
    if (!*more || (*stopped)()) return absl::OkStatus();
    if (!options.pcap.empty()) continue;
    if (options.packets.has_value() && receiver->tagged() >= *options.packets)
      return absl::OkStatus();
    const uint64_t now = MonotonicNow();
    if (options.duration.has_value() && now - start >= Nanoseconds(*options.duration))
      return absl::OkStatus();
    if (options.idle.has_value() && receiver->tagged() > 0 &&
        now > receiver->last_tagged() + Nanoseconds(*options.idle))
      return absl::OkStatus();
  }
}

absl::StatusOr<ChosenInput> Open(const ReceiveOptions& options, InterfaceGuard* guard) {
  if (options.port.empty() == options.pcap.empty())
    return absl::InvalidArgumentError("one of --port and --pcap is required");
  if (options.pcap.empty()) return ChooseInput(options.port, options.backend, guard);
  auto capture = Capture::Open(options.pcap);
  if (!capture.ok()) return capture.status();
  return ChosenInput{"pcap", "its capture's times",
                     std::make_unique<CaptureInput>(*std::move(capture))};
}

int Receive(const ReceiveOptions& options) {
  Received received;
  for (const std::string& text : options.expect) {
    const auto expected = ParseExpected(text);
    if (!expected.ok()) return PrintError(kReceive, kWrong, expected.status());
    received.expected[expected->first] = expected->second;
  }
  StopSignals stopped;
  bool ended = false;
  const auto guard = GuardPort(options.port, options.backend, &ended);
  if (!guard.ok()) return PrintError(kReceive, kWrong, guard.status());
  if (ended) return kDone;
  auto chosen = Open(options, guard->get());
  if (!chosen.ok()) return PrintError(kReceive, kWrong, chosen.status());
  received.capture = !options.pcap.empty();
  received.from = received.capture ? options.pcap : options.port;
  received.backend = chosen->name;
  received.why = chosen->why;
  Receiver receiver(received.capture ? -1 : int{ClockId()});
  received.receiver = &receiver;
  if (!received.capture)
    std::cerr << absl::StrCat(kReceive, ": receiving from ", options.port, " by ", chosen->why,
                              "\n");
  const uint64_t start = MonotonicNow();
  const absl::Status done = ReceiveUntil(options, &stopped, chosen->input.get(), &receiver);
  received.missed = chosen->input->missed();
  received.seconds = static_cast<double>(MonotonicNow() - start) / 1e9;
  if (options.json) {
    std::cout << ReceivedJson(received).dump(2) << "\n";
  } else {
    std::cout << ReceivedText(received);
  }
  return done.ok() ? kDone : PrintErrorLine(kReceive, kFailed, done.message());
}

}  // namespace

void AddReceive(CLI::App* app, Run* run) {
  auto options = std::make_shared<ReceiveOptions>();
  CLI::App* receive = app->add_subcommand(
      "receive", "Count what arrives of generated streams: losses, duplicates, order, latency");
  receive
      ->add_option("--port", options->port,
                   "Where to receive: a kernel interface, a NIC bound to DPDK, or a virtual device")
      ->type_name("DEVICE");
  receive
      ->add_option(
          "--backend", options->backend,
          "What receives: af_packet, af_xdp, dpdk, or auto: af_packet from a kernel interface")
      ->type_name("NAME")
      ->check(OneOf({kByAuto, kByAfPacket, kByAfXdp, kByDpdk}))
      ->capture_default_str();
  receive->add_option("--pcap", options->pcap, "A capture to read instead, pcap or pcapng")
      ->type_name("FILE");
  receive
      ->add_option("--expect", options->expect,
                   "How many packets were sent in each stream, or in one: PACKETS or "
                   "STREAM=PACKETS (default: up to the highest number that arrives)")
      ->type_name("PACKETS")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  receive->add_option("--duration", options->duration, "End after so many seconds")
      ->type_name("SECONDS")
      ->check(WrongSeconds);
  receive->add_option("--packets", options->packets, "End after so many tagged packets")
      ->type_name("PACKETS")
      ->check(WrongCount);
  receive
      ->add_option("--idle", options->idle,
                   "End so many seconds after the last tagged packet (default: never)")
      ->type_name("SECONDS")
      ->check(WrongSeconds);
  receive->add_flag("--json", options->json, "Print JSON, with all histograms");
  receive->callback([options, run] { *run = [options] { return Receive(*options); }; });
}

}  // namespace twinpath
