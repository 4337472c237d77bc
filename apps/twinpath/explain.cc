// SPDX-License-Identifier: BSD-3-Clause
// twinpath explain: says what a policy does with one packet, and why. Main thread.

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/twinpath/explain_text.h"
#include "apps/twinpath/ingress_port.h"
#include "apps/twinpath/running/choice.h"
#include "apps/twinpath/running/packet.h"
#include "apps/twinpath/subcommand.h"
#include "src/capture/capture_reader.h"
#include "src/config/compile/compile.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/checksums.h"
#include "src/control/client.h"
#include "src/explain/frame.h"
#include "src/explain/packet.h"
#include "src/parity/text.h"

namespace twinpath {
namespace {

constexpr uint32_t kMaxQueue = 65535;

struct ExplainOptions {
  std::string policy;
  std::optional<std::string> frame, capture, five_tuple;
  std::optional<uint64_t> packet;  // its number in the capture, from 1
  std::string port;
  std::optional<uint32_t> queue;
  std::optional<uint64_t> number;
  std::optional<std::string> at;
  std::string checksums;  // empty: of the running program; without one, leave
  bool running = false;   // the policy is that of a running program, not of a file
  RunningChoice program;
  bool json = false;
};

constexpr char kExplain[] = "twinpath explain";

// Calls `take` for each frame of a capture until it returns false, also for the long frames that
// parity skips. `packet` counts from 1. `ns` is the time since the first frame; it never decreases.
using TakeFrame =
    std::function<bool(absl::Span<const uint8_t> frame, uint64_t packet, uint64_t ns)>;
absl::Status ReadCapture(const std::string& path, const TakeFrame& take, uint64_t* frames) {
  absl::StatusOr<Capture> capture = Capture::Open(path);
  if (!capture.ok()) return capture.status();
  std::optional<int64_t> start;
  int64_t now = 0;
  for (;;) {
    absl::StatusOr<std::optional<absl::Span<const uint8_t>>> frame = capture->Next();
    if (!frame.ok()) return frame.status();
    *frames = capture->frames();
    if (!*frame) return absl::OkStatus();
    if (!start) start = capture->time();
    now = std::max(now, capture->time() - *start);
    if (!take(**frame, capture->frames(), static_cast<uint64_t>(now))) return absl::OkStatus();
  }
}

// Finds the packet in the capture, and the packets before it unless --number is given.
absl::Status FindInCapture(const ExplainOptions& options, std::optional<uint64_t> at,
                           ExplainRequest* request) {
  const std::string& path = *options.capture;
  const uint64_t wanted = options.packet.value_or(1);
  bool found = false;
  uint64_t frames = 0, before = 0, found_at = 0;
  absl::Status status = ReadCapture(
      path,
      [&](absl::Span<const uint8_t> frame, uint64_t packet, uint64_t ns) {
        before += packet < wanted && frame.size() <= kLongestFrame;
        if (packet < wanted) return true;
        request->frame.assign(frame.begin(), frame.end());
        found_at = ns;
        found = true;
        return false;
      },
      &frames);
  if (!status.ok()) return status;
  if (frames == 0)
    return absl::InvalidArgumentError(path + ": found no packets, allowed at least 1");
  if (!found) {
    return absl::InvalidArgumentError(absl::StrCat("--packet: found ", wanted, ", allowed 1 to ",
                                                   frames, " (the packets of ", path, ")"));
  }
  if (request->frame.size() > kLongestFrame) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": packet ", wanted, ": found ",
                                                   request->frame.size(),
                                                   " bytes, allowed at most ", kLongestFrame));
  }
  if (options.number) return absl::OkStatus();
  request->at_ns = at.value_or(found_at);
  request->number = before;
  request->before = [path, wanted, found_at,
                     at = request->at_ns](const ExplainRequest::Took& took) {
    uint64_t ignored;
    return ReadCapture(
        path,
        [&](absl::Span<const uint8_t> frame, uint64_t packet, uint64_t ns) {
          if (packet == wanted) return false;
          const uint64_t earlier = found_at - ns;
          if (frame.size() <= kLongestFrame) took(frame, at > earlier ? at - earlier : 0);
          return true;
        },
        &ignored);
  };
  return absl::OkStatus();
}

