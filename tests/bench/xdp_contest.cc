// SPDX-License-Identifier: BSD-3-Clause
// The policies, how they are loaded, and the comparisons.

#include "tests/bench/xdp_contest.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/xdp/program/libbpf_log.h"

namespace twinpath {
namespace {

constexpr uint32_t kManyFlows = 100000;
constexpr uint32_t kFlowStep = 7919;  // a prime that does not divide kManyFlows

// A UDP frame of 64 bytes from 10.0.0.1 to 10.1.x.y, where x.y is `flow`.
Frame FrameOf(uint32_t flow) {
  Frame frame = {2, 0, 0,  0,  0, 1, 2,  0, 0, 0, 0,  2, 8, 0, 0x45, 0,    0,    50,   0, 0,
                 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 1, 0, 0, 0x13, 0x88, 0x17, 0x70, 0, 30};
  frame.resize(64);
  frame[32] = static_cast<uint8_t>(flow >> 8);
  frame[33] = static_cast<uint8_t>(flow);
  return frame;
}

// 1 % loss by each model.
constexpr std::pair<const char*, const char*> kModels[] = {
    {"random", R"("rate": "1%")"},
    {"correlated", R"("rate": "1%", "correlation": "50%")"},
    {"gilbert_elliott", R"("p": "0.25%", "r": "24.75%")"},
    {"four_state", R"("p13": "0.2%", "p31": "20%", "p32": "5%", "p23": "50%", "p14": "0.01%")"},
    {"periodic", R"("every": 100)"},
    {"sequence", R"("packets": [3, 50], "repeat": 200)"},
};

// The end of a rule: loses by that model and scope, and drops the rest.
std::string LosesBy(size_t model, const char* scope = "queue") {
  return absl::StrCat(R"("loss": {"model": ")", kModels[model].first, R"(", )",
                      kModels[model].second, R"(, "scope": ")", scope, R"("}, "forward": "drop")");
}

std::string MatchAll(size_t model) {
  return absl::StrCat(R"({"version": 1, "default": {)", LosesBy(model), "}}");
}

// `count` five-tuple rules, all of one shape: rule i takes FrameOf(i).
std::string FiveTuples(uint32_t count) {
  std::string rules;
  for (uint32_t i = 0; i < count; i++) {
    absl::StrAppend(&rules, i ? "," : "", R"({"name": "r)", i,
                    R"(", "match": {"proto": "udp", "src": "10.0.0.1/32", "dst": "10.1.)", i >> 8,
                    ".", i & 255, R"(/32", "src_port": 5000, "dst_port": 6000}, )", LosesBy(0),
                    "}");
  }
  return absl::StrCat(R"({"version": 1, "rules": [)", rules, R"(], "default": {)", LosesBy(0),
                      "}}");
}

// One rule that reads every packet, so that only the scope differs between rows.
std::string Udp(size_t model, const char* scope) {
  return absl::StrCat(R"({"version": 1, "rules": [{"name": "udp", "match": {"proto": "udp"}, )",
                      LosesBy(model, scope), R"(}], "default": {"forward": "drop"}})");
}

// How a policy was loaded.
enum class Reloaded {
  kNo,
  kContinued,  // reloaded after itself: every rule continues
  kRestarted,  // reloaded after another seed: every rule that loses restarts
};

absl::StatusOr<LoadedPolicy> Load(const std::string& text, Reloaded reloaded,
                                  uint64_t flow_memory) {
  auto policy = ParsePolicy(text, "benchmark");
  if (!policy.ok()) return policy.status();
  Policy before = *policy;
  if (reloaded == Reloaded::kRestarted) before.seed++;
  auto compiled = CompilePolicy(before, {"lan"});
  if (!compiled.ok()) return compiled.status();
  auto run = XdpRun::Create(*compiled, OutPorts({"lan"}),
                            {.queues = {1},
                             .flow_memory = flow_memory,
                             .reloadable = reloaded != Reloaded::kNo,
                             .clock_given = false});
  if (!run.ok()) return run.status();
  LoadedPolicy loaded = {.run = *std::move(run), .program = -1};
  if (reloaded != Reloaded::kNo) {  // as XdpPath::Reload does
    auto after = CompilePolicy(*policy, {"lan"});
    if (!after.ok()) return after.status();
    XdpRun::Next next = {.policy = *std::move(after),
                         .continued = ContinuedRules(before, *policy),
                         .programs = {},
                         .places = {}};
    if (absl::Status status = loaded.run->Load({XdpFrames::kPlain}, &next); !status.ok())
      return status;
    ContinueFrom({before, loaded.run->policy()}, *policy, next.continued, 1, 0, &next.policy);
    loaded.run->Write(next);
    loaded.run->Commit(std::move(next));
  }
  auto program = loaded.run->Program(0, XdpFrames::kPlain);
  if (!program.ok()) return program.status();
  loaded.program = *program;
  return loaded;
}

