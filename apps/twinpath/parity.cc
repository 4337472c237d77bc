// SPDX-License-Identifier: BSD-3-Clause
// twinpath parity: runs every frame of the captures through two of the real paths (the XDP program,
// the DPDK worker, the worker of the socket path), and compares the verdicts. Main thread.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "apps/command_line.h"
#include "apps/twinpath/ingress_port.h"
#include "apps/twinpath/subcommand.h"
#include "src/capture/capture_reader.h"
#include "src/config/compile/compile.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/checksums.h"
#include "src/dpdk/replay/replay.h"
#include "src/parity/run.h"
#include "src/parity/text.h"
#include "src/sockets/replay.h"
#include "src/xdp/replay.h"

namespace twinpath {
namespace {

constexpr uint32_t kMaxQueues = 64;
static_assert(kLongestFrame <= XdpReplay::kMaxFrame && kLongestFrame <= DpdkReplay::kMaxFrame &&
              kLongestFrame <= SocketReplay::kMaxFrame);

struct ParityOptions {
  std::string policy;
  std::vector<std::string> captures;
  std::string port;
  uint32_t queues = 1;
  std::string verdicts;
  std::string paths = "xdp,dpdk";
  std::string checksums;
  bool json = false;
};

constexpr char kParity[] = "twinpath parity";

// A path that runs frames one by one. What runs bursts is empty where the path has none.
struct Replay {
  ParityPath path;
  BurstCheck::RunBurst run_burst;
  std::function<void(uint64_t)> set_clock;
  std::function<Snapshot()> snapshot;
};

template <typename Of>
Replay MakeReplay(const char* name, std::unique_ptr<Of> made) {
  std::shared_ptr<Of> replay = std::move(made);
  Replay functions = {
      .path = {name, [replay](size_t port, uint32_t queue,
                              absl::Span<const uint8_t> f) { return replay->Run(port, queue, f); }},
      .run_burst = nullptr,
      .set_clock = [replay](uint64_t now) { replay->SetClock(now); },
      .snapshot = [replay] { return replay->TakeSnapshot(); }};
  if constexpr (!std::is_same_v<Of, XdpReplay>) {
    functions.run_burst = [replay](size_t port, uint32_t queue,
                                   absl::Span<const std::vector<uint8_t>> frames) {
      return replay->RunBurst(port, queue, frames);
    };
  }
  return functions;
}

template <typename Of>
absl::StatusOr<Replay> Named(const char* name, absl::StatusOr<std::unique_ptr<Of>> made) {
  if (!made.ok()) return made.status();
  return MakeReplay(name, *std::move(made));
}

// What all paths of a run have in common. `completes`: by port, as bits.
struct Shape {
  uint32_t queues = 1;
  uint32_t completes = 0;
};

absl::StatusOr<Replay> CreateReplay(absl::string_view name, const CompiledPolicy& policy,
                                    const Shape& shape) {
  const auto& [queues, completes] = shape;
  if (name == "xdp")
    return Named(
        "xdp", XdpReplay::Create(policy, queues, XdpFrames::kPlain, kReplayFlowMemory, completes));
  if (name == "dpdk")
    return Named("dpdk", DpdkReplay::Create(policy, queues, kReplayFlowMemory, completes));
  if (name == "socket")
    return Named("socket", SocketReplay::Create(policy, queues, kReplayFlowMemory, completes));
  return absl::InvalidArgumentError(
      absl::StrCat("--paths: found \"", name, "\", allowed xdp, dpdk and socket"));
}

// The two paths, and the second one a second time, for bursts, if it has them. Each starts at
// packet 0.
struct Replays {
  std::vector<Replay> paths;
  std::optional<Replay> bursts;

  // Sets the time that the policy's conditions see.
  void SetClock(uint64_t now) {
    for (const Replay& replay : paths) replay.set_clock(now);
    if (bursts.has_value()) bursts->set_clock(now);
  }

