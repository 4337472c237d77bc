// SPDX-License-Identifier: BSD-3-Clause
// Starts EAL for the replay.

#include "src/dpdk/replay/replay_eal.h"

#include <sched.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/eal/eal.h"
#include "src/dpdk/eal/preflight.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

// Address space. Only used pages take memory.
constexpr uint64_t kMemoryBytes = 1ull << 30;

absl::Status Start() {
  if (absl::Status mounted = CheckMounts(Machine()); !mounted.ok()) return mounted;
  const std::vector<uint32_t> cpus = AllowedCpus();
  if (cpus.empty()) return absl::FailedPreconditionError("sched_getaffinity failed");
  EalRequest request = {.lcores = {cpus.front()},
                        .file_prefix = absl::StrCat("twinpath-replay-", getpid()),
                        .memory_bytes = kMemoryBytes,
                        .telemetry = false};
  // Another program could take the free hugepages between a check and the start. A replay does not
  // need the speed of hugepages.
  request.arguments = {"--no-huge"};
  auto plan = PlanEal(request);
  if (!plan.ok()) return plan.status();
  auto instance = FilePrefixLock::Create(plan->file_prefix);
  if (!instance.ok()) return instance.status();

  cpu_set_t before;
  CPU_ZERO(&before);
  sched_getaffinity(0, sizeof(before), &before);
  // Memory is private and there is no telemetry, so EAL keeps working when `eal` removes the
  // runtime folder.
  StderrCapture capture;
  auto eal = Eal::Create(*plan, *std::move(instance));
  if (!eal.ok()) return eal.status();
  sched_setaffinity(0, sizeof(before), &before);
  return absl::OkStatus();
}

}  // namespace

absl::Status StartReplayEal() {
  static const auto& started = *new absl::Status(Start());
  return started;
}

}  // namespace twinpath
