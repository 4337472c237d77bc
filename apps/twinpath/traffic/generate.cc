// SPDX-License-Identifier: BSD-3-Clause
// twinpath generate: sends a stream of numbered frames, or a capture, at a rate. Main thread.

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/twinpath/subcommand.h"
#include "apps/twinpath/traffic/backends.h"
#include "apps/twinpath/traffic/generate_options.h"
#include "apps/twinpath/traffic/report.h"
#include "apps/twinpath/traffic/stop.h"
#include "src/dpdk/quirks/interface_guard.h"

namespace twinpath {
namespace {

constexpr char kGenerate[] = "twinpath generate";

// Packets a second of a schedule; 0 where that is not known.
double PacketRate(const Generation& generation) {
  const Rate& rate = generation.rate;
  const double each = static_cast<double>(rate.thousandths) / 1000;
  if (rate.unit == RateUnit::kPackets) return each;
  if (rate.unit == RateUnit::kMax) return 0;
  double bytes = 0;  // of the first frames
  constexpr uint64_t kLook = 1000;
  for (uint64_t n = 0; n < kLook; n++) bytes += generation.source().Size(n) + generation.overhead;
  return each * kLook / (bytes * 8);
}

int Generate(const GenerateOptions& options) {
  auto generation = MakeGeneration(options);
  if (!generation.ok()) return PrintError(kGenerate, kWrong, generation.status());
  const FrameSource& source = generation->source();
  StopSignals stopped;
  bool ended = false;
  const auto guard = GuardPort(options.port, options.backend, &ended);
  if (!guard.ok()) return PrintError(kGenerate, kWrong, guard.status());
  if (ended) return kDone;
  auto chosen = ChooseSender(options.port, options.backend, source,
                             generation->plan.has_value() ? &*generation->plan : nullptr,
                             PacketRate(*generation), guard->get());
  if (!chosen.ok()) return PrintError(kGenerate, kWrong, chosen.status());
  std::cerr << absl::StrCat(kGenerate, ": sending out of ", options.port, " by ", chosen->why,
                            "\n");
  SendLimits limits = generation->limits;
  limits.stopped = [&stopped] { return stopped(); };
  const SendResult result = RunSender(source, generation->schedule, limits, chosen->sender.get());
  const Sent sent = {.port = options.port,
                     .backend = chosen->name,
                     .why = chosen->why,
                     .tagged = generation->tagged,
                     .stream = options.stream,
                     .asked = generation->rate,
                     .overhead = generation->overhead,
                     .recorded = generation->recorded,
                     .planned = generation->planned,
                     .result = result};
  if (options.json) {
    std::cout << SentJson(sent).dump(2) << "\n";
  } else {
    std::cout << SentText(sent);
  }
  if (result.failure.ok()) return kDone;
  std::cout.flush();
  return PrintErrorLine(kGenerate, kFailed, result.failure.message());
}

}  // namespace

void AddGenerate(CLI::App* app, Run* run) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* generate =
      app->add_subcommand("generate", "Send a stream of numbered frames, or a capture, at a rate");
  AddGenerateOptions(generate, options.get());
  generate->callback([options, run] { *run = [options] { return Generate(*options); }; });
}

}  // namespace twinpath
