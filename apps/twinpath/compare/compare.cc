// SPDX-License-Identifier: BSD-3-Clause
// twinpath compare: one policy over every engine, measured, with a report. Main thread.

#include <memory>

#include "apps/signals.h"
#include "apps/twinpath/compare/job.h"
#include "apps/twinpath/compare/options.h"
#include "apps/twinpath/compare/sandbox.h"
#include "apps/twinpath/subcommand.h"

namespace twinpath {
namespace {

constexpr uint32_t kHugepages = 256;  // of 2 MiB

int Compare(const CompareOptions& options) {
  const HeldSignals signals;
  auto job = PrepareJob(options);
  if (!job.ok()) return PrintError(kCompare, kWrong, job.status());
  const auto status = RunInSandbox(
      {.own_network = job->links.own, .hugepages = kHugepages}, signals,
      [&](Sandbox sandbox) { return RunJob(*std::move(job), std::move(sandbox), signals); });
  if (!status.ok()) return PrintError(kCompare, kWrong, status.status());
  return *status;
}

}  // namespace

void AddCompare(CLI::App* app, Run* run) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* compare =
      app->add_subcommand("compare", "Measure one policy on every engine, and write a report");
  AddCompareOptions(compare, options.get());
  compare->callback([options, run] { *run = [options] { return Compare(*options); }; });
}

}  // namespace twinpath
