// SPDX-License-Identifier: BSD-3-Clause
// twinpath parity: runs every frame of the captures through the real XDP program and the real DPDK
// worker, and compares the verdicts. Main thread.

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/twinpath/ingress_port.h"
#include "apps/twinpath/subcommand.h"
#include "src/capture/capture_reader.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/dpdk/replay/replay.h"
#include "src/parity/run.h"
#include "src/parity/text.h"
#include "src/xdp/replay.h"

namespace twinpath {
namespace {

constexpr uint32_t kMaxQueues = 64;
static_assert(kLongestFrame <= XdpReplay::kMaxFrame && kLongestFrame <= DpdkReplay::kMaxFrame);

struct ParityOptions {
  std::string policy;
  std::vector<std::string> captures;
  std::string port;
  uint32_t queues = 1;
  std::string verdicts;
  bool json = false;
};

constexpr char kParity[] = "twinpath parity";

// The two paths, and the DPDK path a second time, for bursts. Each starts at packet 0.
struct Replays {
  std::unique_ptr<XdpReplay> xdp;
  std::unique_ptr<DpdkReplay> dpdk, bursts;

  // Sets the time that the policy's conditions see.
  void SetClock(uint64_t now) {
    xdp->SetClock(now);
    dpdk->SetClock(now);
    bursts->SetClock(now);
  }

  static absl::StatusOr<Replays> Create(const CompiledPolicy& policy, uint32_t queues) {
    Replays replays;
    absl::StatusOr<std::unique_ptr<XdpReplay>> xdp = XdpReplay::Create(policy, queues);
    if (!xdp.ok()) return xdp.status();
    replays.xdp = *std::move(xdp);
    for (std::unique_ptr<DpdkReplay>* replay : {&replays.dpdk, &replays.bursts}) {
      absl::StatusOr<std::unique_ptr<DpdkReplay>> dpdk = DpdkReplay::Create(policy, queues);
      if (!dpdk.ok()) return dpdk.status();
      *replay = *std::move(dpdk);
    }
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
  absl::StatusOr<Policy> policy = LoadPolicy(options.policy);
  if (!policy.ok()) return policy.status();
  std::vector<std::string> ports = policy->ports;
  // Any name works, because both paths get the same one.
  if (ports.empty() && options.port.empty()) ports.push_back("port0");
  absl::StatusOr<size_t> port = ChoosePort(*policy, options.port, &ports);
  if (!port.ok()) return port.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return compiled.status();
  Setup setup;
  setup.policy = *std::move(compiled);
  setup.port = *port;
  for (const std::string& path : options.captures) {
    absl::StatusOr<Capture> capture = Capture::Open(path);
    if (!capture.ok()) return capture.status();
    setup.captures.push_back(*std::move(capture));
  }
  absl::StatusOr<Replays> replays = Replays::Create(setup.policy, options.queues);
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
  const Snapshot dpdk = setup.replays.dpdk->TakeSnapshot();
  report.counter_differences = SnapshotDifferences(setup.replays.xdp->TakeSnapshot(), dpdk);
  report.burst_different = bursts.different();
  report.burst_first = bursts.first();
  report.burst_counter_differences =
      SnapshotDifferences(dpdk, setup.replays.bursts->TakeSnapshot());
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
    return bursts->Feed(frame, effects[1]);
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
  auto path = [](const char* name, auto* replay) {
    return ParityPath{name, [replay](size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
                        return replay->Run(port, queue, frame);
                      }};
  };
  ParityRun run(path("xdp", replays.xdp.get()), path("dpdk", replays.dpdk.get()));
  BurstCheck bursts(
      [&](size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
        return replays.bursts->RunBurst(port, queue, frames);
      },
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
      "parity", "Run captured frames through both paths and compare the verdicts");
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
      ->check(CLI::Range(1U, kMaxQueues));
  parity
      ->add_option("--verdicts", options->verdicts,
                   "Write one line of JSON for each frame and path to this file")
      ->type_name("FILE");
  parity->add_flag("--json", options->json, "Print JSON");
  parity->callback([options, run] { *run = [options] { return Parity(*options); }; });
}

}  // namespace twinpath
