// SPDX-License-Identifier: BSD-3-Clause
// Replaces the policy while the workers run: each worker takes its part between two bursts. Any
// thread that carries no packets.

#include <utility>

#include "src/config/compile/packet_state.h"
#include "src/kernel/clock.h"
#include "src/policy/count.h"
#include "src/sockets/socket_path.h"

namespace twinpath {

absl::StatusOr<ReloadOutcome> SocketPath::Reload(const Policy& policy, CompiledPolicy compiled) {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::UnavailableError("the program is ending");
  if (absl::Status tags = CheckTags(compiled); !tags.ok()) return tags;
  std::unique_ptr<Generation> next(new Generation{policy, std::move(compiled)});
  const std::vector<uint32_t> kept = ContinuedRules(in_force_->policy, policy);
  const uint64_t number = reloads_.load() + 1;
  ContinueFrom({in_force_->policy, in_force_->compiled}, policy, kept, number, CoarseNow(),
               &next->compiled);
  if (next->compiled.has_flows && flows_ == nullptr)
    if (absl::Status made = MakeFlows(); !made.ok()) return made;
  const size_t rules = in_force_->compiled.rules.size();
  const std::vector<uint32_t> removed = RemovedRules(rules, kept);
  std::vector<std::vector<SocketQueuePolicy>> parts;
  for (const auto& worker : workers_) {
    parts.emplace_back();
    for (const auto& queue : worker->queues())
      parts.back().push_back(MakeSocketQueuePolicy(next->compiled, flows(), queue.get()));
  }
  std::lock_guard<std::mutex> no_reader(snapshot_);
  std::vector<RuleSnapshot> counted(rules);
  for (size_t w = 0; w < workers_.size(); w++) {
    workers_[w]->Do([&] {
      for (size_t q = 0; q < parts[w].size(); q++) {
        SocketQueue* queue = workers_[w]->queues()[q].get();
        SocketQueuePolicy* part = &parts[w][q];
        KeepStreams({queue->states.data(), queue->plan.datapath.rule_extras},
                    {part->states.data(), part->plan.datapath.rule_extras}, kept, removed,
                    &queue->retired);
        std::swap(static_cast<SocketQueuePolicy&>(*queue), *part);
        AddStates(part->states.data(), rules, &counted);
      }
    });
  }
  decisions_.Replace(counted, kept, next->compiled.rules);
  in_force_.swap(next);
  reloads_.store(number);
  ReloadOutcome outcome = {.rules = in_force_->compiled.rules.size(), .reloads = number};
  for (const uint32_t old : kept) outcome.continued += old != TP_NO_RULE;
  return outcome;  // the old policy is freed with `next` and `parts`
}

absl::StatusOr<PacketState> SocketPath::StateFor(size_t port, uint32_t queue,
                                                 absl::Span<const uint8_t> frame) const {
  std::lock_guard<std::mutex> one(snapshot_);
  if (queue >= options_.queues) return NoSuchQueue(ports_[port]->spec.name, queue, options_.queues);
  const CompiledPolicy& compiled = in_force_->compiled;
  const uint64_t now = CoarseNow();
  PacketState state = {.queues = options_.queues,
                       .at_ns = now - origin_,
                       .completes = Completes(*ports_[port]),
                       .matched = {},
                       .flow_matched = std::vector<uint64_t>(compiled.rules.size()),
                       .age_ns = AgesOf(compiled, now)};
  for (const auto& served : workers_[queue]->queues()) {
    if (served->port != port) continue;
    for (const tp_state& stream : served->states) state.matched.push_back(tp_count_load(&stream.n));
  }
  if (flows_ == nullptr) return state;
  const tp_flow_table* table = flows_->table();
  state.flow_matched = FlowPackets(compiled, port, frame, table->size,
                                   [table](uint32_t index, tp_flow_bucket* bucket) {
                                     *bucket = table->buckets[index];
                                     return true;
                                   });
  return state;
}

std::string SocketPath::policy_file() const {
  std::lock_guard<std::mutex> one(snapshot_);
  return in_force_->policy.file;
}

}  // namespace twinpath
