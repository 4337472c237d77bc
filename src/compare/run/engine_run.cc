// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/run/engine_run.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/telemetry/client/client.h"

namespace twinpath {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience(20000), kGrace(10000), kPause(20);
// It writes to a file only what fills a buffer, so that this line comes long before its last one.
constexpr char kTestpmdRuns[] = "Checking link statuses";
constexpr size_t kMostWords = 300;

std::string LogOf(const EngineContext& c) { return c.folder + "/engine.log"; }

absl::StatusOr<Snapshot> Fetch(const std::string& file_prefix) {
  auto client = TelemetryClient::Connect(file_prefix);
  if (!client.ok()) return client.status();
  return FetchSnapshot(&*client);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineRun>> EngineRun::Start(const CompareEngine& engine,
                                                            const EngineContext& context,
                                                            const BareProgramMaker& bare) {
  std::unique_ptr<EngineRun> run(new EngineRun(engine, context));
  unlink(LogOf(context).c_str());
  absl::Status status;
  if (engine.keep == EngineKeep::kBuiltIn) {
    auto program = bare(engine.bare, context.lan, context.wan);
    status = program.status();
    if (program.ok()) run->bare_ = *std::move(program);
  } else if (engine.keep == EngineKeep::kCommands) {
    status = run->Make();
  } else {
    auto child = Child::Start(engine.start(context).front(),
                              {.output = LogOf(context), .errors = "", .cpus = context.cpus});
    status = child.status();
    if (child.ok()) {
      run->child_ = *std::move(child);
      status = run->WaitUntilReady();
    }
  }
  if (!status.ok()) return status;
  return run;
}

EngineRun::~EngineRun() {
  if (child_) child_->Stop(SIGINT, kGrace);
  if (!made_ || !engine_->undo) return;
  for (const Command& command : engine_->undo(context_))
    RunChild(command, context_.folder, kPatience).IgnoreError();
}

absl::Status EngineRun::Make() {
  made_ = true;
  for (const Command& command : engine_->start(context_)) {
    const auto done = RunChild(command, context_.folder, kPatience);
    if (!done.ok()) return done.status();
  }
  return absl::OkStatus();
}

absl::Status EngineRun::WaitUntilReady() {
  for (const auto deadline = steady_clock::now() + kPatience;;) {
    if (const std::string why = Ended(); !why.empty()) return absl::FailedPreconditionError(why);
    if (engine_->counters == EngineCounters::kTelemetry) {
      if (Fetch(context_.file_prefix).ok()) return absl::OkStatus();
    } else if (absl::StrContains(ReadFile(LogOf(context_)), kTestpmdRuns)) {
      return absl::OkStatus();
    }
    if (steady_clock::now() > deadline)
      return absl::DeadlineExceededError(absl::StrCat("it was not ready after 20 s", Words()));
    std::this_thread::sleep_for(kPause);
  }
}

std::string EngineRun::Ended() {
  if (!child_) return "";
  const auto status = child_->WaitFor(milliseconds(0));
  return status ? absl::StrCat("it ended with status ", *status, Words()) : "";
}

// The last lines that it wrote.
std::string EngineRun::Words() const {
  std::string log = ReadFile(LogOf(context_)), words;
  std::vector<std::string> lines = absl::StrSplit(log, '\n', absl::SkipWhitespace());
  for (size_t i = lines.size() > 3 ? lines.size() - 3 : 0; i < lines.size(); i++)
    absl::StrAppend(&words, words.empty() ? ": " : "; ", lines[i]);
  return words.substr(0, kMostWords);
}

absl::StatusOr<EngineReading> EngineRun::Read() const {
  EngineReading reading;
  if (engine_->counters == EngineCounters::kNft) {
    const auto list =
        RunChild({"nft", "-j", "list", "table", "netdev", "compare"}, context_.folder, kPatience);
    if (!list.ok()) return list.status();
    reading.dropped_on_purpose = NftDropped(*list);
    return reading;
  }
  if (bare_) reading.dropped_on_purpose = bare_->Dropped();
  if (engine_->counters != EngineCounters::kTelemetry) return reading;
  const auto snapshot = Fetch(context_.file_prefix);
  if (!snapshot.ok()) return snapshot.status();
  reading.counts = true;
  for (const QueueSnapshot& queue : snapshot->queues) {
    if (queue.port != "lan") continue;
    const tp_queue_counters& c = queue.counters;
    reading.in += c.rx.packets;
    reading.lost += c.verdict[TP_LOST].packets;
    reading.denied += c.verdict[TP_DENIED].packets;
    reading.malformed += c.verdict[TP_MALFORMED].packets;
    reading.pass += c.verdict[TP_PASS].packets;
    reading.no_port += c.verdict[TP_NO_PORT].packets;
    reading.tx_full += c.verdict[TP_TX_FULL].packets;
  }
  for (const RuleSnapshot& rule : snapshot->rules)
    reading.rules[rule.name] = {rule.matched.packets, rule.lost.packets};
  return reading;
}

}  // namespace twinpath
