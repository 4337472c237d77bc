// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/run/bench.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

using nlohmann::json;
using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSettle(20), kSettleMost(2000), kSlack(20000), kReceiverStart(10000);
constexpr double kWarmUpRate = 20'000, kWarmUpSeconds = 0.1;
constexpr int kWarmUps = 20;

uint64_t Less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

// What a child wrote as JSON, or its error.
absl::StatusOr<json> Answer(const std::string& who, int status, const std::string& output,
                            const std::string& errors) {
  if (status != 0) return absl::InternalError(absl::StrCat(who, ": ", ReadFile(errors)));
  json answer = json::parse(ReadFile(output), nullptr, false);
  if (!answer.is_object()) return absl::InternalError(absl::StrCat(who, " printed no JSON"));
  return answer;
}

// Waits until a packet socket is bound to the interface: the receiver's. A frame before that would
// only be lost to it.
void WaitForReceiver(const std::string& interface) {
  const std::string index = absl::StrCat(IndexOfLink(interface));
  const auto deadline = steady_clock::now() + kReceiverStart;
  while (steady_clock::now() < deadline) {
    // sk RefCnt Type Proto Iface R Rmem User Inode
    for (const std::string& line :
         std::vector<std::string>(absl::StrSplit(ReadFile("/proc/net/packet"), '\n'))) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (words.size() > 5 && words[4] == index && words[5] == "1") return;
    }
    std::this_thread::sleep_for(kSettle);
  }
}

LatencyResult LatencyOf(const json& received) {
  LatencyResult latency;
  for (const json& stream : received.value("streams", json::array())) {
    const json& ns = stream["latency_ns"];
    latency = {ns.value("p50", 0.0), ns.value("p99", 0.0), ns.value("p99.9", 0.0),
               ns.value("max", 0.0)};
  }
  return latency;
}

}  // namespace

void Bench::MeasureIdle(double seconds) {
  const CpuAccounts before = accounts_.Cpus();
  std::this_thread::sleep_for(duration<double>(seconds));
  idle_ = RateWithout(before, accounts_.Cpus(), static_cast<int>(setup_.generator_cpu), seconds);
}

Command Bench::GeneratorCommand(const TrialRequest& request) const {
  return {setup_.programs + "/twinpath",
          "generate",
          "--port",
          setup_.links.generator,
          "--size",
          absl::StrCat(request.size),
          "--flows",
          absl::StrCat(setup_.flows),
          "--rate",
          request.rate > 0 ? absl::StrFormat("%.0fpps", request.rate) : "max",
          "--duration",
          absl::StrFormat("%.3g", request.seconds),
          "--json"};
}

absl::StatusOr<json> Bench::RunGenerator(const TrialRequest& request) {
  const std::string output = setup_.folder + "/sent.json", errors = setup_.folder + "/sent.err";
  unlink(output.c_str());
  unlink(errors.c_str());
  auto child = Child::Start(GeneratorCommand(request),
                            {.output = output, .errors = errors, .cpus = {setup_.generator_cpu}});
  if (!child.ok()) return child.status();
  const milliseconds most(static_cast<int64_t>(1000 * request.seconds) + kSlack.count());
  const auto status = child->WaitFor(most);
  if (!status) return absl::DeadlineExceededError("the generator did not end");
  return Answer("the generator", *status, output, errors);
}

absl::StatusOr<Bench::Reading> Bench::Read(const EngineRun& engine, bool machine) const {
  Reading reading;
  if (machine) {
    reading.cpus = accounts_.Cpus();
    reading.processes = accounts_.Processes();
  }
  reading.generator = ReadCounts(setup_.links.generator);
  reading.lan = ReadCounts(setup_.links.lan);
  reading.wan = ReadCounts(setup_.links.wan);
  reading.receiver = ReadCounts(setup_.links.receiver);
  auto counters = engine.Read();
  if (!counters.ok()) return counters.status();
  reading.engine = *std::move(counters);
  return reading;
}

absl::StatusOr<Bench::Reading> Bench::Settle(const EngineRun& engine) const {
  const auto deadline = steady_clock::now() + kSettleMost;
  auto last = Read(engine, false);
  for (int still = 0; last.ok() && still < 2 && steady_clock::now() < deadline;) {
    std::this_thread::sleep_for(kSettle);
    auto next = Read(engine, false);
    if (!next.ok()) return next;
    const bool moved = next->engine.in != last->engine.in ||
                       next->receiver.rx_packets != last->receiver.rx_packets ||
                       next->generator.rx_packets != last->generator.rx_packets ||
                       next->lan.rx_packets != last->lan.rx_packets;
    still = moved ? 0 : still + 1;
    last = std::move(next);
  }
  return last;
}

