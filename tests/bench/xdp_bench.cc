// SPDX-License-Identifier: BSD-3-Clause
// What the XDP program costs a packet, by BPF_PROG_TEST_RUN, beside a program that only drops and
// one that reports each packet by perf events. A round runs all contenders in turn, many times
// over, a slice of the packets each time, so that a clock that drifts slows all of them; each
// figure is the median over the rounds, and a difference the median of the rounds' differences. The
// harness itself costs some 20 ns, so what counts are the differences.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "src/config/compile.h"
#include "src/config/policy.h"
#include "src/xdp/bpf_object.h"
#include "src/xdp/libbpf_log.h"
#include "xdp_peers.skel.h"

namespace twinpath {
namespace {

using Frame = std::vector<uint8_t>;

constexpr uint32_t kSlices = 16;  // of a round; one test run each, which costs a while to start

constexpr char kLoss[] = R"("loss": {"model": "random", "rate": "1%"}, "forward": "drop")";

// A UDP frame of 64 octets from host 10.0.0.1 to host 10.1.x.y, x.y being `flow`.
Frame FrameOf(uint32_t flow) {
  Frame frame = {2, 0, 0,  0,  0, 1, 2,  0, 0, 0, 0,  2, 8, 0, 0x45, 0,    0,    50,   0, 0,
                 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 1, 0, 0, 0x13, 0x88, 0x17, 0x70, 0, 30};
  frame.resize(64);
  frame[32] = static_cast<uint8_t>(flow >> 8);
  frame[33] = static_cast<uint8_t>(flow);
  return frame;
}

// A policy of `count` five-tuple rules, all of one shape: rule i takes FrameOf(i).
std::string PolicyOf(uint32_t count) {
  std::string rules;
  for (uint32_t i = 0; i < count; i++) {
    absl::StrAppend(&rules, i ? "," : "", R"({"name": "r)", i,
                    R"(", "match": {"proto": "udp", "src": "10.0.0.1/32", "dst": "10.1.)", i >> 8,
                    ".", i & 255, R"(/32", "src_port": 5000, "dst_port": 6000}, )", kLoss, "}");
  }
  return absl::StrCat(R"({"version": 1, "rules": [)", rules, R"(], "default": {)", kLoss, "}}");
}

struct Contender {
  std::string name;
  int program = -1;
  std::vector<Frame> frames;  // in turn, one a slice
  std::vector<double> ns;     // a packet, one for each round
};

// Packets are charged by the thread's CPU time, which has fractions of a nanosecond where the test
// run's own report has none.
absl::StatusOr<double> Measure(const Contender& contender, const Frame& frame, uint32_t repeats) {
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeats);
  timespec start = {}, end = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  const int error = bpf_prog_test_run_opts(contender.program, &options);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  if (error)
    return absl::InternalError(
        absl::StrCat("BPF_PROG_TEST_RUN of ", contender.name, ": ", std::strerror(-error)));
  const double ns = 1e9 * static_cast<double>(end.tv_sec - start.tv_sec) +
                    static_cast<double>(end.tv_nsec - start.tv_nsec);
  return ns / repeats;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// A policy's program, loaded.
struct Loaded {
  std::unique_ptr<XdpTables> tables;
  std::optional<XdpProgram> program;
};

absl::StatusOr<Loaded> Load(const std::string& policy_text) {
  auto policy = ParsePolicy(policy_text, "benchmark");
  if (!policy.ok()) return policy.status();
  auto compiled = CompilePolicy(*policy, {"lan"});
  if (!compiled.ok()) return compiled.status();
  Loaded loaded;
  auto tables = XdpTables::Create(*std::move(compiled), {1});
  if (!tables.ok()) return tables.status();
  loaded.tables = *std::move(tables);
  auto program = XdpProgram::Load(*loaded.tables, 0, XdpProgram::Frames::kPlain);
  if (!program.ok()) return program.status();
  loaded.program = *std::move(program);
  return loaded;
}

struct PeersDeleter {
  void operator()(xdp_peers* peers) const { xdp_peers__destroy(peers); }
};
struct PerfBufferDeleter {
  void operator()(perf_buffer* buffer) const { perf_buffer__free(buffer); }
};

// What is measured, and keeps what it is measured with.
struct Contest {
  std::vector<Contender> contenders;
  std::vector<Loaded> policies;
  std::unique_ptr<xdp_peers, PeersDeleter> peers;
  std::unique_ptr<perf_buffer, PerfBufferDeleter> events;  // which nobody reads
};
enum { kBare, kMatchAll, kFiveTuple, kThousand, kTenThousand, kTwoEvents };

