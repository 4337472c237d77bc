// SPDX-License-Identifier: BSD-3-Clause
// twinpath explain: what becomes of one packet under a policy, and why. Main thread.

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/twinpath/explain_frame.h"
#include "apps/twinpath/explain_packet.h"
#include "apps/twinpath/explain_text.h"
#include "apps/twinpath/ingress_port.h"
#include "apps/twinpath/parity_capture.h"
#include "apps/twinpath/parity_text.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/compile.h"
#include "src/config/json_document.h"
#include "src/config/policy.h"
#include "src/config/values.h"

namespace twinpath {
namespace {

constexpr uint32_t kMaxQueue = 65535;

struct ExplainOptions {
  std::string policy;
  std::optional<std::string> frame, capture, five_tuple;
  std::optional<uint64_t> packet;  // of the capture, from 1
  std::string port;
  uint32_t queue = 0;
  uint64_t number = 0;
  std::string at = "0s";
  bool json = false;
};

constexpr char kExplain[] = "twinpath explain";

absl::StatusOr<std::vector<uint8_t>> FrameOfCapture(const std::string& path, uint64_t packet) {
  absl::StatusOr<Capture> capture = Capture::Open(path);
  if (!capture.ok()) return capture.status();
  for (;;) {
    absl::StatusOr<std::optional<absl::Span<const uint8_t>>> frame = capture->Next();
    if (!frame.ok()) return frame.status();
    if (!*frame) {
      return absl::InvalidArgumentError(absl::StrCat("--packet: found ", packet, ", allowed 1 to ",
                                                     capture->frames(), ", which is how many ",
                                                     path, " has"));
    }
    if (capture->frames() < packet) continue;
    if ((*frame)->size() > kLongestFrame) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": packet ", packet, ": found ",
                                                     (*frame)->size(), " octets, allowed at most ",
                                                     kLongestFrame));
    }
    return std::vector<uint8_t>((*frame)->begin(), (*frame)->end());
  }
}

absl::StatusOr<std::vector<uint8_t>> ReadFrame(const ExplainOptions& options) {
  const int given =
      options.frame.has_value() + options.capture.has_value() + options.five_tuple.has_value();
  if (given != 1) {
    return absl::InvalidArgumentError(absl::StrCat("found ", given,
                                                   " packets to explain, allowed one of --frame, "
                                                   "--pcap and --five-tuple"));
  }
  if (options.packet && !options.capture)
    return absl::InvalidArgumentError("--packet: found without --pcap, allowed with it only");
  if (options.frame) return FrameOfHex(*options.frame);
  if (options.five_tuple) return FrameOfFiveTuple(*options.five_tuple);
  return FrameOfCapture(*options.capture, options.packet.value_or(1));
}

int ExplainIt(const ExplainOptions& options) {
  absl::StatusOr<Policy> policy = LoadPolicy(options.policy);
  if (!policy.ok()) return Say(kExplain, kWrong, policy.status());
  std::vector<std::string> ports = policy->ports;
  absl::StatusOr<size_t> port = ChoosePort(*policy, options.port, &ports);
  if (!port.ok()) return Say(kExplain, kWrong, port.status());
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return Say(kExplain, kWrong, compiled.status());
  const std::optional<uint64_t> at = ReadDurationText(options.at);
  if (!at) {
    return Say(kExplain, kWrong,
               absl::StrCat("--at: found ", Quote(options.at),
                            ", allowed 0s to ten years: a whole number of us, ms, s, m or h"));
  }
  absl::StatusOr<std::vector<uint8_t>> frame = ReadFrame(options);
  if (!frame.ok()) return Say(kExplain, kWrong, frame.status());
  const ExplainRequest request = {*std::move(frame), *port, options.queue, options.number, *at};
  const absl::StatusOr<Explanation> explanation = Explain(*policy, *compiled, request);
  if (!explanation.ok())
    return Say(kExplain, ExitStatusOf(explanation.status()), explanation.status());
  if (options.json) {
    const auto json = ExplainJson(*policy, *compiled, request, *explanation);
    if (!json.ok()) return Say(kExplain, kFailed, json.status());
    std::cout << json->dump(2) << "\n";
  } else {
    std::cout << ExplainText(*policy, *compiled, request, *explanation);
  }
  return kDone;
}

}  // namespace

void AddExplain(CLI::App* app, Run* run) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain =
      app->add_subcommand("explain", "Say which rule takes a packet, what becomes of it, and why");
  explain->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  explain->add_option("--frame", options->frame, "The packet: its frame's octets in hex")
      ->type_name("HEX");
  explain->add_option("--pcap", options->capture, "The packet is in this capture, pcap or pcapng")
      ->type_name("FILE");
  explain
      ->add_option("--packet", options->packet,
                   "Its number in the capture, from 1 as capture tools count (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, kMaxPackets));
  explain
      ->add_option("--five-tuple", options->five_tuple,
                   "A packet is made: \"tcp 10.0.0.1:1234 192.0.2.1:80\"")
      ->type_name("TEXT");
  explain
      ->add_option("--port", options->port,
                   "The port by which it comes in (default: the policy's first)")
      ->type_name("NAME");
  explain->add_option("--queue", options->queue, "The queue of that port")
      ->type_name("N")
      ->check(CLI::Range(0U, kMaxQueue))
      ->capture_default_str();
  explain
      ->add_option("--number", options->number,
                   "How many packets like it came before: its number among its rule's")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{0}, kMaxPackets))
      ->capture_default_str();
  explain->add_option("--at", options->at, "When, since the datapath started")
      ->type_name("DURATION")
      ->capture_default_str();
  explain->add_flag("--json", options->json, "Print JSON");
  explain->callback([options, run] { *run = [options] { return ExplainIt(*options); }; });
}

}  // namespace twinpath