Trial Bench::TrialOf(EngineSink sink, const Reading& before, const Reading& after,
                     const json& sent) const {
  const EngineReading &a = before.engine, &b = after.engine;
  TrialCounters c;
  c.sent = sent.value("handed_over_packets", uint64_t{0});
  c.lan_in = Less(after.lan.rx_packets, before.lan.rx_packets);
  // A veth counts the frames of a full ring at the sender's end.
  c.lan_ring_full = setup_.links.own ? Less(after.generator.tx_dropped, before.generator.tx_dropped)
                                     : Less(after.lan.rx_dropped, before.lan.rx_dropped);
  switch (sink) {
    case EngineSink::kReceiver:
      c.out_ring_full = Less(after.wan.tx_dropped, before.wan.tx_dropped);
      c.received = Less(after.receiver.rx_packets, before.receiver.rx_packets);
      break;
    case EngineSink::kGenerator:
      c.out_ring_full = Less(after.lan.tx_dropped, before.lan.tx_dropped);
      c.received = Less(after.generator.rx_packets, before.generator.rx_packets);
      break;
    case EngineSink::kEngine:
      c.received = c.lan_in;
      break;
  }
  c.engine_counts = b.counts;
  c.engine_in = Less(b.in, a.in);
  c.lost = Less(b.lost, a.lost);
  c.denied = Less(b.denied, a.denied);
  c.malformed = Less(b.malformed, a.malformed);
  c.pass = Less(b.pass, a.pass);
  c.no_port = Less(b.no_port, a.no_port);
  c.tx_full = Less(b.tx_full, a.tx_full);
  c.dropped_on_purpose = Less(b.dropped_on_purpose, a.dropped_on_purpose);
  Trial trial;
  trial.seconds = sent.value("duration_s", 0.0);
  trial.counts = CountsOf(c);
  for (const auto& [name, counts] : b.rules) {
    const auto earlier = a.rules.find(name);
    const auto start = earlier == a.rules.end() ? std::pair<uint64_t, uint64_t>() : earlier->second;
    const uint64_t matched = Less(counts.first, start.first);
    const auto asked = setup_.loss_asked.find(name);
    trial.matched += matched;
    trial.lost += Less(counts.second, start.second);
    if (asked != setup_.loss_asked.end())
      trial.lost_asked += asked->second * static_cast<double>(matched);
  }
  return trial;
}

// While latency is measured, frames go on to the receiver's program; else they end in the driver,
// where nobody has to keep up with them.
absl::Status Bench::Receive(EngineSink sink, bool latency) {
  const std::string& at =
      sink == EngineSink::kGenerator ? setup_.links.generator : setup_.links.receiver;
  if (sink_ && passing_ == latency && sink_at_ == at) return absl::OkStatus();
  sink_.reset();
  if (!setup_.links.own) return absl::OkStatus();
  auto program = bare_(latency ? BareKind::kPass : BareKind::kDrop, at, "");
  if (!program.ok()) return program.status();
  sink_ = *std::move(program);
  sink_at_ = at;
  passing_ = latency;
  return absl::OkStatus();
}

absl::Status Bench::WarmUp(EngineRun* engine, uint32_t size) {
  if (absl::Status s = Receive(engine->sink(), false); !s.ok()) return s;
  for (int i = 0; i < kWarmUps; i++) {
    const auto before = Read(*engine, false);
    if (!before.ok()) return before.status();
    const auto sent = RunGenerator({.rate = kWarmUpRate, .seconds = kWarmUpSeconds, .size = size});
    if (!sent.ok()) return sent.status();
    const auto after = Settle(*engine);
    if (!after.ok()) return after.status();
    const Trial trial = TrialOf(engine->sink(), *before, *after, *sent);
    if (trial.counts.received + trial.counts.policy > 0) return absl::OkStatus();
    if (const std::string why = engine->Ended(); !why.empty())
      return absl::FailedPreconditionError(why);
  }
  return absl::FailedPreconditionError("no frame came through");
}

absl::StatusOr<Trial> Bench::Measure(EngineRun* engine, const TrialRequest& request) {
  if (absl::Status s = Receive(engine->sink(), request.latency); !s.ok()) return s;
  const std::string output = setup_.folder + "/received.json",
                    errors = setup_.folder + "/received.err";
  std::optional<Child> receiver;
  if (request.latency) {
    unlink(output.c_str());
    unlink(errors.c_str());
    auto child = Child::Start(
        {setup_.programs + "/twinpath", "receive", "--port", setup_.links.receiver, "--json"},
        {.output = output, .errors = errors, .cpus = {}});
    if (!child.ok()) return child.status();
    receiver = *std::move(child);
    WaitForReceiver(setup_.links.receiver);
  }
  const auto before = Read(*engine, true);
  if (!before.ok()) return before.status();
  const auto start = steady_clock::now();
  const auto sent = RunGenerator(request);
  if (!sent.ok()) return sent.status();
  const CpuAccounts cpus = accounts_.Cpus();
  const ProcessTimes processes = accounts_.Processes();
  const double seconds = duration<double>(steady_clock::now() - start).count();
  const auto after = Settle(*engine);
  if (!after.ok()) return after.status();
  Trial trial = TrialOf(engine->sink(), *before, *after, *sent);
  trial.asked = request.rate;
  trial.cpu =
      EngineCpuOf(before->cpus, cpus, static_cast<int>(setup_.generator_cpu), idle_, seconds);
  trial.noise = NoiseOf(trial.cpu, OthersBetween(before->processes, processes, setup_.root),
                        seconds, setup_.cpus);
  if (receiver) {
    const int status = receiver->Stop(SIGINT, kReceiverStart);
    const auto received = Answer("the receiver", status, output, errors);
    if (!received.ok()) return received.status();
    trial.latency = LatencyOf(*received);
  }
  return trial;
}

}  // namespace twinpath