absl::StatusOr<ExplainRequest> MakeRequest(const ExplainOptions& options) {
  ExplainRequest request;
  request.queue = options.queue.value_or(0);
  request.number = options.number.value_or(0);
  std::optional<uint64_t> at;
  if (options.at) {
    at = ReadDurationText(*options.at);
    if (!at) {
      return absl::InvalidArgumentError(
          absl::StrCat("--at: found ", Quote(*options.at),
                       ", allowed 0s to ten years: a whole number of us, ms, s, m or h"));
    }
    request.at_ns = *at;
  }
  absl::StatusOr<bool> completes = CompletesChecksums(options.checksums);
  if (!completes.ok()) return completes.status();
  request.completes = *completes;
  const int given =
      options.frame.has_value() + options.capture.has_value() + options.five_tuple.has_value();
  if (given != 1) {
    return absl::InvalidArgumentError(absl::StrCat("found ", given,
                                                   " packets to explain, allowed one of --frame, "
                                                   "--pcap and --five-tuple"));
  }
  if (options.packet && !options.capture)
    return absl::InvalidArgumentError("--packet needs --pcap");
  if (options.capture) {
    absl::Status status = FindInCapture(options, at, &request);
    if (!status.ok()) return status;
    return request;
  }
  absl::StatusOr<std::vector<uint8_t>> frame =
      options.frame ? FrameOfHex(*options.frame) : FrameOfFiveTuple(*options.five_tuple);
  if (!frame.ok()) return frame.status();
  request.frame = *std::move(frame);
  return request;
}

// The packet to explain, and the policy that decides it.
struct Inputs {
  Policy policy;
  CompiledPolicy compiled;
  ExplainRequest request;
};

absl::StatusOr<Inputs> InputsFromFile(const ExplainOptions& options) {
  const absl::StatusOr<std::string> text = ReadDocument(options.policy);
  if (!text.ok()) return text.status();
  absl::StatusOr<Policy> policy = ParsePolicy(*text, options.policy);
  if (!policy.ok()) return InOneLine(policy.status(), *text, kPolicyLister);
  std::vector<std::string> ports = policy->ports;
  absl::StatusOr<size_t> port = ChoosePort(*policy, options.port, &ports);
  if (!port.ok()) return InOneLine(port.status(), *text, kPolicyLister);
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return InOneLine(compiled.status(), *text, kPolicyLister);
  absl::StatusOr<ExplainRequest> request = MakeRequest(options);
  if (!request.ok()) return request.status();
  request->port = *port;
  return Inputs{*std::move(policy), *std::move(compiled), *std::move(request)};
}

// Treats the packet as the next one of a running program, unless options say otherwise.
absl::StatusOr<Inputs> InputsFromProgram(const ExplainOptions& options) {
  absl::StatusOr<ExplainRequest> request = MakeRequest(options);
  if (!request.ok()) return request.status();
  const absl::StatusOr<std::string> prefix = ChooseWithPolicy(options.program);
  if (!prefix.ok()) return prefix.status();
  const auto answer =
      AskRunning(*prefix, options.port, options.queue,
                 {reinterpret_cast<const char*>(request->frame.data()), request->frame.size()});
  if (!answer.ok()) return answer.status();
  absl::StatusOr<RunningPacket> running = ReadRunningPacket(*answer);
  if (!running.ok())
    return absl::Status(running.status().code(),
                        *prefix + ": " + std::string(running.status().message()));
  request->before = nullptr;
  request->port = running->port;
  request->queue = running->queue;
  if (options.checksums.empty()) request->completes = running->completes;
  if (!options.at) {
    request->at_ns = running->at_ns;
    running->SetOrigins();
  }
  if (!options.number) {
    request->matched = running->matched;
    request->flow_matched = running->flow_matched;
  }
  return Inputs{std::move(running->policy), std::move(running->compiled), *std::move(request)};
}