absl::StatusOr<Contest> SetUp() {
  xdp::CaptureLibbpfLog();
  Contest contest;
  contest.peers.reset(xdp_peers__open_and_load());
  if (!contest.peers) return absl::InternalError("loading the peers: " + xdp::TakeLibbpfLog());
  contest.events.reset(perf_buffer__new(
      bpf_map__fd(contest.peers->maps.events), 8, [](void*, int, void*, uint32_t) {}, nullptr,
      nullptr, nullptr));
  if (!contest.events)
    return absl::InternalError(absl::StrCat("perf_buffer__new: ", std::strerror(errno)));
  for (uint32_t rules : {0U, 1U, 1000U, 10000U}) {
    auto loaded = Load(PolicyOf(rules));
    if (!loaded.ok()) return loaded.status();
    contest.policies.push_back(*std::move(loaded));
  }
  const auto add = [&contest](const std::string& name, int program, uint32_t flows, uint32_t step) {
    contest.contenders.push_back({name, program, {}, {}});
    for (uint32_t i = 0; i < flows; i++)
      contest.contenders.back().frames.push_back(FrameOf(i * step));
  };
  const auto policy = [&contest](size_t i) { return contest.policies[i].program->fd(); };
  add("bare XDP_DROP", bpf_program__fd(contest.peers->progs.bare_drop), 1, 0);
  add("match-all, 1 % loss", policy(0), 1, 0);
  add("1 five-tuple rule", policy(1), 1, 0);
  add("1,000 five-tuple rules", policy(2), 16, 61);
  add("10,000 five-tuple rules", policy(3), 16, 611);
  add("two perf events, unread", bpf_program__fd(contest.peers->progs.two_events), 1, 0);
  return contest;
}

const Contender& At(const Contest& contest, int i) {
  return contest.contenders[static_cast<size_t>(i)];
}

// The nanoseconds by which one contender's packet is dearer than another's: the median round.
double Above(const Contest& contest, int what, int beside) {
  std::vector<double> more = At(contest, what).ns;
  const std::vector<double>& less = At(contest, beside).ns;
  for (size_t i = 0; i < more.size(); i++) more[i] -= less[i];
  return Median(std::move(more));
}

nlohmann::ordered_json Result(const Contest& contest, int what, int beside, double ratio,
                              const char* ratio_is, const char* target_is, double target,
                              bool met) {
  return {{"name", At(contest, what).name},
          {"value", Median(At(contest, what).ns)},
          {"unit", "ns"},
          {"peer", At(contest, beside).name},
          {"peer_value", Median(At(contest, beside).ns)},
          {"ratio", ratio},
          {"ratio_is", ratio_is},
          {"target_is", target_is},
          {"target", target},
          {"met", met},
          {"samples", At(contest, what).ns},
          {"peer_samples", At(contest, beside).ns}};
}

nlohmann::ordered_json Results(const Contest& contest) {
  const auto above = [&](int what, int beside, double target) {
    const double more = Above(contest, what, beside);
    return Result(contest, what, beside, more, "ns more", "at most", target, more <= target);
  };
  const double dearer = Above(contest, kTwoEvents, kBare) / Above(contest, kMatchAll, kBare);
  return {above(kMatchAll, kBare, 6), above(kFiveTuple, kBare, 25),
          above(kThousand, kFiveTuple, 10), above(kTenThousand, kFiveTuple, 10),
          Result(contest, kTwoEvents, kMatchAll, dearer, "times as dear, above bare XDP_DROP",
                 "at least", 10, dearer >= 10)};
}

void Print(const nlohmann::ordered_json& report) {
  absl::PrintF("%d rounds of %d packets, median ns a packet\n\n", report["rounds"].get<int>(),
               report["repeats"].get<int>());
  for (const auto& result : report["results"])
    absl::PrintF("%-24s %7.2f   beside %-22s %7.2f   %7.2f %s (target: %s %.0f) %s\n",
                 result["name"].get<std::string>(), result["value"].get<double>(),
                 result["peer"].get<std::string>(), result["peer_value"].get<double>(),
                 result["ratio"].get<double>(), result["ratio_is"].get<std::string>(),
                 result["target_is"].get<std::string>(), result["target"].get<double>(),
                 result["met"].get<bool>() ? "met" : "MISSED");
}

absl::Status RunRound(Contest& contest, uint32_t repeats) {
  for (Contender& contender : contest.contenders) contender.ns.push_back(0);
  for (uint32_t slice = 0; slice < kSlices; slice++) {
    for (Contender& contender : contest.contenders) {
      auto ns =
          Measure(contender, contender.frames[slice % contender.frames.size()], repeats / kSlices);
      if (!ns.ok()) return ns.status();
      contender.ns.back() += *ns / kSlices;
    }
  }
  return absl::OkStatus();
}

// One CPU from start to finish.
void StayOnThisCpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &cpus);
  sched_setaffinity(0, sizeof(cpus), &cpus);
}

int Main(int argc, char** argv) {
  uint32_t rounds = 7, repeats = 10000000;
  bool json = false;
  CLI::App app("Measures the XDP program by BPF_PROG_TEST_RUN.");
  app.add_option("--rounds", rounds, "Rounds, of which the median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--repeats", repeats, "Packets a round and contender")
      ->check(CLI::Range(1000, 1000000000))
      ->capture_default_str();
  app.add_flag("--json", json, "Print JSON");
  CLI11_PARSE(app, argc, argv);
  StayOnThisCpu();
  auto contest = SetUp();
  absl::Status status = contest.status();
  for (uint32_t round = 0; status.ok() && round < rounds; round++)
    status = RunRound(*contest, repeats);
  if (!status.ok()) {
    std::fprintf(stderr, "xdp_bench: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  const nlohmann::ordered_json report = {
      {"path", "xdp"}, {"rounds", rounds}, {"repeats", repeats}, {"results", Results(*contest)}};
  if (json)
    std::printf("%s\n", report.dump(2).c_str());
  else
    Print(report);
  return 0;
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