// Fills a contest. `status` keeps the first error.
class Builder {
 public:
  explicit Builder(Contest* contest) : contest_(contest) {}

  // The programs without a policy, which ours are compared with.
  void AddPeers() {
    xdp_peers* peers = NewPeers();
    if (!peers) return;
    contest_->events.reset(perf_buffer__new(
        bpf_map__fd(peers->maps.events), 8, [](void*, int, void*, uint32_t) {}, nullptr, nullptr,
        nullptr));
    if (!contest_->events)
      status_.Update(absl::InternalError(absl::StrCat("perf_buffer__new: ", std::strerror(errno))));
    Add("bare XDP_DROP", bpf_program__fd(peers->progs.bare_drop));
    Add("two perf events, unread", bpf_program__fd(peers->progs.two_events));
  }

  // Each slice has the frame of one of `flows` flows (FrameOf).
  void AddPolicy(const std::string& name, const std::string& text,
                 Reloaded reloaded = Reloaded::kNo, uint32_t flows = 1, uint32_t step = 0) {
    const int program = LoadPolicy(name, text, reloaded);
    if (program < 0) return;
    Add(name, program);
    for (uint32_t i = 1; i < flows; i++)
      contest_->contenders.back().frames.push_back(FrameOf(i * step));
  }

  // Each packet is of the next of `flows` flows: another program writes the flow into the frame
  // first.
  void AddInTurn(const std::string& name, const std::string& text, uint32_t flows,
                 uint64_t flow_memory = kDefaultFlowMemory) {
    const int program = LoadPolicy(name, text, Reloaded::kNo, flow_memory);
    xdp_peers* peers = program < 0 ? nullptr : NewPeers();
    if (!peers) return;
    const uint32_t slot = 0;
    const int error =
        bpf_map_update_elem(bpf_map__fd(peers->maps.under_test), &slot, &program, BPF_ANY);
    if (error)
      status_.Update(absl::InternalError(
          absl::StrCat(name, ": adding it to the program array: ", std::strerror(-error))));
    peers->data->flows = flows;
    peers->bss->flow_step = flows > 1 ? kFlowStep : 0;
    Add(name, bpf_program__fd(peers->progs.in_turn));
    contest_->contenders.back().warm_up = flows;
  }

  void AddRow(Row row) { contest_->rows.push_back(std::move(row)); }

  absl::Status status() const { return status_; }

 private:
  void Add(const std::string& name, int program) {
    contest_->contenders.push_back({name, program, {FrameOf(0)}, 0, {}});
  }

  xdp_peers* NewPeers() {
    Peers peers(xdp_peers__open_and_load());
    if (!peers) status_.Update(absl::InternalError("loading the peers: " + xdp::TakeLibbpfLog()));
    contest_->peers.push_back(std::move(peers));
    return contest_->peers.back().get();
  }

  // The program's descriptor, owned by the contest; -1 after an error.
  int LoadPolicy(const std::string& name, const std::string& text, Reloaded reloaded,
                 uint64_t flow_memory = kDefaultFlowMemory) {
    if (!status_.ok()) return -1;
    auto loaded = Load(text, reloaded, flow_memory);
    if (!loaded.ok())
      status_ =
          absl::Status(loaded.status().code(), absl::StrCat(name, ": ", loaded.status().message()));
    if (!status_.ok()) return -1;
    contest_->policies.push_back(*std::move(loaded));
    return contest_->policies.back().program;
  }

  Contest* contest_;
  absl::Status status_;
};