int ExplainIt(const ExplainOptions& options) {
  if (!options.running && options.policy.empty())  // the same words as CLI11's
    return PrintError("twinpath explain", kWrong,
                      "POLICY is required, or --running (see twinpath explain --help)");
  if (options.running && !options.policy.empty())
    return PrintError(kExplain, kWrong, "POLICY and --running are mutually exclusive");
  if (!options.running && (!options.program.path.empty() || !options.program.file_prefix.empty()))
    return PrintError(kExplain, kWrong, "--path and --file-prefix need --running");
  absl::StatusOr<Inputs> inputs =
      options.running ? InputsFromProgram(options) : InputsFromFile(options);
  if (!inputs.ok()) return PrintError(kExplain, ExitStatusOf(inputs.status()), inputs.status());
  auto& [policy, compiled, request] = *inputs;
  const absl::StatusOr<Explanation> explanation = Explain(policy, compiled, request);
  if (!explanation.ok())
    return PrintError(kExplain, ExitStatusOf(explanation.status()), explanation.status());
  if (explanation->effects.rule() && !request.matched.empty())
    request.number = explanation->stream ? explanation->stream->n
                                         : request.matched[*explanation->effects.rule()];
  if (options.json) {
    const auto json = ExplainJson(policy, compiled, request, *explanation);
    if (!json.ok()) return PrintError(kExplain, kFailed, json.status());
    std::cout << json->dump(2) << "\n";
  } else {
    std::cout << ExplainText(policy, compiled, request, *explanation);
  }
  return kDone;
}

}  // namespace

void AddExplain(CLI::App* app, Run* run) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain = app->add_subcommand(
      "explain", "Say which rule matches a packet, what the rule does with it, and why");
  explain->add_option("POLICY", options->policy, "The policy's JSON file; not with --running")
      ->type_name("FILE");
  explain->add_flag("--running", options->running,
                    "Ask a running program for its policy, ports, queues, time and packet numbers: "
                    "is the next packet lost?");
  AddRunningChoice(explain, PolicyPaths(), &options->program);
  explain->add_option("--frame", options->frame, "The packet: the bytes of its frame in hex")
      ->type_name("HEX");
  explain->add_option("--pcap", options->capture, "A capture with the packet, pcap or pcapng")
      ->type_name("FILE");
  explain
      ->add_option("--packet", options->packet,
                   "The packet's number in the capture, from 1 (default: 1)")
      ->option_text("N")
      ->check(IntegerFrom(1, kMaxPackets));
  explain
      ->add_option("--five-tuple", options->five_tuple,
                   "A small packet made from a text: \"tcp 10.0.0.1:1234 192.0.2.1:80\"")
      ->type_name("TEXT");
  explain
      ->add_option(
          "--port", options->port,
          "The port that receives it (default: the policy's first, or the program's only one)")
      ->type_name("NAME");
  explain
      ->add_option("--queue", options->queue,
                   "The queue of that port (default: 0; required if a running program has several)")
      ->option_text("N")
      ->check(IntegerFrom(0, kMaxQueue));
  explain
      ->add_option("--number", options->number,
                   "How many packets of its stream arrived before it (default: 0; with --pcap, "
                   "those in the capture; with --running, those that arrived so far)")
      ->option_text("N")
      ->check(IntegerFrom(0, kMaxPackets));
  explain
      ->add_option(
          "--at", options->at,
          "When it arrives, as the time since the start of the datapath (default: 0s; with --pcap, "
          "its time in the capture; with --running, now)")
      ->type_name("DURATION");
  explain
      ->add_option(
          "--checksums", options->checksums,
          "complete or leave an unfinished TCP or UDP checksum, as the port does (default: "
          "leave; with --running, as the program does)")
      ->type_name("WHAT");
  explain->add_flag("--json", options->json, "Print JSON");
  explain->callback([options, run] { *run = [options] { return ExplainIt(*options); }; });
}

}  // namespace twinpath