  static absl::StatusOr<Replays> Create(const CompiledPolicy& policy, const std::string& list,
                                        const Shape& shape) {
    const std::vector<std::string> names = absl::StrSplit(list, ',');
    if (names.size() != 2 || names[0] == names[1])
      return absl::InvalidArgumentError(absl::StrCat(
          "--paths: found \"", list, "\", allowed two of xdp, dpdk and socket: xdp,socket"));
    Replays replays;
    for (const std::string& name : names) {
      absl::StatusOr<Replay> replay = CreateReplay(name, policy, shape);
      if (!replay.ok()) return replay.status();
      replays.paths.push_back(*std::move(replay));
    }
    if (replays.paths[1].run_burst == nullptr) return replays;
    absl::StatusOr<Replay> bursts = CreateReplay(names[1], policy, shape);
    if (!bursts.ok()) return bursts.status();
    replays.bursts = *std::move(bursts);
    return replays;
  }
};

// The inputs and outputs of a run. SetUp opens all of them before the first frame.
struct Setup {
  CompiledPolicy policy;
  size_t port = 0;
  std::vector<Capture> captures;
  std::ofstream verdicts;  // open if --verdicts was given
  Replays replays;
};

absl::StatusOr<Setup> SetUp(const ParityOptions& options) {
  const absl::StatusOr<std::string> text = ReadDocument(options.policy);
  if (!text.ok()) return text.status();
  absl::StatusOr<Policy> policy = ParsePolicy(*text, options.policy);
  if (!policy.ok()) return InOneLine(policy.status(), *text, kPolicyLister);
  std::vector<std::string> ports = policy->ports;
  // Any name works, because all paths get the same one.
  if (ports.empty() && options.port.empty()) ports.push_back("port0");
  absl::StatusOr<size_t> port = ChoosePort(*policy, options.port, &ports);
  if (!port.ok()) return port.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return InOneLine(compiled.status(), *text, kPolicyLister);
  Setup setup;
  setup.policy = *std::move(compiled);
  setup.port = *port;
  for (const std::string& path : options.captures) {
    absl::StatusOr<Capture> capture = Capture::Open(path);
    if (!capture.ok()) return capture.status();
    setup.captures.push_back(*std::move(capture));
  }
  absl::StatusOr<bool> completes = CompletesChecksums(options.checksums);
  if (!completes.ok()) return completes.status();
  absl::StatusOr<Replays> replays =
      Replays::Create(setup.policy, options.paths,
                      {.queues = options.queues, .completes = *completes ? UINT32_MAX : 0});
  if (!replays.ok()) return replays.status();
  setup.replays = *std::move(replays);
  if (!options.verdicts.empty()) {
    setup.verdicts.open(options.verdicts, std::ios::trunc);
    if (!setup.verdicts)
      return absl::InvalidArgumentError(
          absl::StrCat("cannot write ", options.verdicts, ": ", std::strerror(errno)));
  }
  return setup;
}

ParityReport Report(const ParityOptions& options, const Setup& setup, const ParityRun& run,
                    const BurstCheck& bursts) {
  ParityReport report;
  report.policy = options.policy;
  report.port = setup.policy.ports[setup.port];
  report.queues = options.queues;
  for (const Capture& capture : setup.captures) {
    report.captures.emplace_back(capture.path(), capture.frames());
    report.cut += capture.cut();
  }
  report.skipped = run.skipped();
  report.frames = run.frames();
  report.different = run.different();
  report.paths = {run.paths()[0].name, run.paths()[1].name};
  report.differences = run.differences();
  const Snapshot second = setup.replays.paths[1].snapshot();
  report.counter_differences = SnapshotDifferences(setup.replays.paths[0].snapshot(), second);
  report.burst_different = bursts.different();
  report.burst_first = bursts.first();
  if (setup.replays.bursts.has_value())
    report.burst_counter_differences =
        SnapshotDifferences(second, setup.replays.bursts->snapshot());
  return report;
}

// Feeds every frame of every capture, in order.
absl::Status FeedAll(const ParityOptions& options, Setup* setup, ParityRun* run,
                     BurstCheck* bursts) {
  auto observe = [&](const ParityFrame& frame,
                     const std::array<FrameEffects, 2>& effects) -> absl::Status {
    for (size_t i = 0; i < effects.size() && setup->verdicts.is_open(); i++) {
      auto line = VerdictJson(run->paths()[i].name, frame, effects[i], setup->policy);
      if (!line.ok()) return line.status();
      setup->verdicts << line->dump() << "\n";
    }
    return setup->replays.bursts.has_value() ? bursts->Feed(frame, effects[1]) : absl::OkStatus();
  };
  // The time of conditions is the captures' time since the first frame. It never decreases.
  std::optional<int64_t> start;
  int64_t now = 0;
  for (Capture& capture : setup->captures) {
    for (;;) {
      absl::StatusOr<std::optional<absl::Span<const uint8_t>>> frame = capture.Next();
      if (!frame.ok()) return frame.status();
      if (!*frame) break;
      if ((*frame)->size() > kLongestFrame) {
        run->Skip();
        continue;
      }
      if (!start) start = capture.time();
      if (setup->policy.timed && capture.time() - *start > now) {
        if (absl::Status s = bursts->Finish(); !s.ok()) return s;
        now = capture.time() - *start;
        setup->replays.SetClock(static_cast<uint64_t>(now));
      }
      const uint32_t queue = QueueOf(**frame, options.queues);
      if (absl::Status s = run->Feed(setup->port, queue, **frame, observe); !s.ok()) return s;
    }
  }
  return bursts->Finish();
}

// Removes the incomplete output of --verdicts, if it is a regular file.
void RemoveVerdicts(const ParityOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(options.verdicts, error)))
    fs::remove(options.verdicts, error);
}