// The frame of the first slice.
void AddPlain(Builder* builder) {
  builder->AddPeers();
  builder->AddPolicy("match-all, 1 % loss", MatchAll(0));
  builder->AddPolicy("1 five-tuple rule", FiveTuples(1));
  builder->AddPolicy("1,000 five-tuple rules", FiveTuples(1000), Reloaded::kNo, 16, 61);
  builder->AddPolicy("10,000 five-tuple rules", FiveTuples(10000), Reloaded::kNo, 16, 611);
  builder->AddRow({"match-all, 1 % loss", "bare XDP_DROP", Row::Is::kMore, 6});
  builder->AddRow({"1 five-tuple rule", "bare XDP_DROP", Row::Is::kMore, 25});
  builder->AddRow({"1,000 five-tuple rules", "1 five-tuple rule", Row::Is::kMore, 10});
  builder->AddRow({"10,000 five-tuple rules", "1 five-tuple rule", Row::Is::kMore, 10});
  builder->AddRow({"two perf events, unread", "match-all, 1 % loss", Row::Is::kTimesAboveBare, 10});
}

void AddReloaded(Builder* builder) {
  const std::pair<const char*, std::string> policies[] = {{"match-all, 1 % loss", MatchAll(0)},
                                                          {"1 five-tuple rule", FiveTuples(1)}};
  for (const auto& [name, text] : policies) {
    const std::string after = absl::StrCat(name, ", after a reload");
    builder->AddPolicy(after, text, Reloaded::kContinued);
    builder->AddRow({after, name, Row::Is::kTimes, 1.05});
    builder->AddPolicy(after + ", restarted", text, Reloaded::kRestarted);
    builder->AddRow({after + ", restarted", name, Row::Is::kTimes, 1.05});
  }
}

void AddModels(Builder* builder) {
  for (size_t model = 1; model < std::size(kModels); model++) {
    const std::string name = absl::StrCat("match-all, 1 % by ", kModels[model].first);
    builder->AddPolicy(name, MatchAll(model));
    builder->AddRow({name, "match-all, 1 % loss", Row::Is::kTimes, 1.15});
  }
}

// Scopes with one flow and with many flows, by the random model and by the most expensive one.
void AddScopes(Builder* builder) {
  for (const uint32_t flows : {1U, kManyFlows}) {
    for (const size_t model : {0, 2}) {
      const std::string of = absl::StrCat(flows == 1 ? "1 flow, " : "100,000 flows, ",
                                          kModels[model].first, ", scope ");
      for (const char* scope : {"queue", "flow", "packet"}) {
        if (model != 0 && std::string(scope) == "packet") continue;  // random only
        builder->AddInTurn(of + scope, Udp(model, scope), flows);
      }
      builder->AddRow({of + "flow", of + "queue", Row::Is::kTimes, 2.5});
      if (flows != 1 && model == 0) {
        builder->AddInTurn(of + "flow, 6 MiB", Udp(model, "flow"), flows, 6 << 20);
        builder->AddRow({of + "flow, 6 MiB", of + "queue", Row::Is::kTimes, 2.5});
      }
      if (model == 0) builder->AddRow({of + "packet", of + "queue", Row::Is::kTimes, {}});
    }
  }
}

}  // namespace

const Contender& Contest::Of(const std::string& name) const {
  return *std::find_if(contenders.begin(), contenders.end(),
                       [&name](const Contender& contender) { return contender.name == name; });
}

void Contest::Keep(const std::string& word) {
  std::erase_if(rows, [&word](const Row& row) { return row.what.find(word) == std::string::npos; });
  std::set<std::string> needed = {contenders.front().name};
  for (const Row& row : rows) needed.insert({row.what, row.beside});
  std::erase_if(contenders,
                [&needed](const Contender& contender) { return !needed.contains(contender.name); });
}

absl::StatusOr<Contest> SetUpContest(const std::string& only) {
  xdp::CaptureLibbpfLog();
  Contest contest;
  Builder builder(&contest);
  AddPlain(&builder);
  AddReloaded(&builder);
  AddModels(&builder);
  AddScopes(&builder);
  if (!builder.status().ok()) return builder.status();
  contest.Keep(only);
  return contest;
}

}  // namespace twinpath
