// SPDX-License-Identifier: BSD-3-Clause
// A comparison inside its sandbox: the lab, sameness, the measurement, the output.

#include "apps/twinpath/compare/job.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/program.h"
#include "apps/twinpath/compare/output.h"
#include "src/compare/plan/capture.h"
#include "src/compare/result/text.h"
#include "src/kernel/machine.h"
#include "src/xdp/bare/bare.h"

namespace twinpath {
namespace {

constexpr uint32_t kSamenessFrames = 5000;
constexpr std::chrono::minutes kSamenessTime(2);
constexpr double kIdleSeconds = 1;
constexpr std::chrono::milliseconds kSignalWait(1);

class BareRun : public BareProgramRun {
 public:
  explicit BareRun(std::unique_ptr<BareXdp> bare) : bare_(std::move(bare)) {}
  uint64_t Dropped() const override { return bare_->Dropped(); }

 private:
  std::unique_ptr<BareXdp> bare_;
};

BareProgram ProgramOf(BareKind kind) {
  switch (kind) {
    case BareKind::kDrop:
      return BareProgram::kDrop;
    case BareKind::kPass:
      return BareProgram::kPass;
    case BareKind::kReflect:
      return BareProgram::kReflect;
    case BareKind::kTwoEvents:
      return BareProgram::kTwoEvents;
    case BareKind::kRedirect:
      break;
  }
  return BareProgram::kRedirect;
}

absl::StatusOr<std::unique_ptr<BareProgramRun>> AttachBare(BareKind kind,
                                                           const std::string& interface,
                                                           const std::string& out) {
  auto bare = BareXdp::Attach(ProgramOf(kind), interface, out);
  if (!bare.ok()) return bare.status();
  return std::make_unique<BareRun>(*std::move(bare));
}

// Runs one capture through the policy on all paths.
Sameness CheckSameness(const CompareJob& job, const std::string& folder) {
  Sameness same;
  same.engines = {"XDP", "DPDK", "sockets"};
  const std::string capture = folder + "/sameness.pcap";
  std::ofstream(capture, std::ios::binary) << SamenessCapture(kSamenessFrames);
  const std::string queues = absl::StrCat(job.settings.queues);
  for (const auto& [loss, policy] : job.policies) {
    for (const char* paths : {"xdp,dpdk", "xdp,socket"}) {
      const Command command = {job.programs + "/twinpath",
                               "parity",
                               policy.file,
                               capture,
                               "--paths",
                               paths,
                               "--port",
                               "lan",
                               "--queues",
                               queues,
                               "--json"};
      same.command = CommandText(command);
      const auto output = RunChild(command, folder, kSamenessTime);
      const std::string text = output.ok() ? *output : std::string(output.status().message());
      // Differences are exit status 1, and the JSON is behind the command in the error.
      const auto json =
          nlohmann::json::parse(text.substr(std::min(text.find('{'), text.size())), nullptr, false);
      if (!json.is_object()) {
        same.problem = text;
        return same;
      }
      // The same frames each time.
      if (paths == std::string("xdp,dpdk")) same.frames += json.value("frames", uint64_t{0});
      same.different += json.value("different", uint64_t{0});
    }
  }
  return same;
}

std::string CaseText(const Results& results, const CaseKey& key) {
  const Throughput& last = results.throughputs.back();
  return absl::StrFormat("%-16s %5u bytes  %-14s %10s%s\n", key.engine, key.size,
                         LossText(key.loss), RateText(last.rate),
                         last.generator_limited ? "  (at full speed)" : "");
}

EngineContext ContextOf(const CompareJob& job, const Sandbox& sandbox,
                        const std::vector<uint32_t>& cpus) {
  EngineContext context;
  context.links = job.links;
  context.lan = job.links.lan;
  context.wan = job.links.wan;
  context.folder = sandbox.folder;
  context.programs = job.programs;
  context.huge_folder = sandbox.huge_folder;
  context.queues = job.settings.queues;
  if (cpus.size() > 1) {
    const size_t used = std::min<size_t>(cpus.size() - 1, job.settings.queues);
    context.cpus.assign(cpus.begin() + 1, cpus.begin() + 1 + static_cast<std::ptrdiff_t>(used));
  } else {
    context.cpus = cpus;
  }
  return context;
}

void AddNotes(const CompareJob& job, const Sandbox& sandbox, size_t cpus, Results* results) {
  if (cpus < 2)
    results->notes.emplace_back(
        "This machine has one CPU: the generator and the engines share it, so CPU time is that of "
        "softirqs only.");
  if (sandbox.huge_folder.empty())
    results->notes.emplace_back("There were no hugepages: DPDK ran on ordinary memory.");
  if (job.settings.losses.size() == 1 && job.settings.losses[0].empty())
    results->notes.emplace_back(
        "nft and tc-netem lost nothing: they have no policy. --loss gives all of them the same "
        "loss.");
}

}  // namespace

int RunJob(CompareJob job, Sandbox sandbox, const HeldSignals& signals) {
  Results& results = job.results;
  const auto fail = [](const absl::Status& status) {
    return PrintError(kCompare, ExitStatusOf(status), status);
  };
  if (job.links.own) {
    const uint32_t longest =
        *std::max_element(job.settings.sizes.begin(), job.settings.sizes.end());
    absl::Status made = MakeLab(job.links, job.settings.queues, longest, sandbox.folder);
    if (!made.ok()) return PrintError(kCompare, kWrong, made);
  }
  const std::vector<uint32_t> cpus = AllowedCpus();
  results.machine = MachineFacts(job.links);
  AddNotes(job, sandbox, cpus.size(), &results);
  const ProgressLine progress;
  if (!job.options.json && !job.options.csv) std::cout << "Sameness: " << std::flush;
  results.sameness = CheckSameness(job, sandbox.folder);
  const bool quiet = job.options.json || job.options.csv;
  if (!quiet)
    std::cout << (results.sameness.problem.empty()
                      ? absl::StrCat(results.sameness.frames, " frames, ",
                                     results.sameness.different, " different (XDP, DPDK, sockets)")
                      : absl::StrCat("not checked: ", results.sameness.problem))
              << "\n"
              << std::flush;

  Bench bench({.links = job.links,
               .folder = sandbox.folder,
               .programs = job.programs,
               .generator_cpu = cpus.front(),
               .cpus = cpus.size(),
               .root = sandbox.root,
               .flows = job.settings.flows,
               .loss_asked = {}},
              MachineAccounts(std::move(sandbox.proc)), AttachBare);
  bench.MeasureIdle(kIdleSeconds);
  Comparison comparison(job.settings, ContextOf(job, sandbox, cpus), job.policies, AttachBare,
                        &bench, &results);
  if (absl::Status filled = comparison.FillEngines(); !filled.ok()) return fail(filled);
  absl::Status written = WriteReport(job);
  if (!written.ok()) return fail(written);

  bool stopped = false;
  const auto start = std::chrono::steady_clock::now();
  comparison.Run(
      {.stopped =
           [&] {
             stopped =
                 stopped || signals.WaitUntil(HeldSignals::Clock::now() + kSignalWait).has_value();
             return stopped;
           },
       .on_step =
           [&](const std::string& what, size_t done, size_t all) {
             const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
             progress.Show(what, elapsed.count(), done, all);
           },
       .on_case =
           [&](const CaseKey& key) {
             written.Update(WriteReport(job));
             progress.Clear();
             if (!quiet) std::cout << CaseText(results, key) << std::flush;
           }});
  progress.Clear();
  written.Update(WriteReport(job));
  if (!written.ok()) return fail(written);
  if (job.options.json) {
    std::cout << ResultsJson(results).dump(2) << "\n";
  } else if (job.options.csv) {
    std::cout << ResultsCsv(results);
  } else {
    const size_t width = OutputWidth(STDOUT_FILENO);
    std::cout << "\n" << ResultsText(results, width);
    if (job.against)
      std::cout << "\nBeside " << job.options.against << "\n\n"
                << DifferencesText(CompareResults(*job.against, results), width);
    std::cout << "\nReport: " << job.options.report << "/index.html\n";
  }
  if (results.throughputs.empty() && !stopped)
    return PrintErrorLine(kCompare, kFailed, "no engine could be measured (see the rows above)");
  return results.sameness.different ? kFailed : kDone;
}

}  // namespace twinpath