int Parity(const ParityOptions& options) {
  absl::StatusOr<Setup> setup = SetUp(options);
  if (!setup.ok()) return PrintError(kParity, kWrong, setup.status());
  Replays& replays = setup->replays;
  ParityRun run(replays.paths[0].path, replays.paths[1].path);
  BurstCheck bursts(replays.bursts.has_value() ? replays.bursts->run_burst : nullptr,
                    setup->policy.has_flows);
  const absl::Status fed = FeedAll(options, &*setup, &run, &bursts);
  // A truncated capture is a wrong input, and the verdicts so far are incomplete.
  if (!fed.ok()) {
    RemoveVerdicts(options);
    return PrintError(kParity, absl::IsDataLoss(fed) ? kWrong : kFailed, fed);
  }
  if (setup->verdicts.is_open() && !setup->verdicts.flush())
    return PrintError(kParity, kFailed,
                      absl::StrCat("cannot write ", options.verdicts, ": ", std::strerror(errno)));
  const ParityReport report = Report(options, *setup, run, bursts);
  if (options.json) {
    std::cout << ParityJson(report, setup->policy).dump(2) << "\n";
  } else {
    std::cout << ParityText(report, setup->policy);
  }
  return report.Same() ? kDone : kFailed;
}

}  // namespace

void AddParity(CLI::App* app, Run* run) {
  auto options = std::make_shared<ParityOptions>();
  CLI::App* parity = app->add_subcommand(
      "parity", "Run captured frames through two paths and compare the verdicts");
  parity->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  parity->add_option("CAPTURE", options->captures, "Captures of Ethernet frames, pcap or pcapng")
      ->type_name("FILE")
      ->required();
  parity
      ->add_option("--port", options->port,
                   "The port that receives the frames (default: the policy's first, or port0)")
      ->type_name("NAME");
  parity
      ->add_option("--queues", options->queues,
                   "Spread the frames over queues by five-tuple (default: 1)")
      ->option_text("N")
      ->check(IntegerFrom(1, kMaxQueues));
  parity
      ->add_option("--verdicts", options->verdicts,
                   "Write one line of JSON for each frame and path to this file")
      ->type_name("FILE");
  parity
      ->add_option(
          "--paths", options->paths,
          "Two of xdp, dpdk and socket; the second one runs bursts, too (default: xdp,dpdk)")
      ->type_name("A,B");
  parity
      ->add_option("--checksums", options->checksums,
                   "complete or leave unfinished TCP and UDP checksums, as the ports of both paths "
                   "do (default: leave)")
      ->type_name("WHAT");
  parity->add_flag("--json", options->json, "Print JSON");
  parity->callback([options, run] { *run = [options] { return Parity(*options); }; });
}

}  // namespace twinpath
