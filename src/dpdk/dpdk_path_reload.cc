// SPDX-License-Identifier: BSD-3-Clause
// Replaces the policy while the workers run (RCU with quiescent states: the DPDK programmer's
// guide, "RCU library"). Any thread other than an lcore.

#include <rte_lcore.h>
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/packet_state.h"
#include "src/dpdk/dpdk_path.h"
#include "src/kernel/clock.h"
#include "src/policy/count.h"

namespace twinpath {
namespace {

// The pause between two checks of the workers. A worker may need this thread's CPU.
constexpr std::chrono::microseconds kCheckInterval(20);

// The final counts of the old policy's `count` rules.
std::vector<RuleSnapshot> CountsOf(const std::vector<PendingPolicy>& pendings, size_t count) {
  std::vector<RuleSnapshot> rules(count);
  for (const PendingPolicy& pending : pendings)
    for (const QueuePolicy& queue : pending.queues) AddStates(queue.states.get(), count, &rules);
  return rules;
}

}  // namespace

absl::Status DpdkPath::MakeFlows() {
  auto flows = FlowTable::Create(FlowTableWithin(profile_.flow_memory),
                                 static_cast<int>(rte_lcore_to_socket_id(lcores_.front())),
                                 lcores_.size() == 1);
  if (!flows.ok()) return flows.status();
  flows_ = *std::move(flows);
  return absl::OkStatus();
}

// All workers are online from now on: a thread that waits for them waits until they run.
absl::Status DpdkPath::MakeQuiescence() {
  const auto workers = static_cast<uint32_t>(lcores_.size());
  auto memory = EmptyInEal<uint8_t>(rte_rcu_qsbr_get_memsize(workers), "quiescent states",
                                    static_cast<int>(rte_lcore_to_socket_id(lcores_.front())));
  if (!memory.ok()) return memory.status();
  quiescence_memory_ = *std::move(memory);
  quiescence_ = reinterpret_cast<rte_rcu_qsbr*>(quiescence_memory_.get());
  rte_rcu_qsbr_init(quiescence_, workers);
  for (uint32_t id = 0; id < workers; id++) {
    rte_rcu_qsbr_thread_register(quiescence_, id);
    rte_rcu_qsbr_thread_online(quiescence_, id);
  }
  return absl::OkStatus();
}

void DpdkPath::GoOffline() {
  for (uint32_t id = 0; id < lcores_.size(); id++) rte_rcu_qsbr_thread_offline(quiescence_, id);
}

// Returns when every worker has passed a quiescent state, or is offline.
void DpdkPath::WaitForWorkers() {
  const uint64_t token = rte_rcu_qsbr_start(quiescence_);
  while (rte_rcu_qsbr_check(quiescence_, token, false) == 0)
    std::this_thread::sleep_for(kCheckInterval);
}

bool DpdkPath::AnyHasPending() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->HasPending(); });
}

absl::Status DpdkPath::CheckReload(const CompiledPolicy& compiled) const {
  for (size_t p = 0; p < ports_.size(); p++) {
    if (can_pass_[p] || !Passes(compiled, p)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "port ", ports_[p].name(),
        ": the policy passes packets to the kernel, but the port has no ",
        "exception port, because the first policy passed none; restart with this policy"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ReloadOutcome> DpdkPath::Reload(const Policy& policy, CompiledPolicy compiled) {
  while (!running_.load()) std::this_thread::sleep_for(kCheckInterval);
  std::lock_guard<std::mutex> one(reload_);
  absl::Status possible = CheckReload(compiled);
  if (!possible.ok()) return possible;
  std::unique_ptr<Generation> next(new Generation{policy, std::move(compiled), std::nullopt});
  const std::vector<uint32_t> continued = ContinuedRules(in_force_->policy, policy);
  const uint64_t number = reloads_.load() + 1;
  ContinueFrom({in_force_->policy, in_force_->compiled}, policy, continued, number, CoarseNow(),
               &next->compiled);
  auto tables = PolicyTables::Create(next->compiled,
                                     static_cast<int>(rte_lcore_to_socket_id(lcores_.front())));
  if (!tables.ok()) return tables.status();
  next->tables = *std::move(tables);
  if (next->compiled.has_flows && !flows_.has_value())
    if (absl::Status made = MakeFlows(); !made.ok()) return made;
  std::vector<PendingPolicy> pendings;
  for (const auto& worker : workers_) {
    auto pending = worker->Prepare(next->compiled, *next->tables,
                                   flows_.has_value() ? flows_->get() : nullptr, continued);
    if (!pending.ok()) return pending.status();
    pendings.push_back(*std::move(pending));
  }
  {
    std::lock_guard<std::mutex> no_reader(snapshot_);
    for (size_t i = 0; i < workers_.size(); i++) workers_[i]->Publish(&pendings[i]);
    // After the first wait every running worker has seen the policy. Each further wait gives every
    // worker the time to switch one more queue, unless its run ends meanwhile.
    size_t waits = 0;
    for (const auto& worker : workers_) waits = std::max(waits, worker->queues().size() + 1);
    for (; waits > 0 && AnyHasPending(); waits--) WaitForWorkers();
    for (const auto& worker : workers_)
      while (worker->HasPending()) worker->ApplyPending();  // this worker does not run any more
    decisions_.Replace(CountsOf(pendings, in_force_->compiled.rules.size()), continued,
                       next->compiled.rules);
    in_force_.swap(next);
    reloads_.store(number);
  }
  ReloadOutcome outcome = {.rules = in_force_->compiled.rules.size(), .reloads = number};
  for (const uint32_t old : continued) outcome.continued += old != TP_NO_RULE;
  return outcome;  // the old policy is freed with `next` and `pendings`
}

absl::StatusOr<PacketState> DpdkPath::StateFor(size_t port, uint32_t queue,
                                               absl::Span<const uint8_t> frame) const {
  while (!running_.load()) std::this_thread::sleep_for(kCheckInterval);
  std::lock_guard<std::mutex> one(snapshot_);
  if (queue >= profile_.queues) return NoSuchQueue(ports_[port].name(), queue, profile_.queues);
  const CompiledPolicy& compiled = in_force_->compiled;
  const uint64_t now = CoarseNow();
  PacketState state = {.queues = profile_.queues,
                       .at_ns = now - origin_,
                       .completes = ports_[port].device().completes,
                       .matched = {},
                       .flow_matched = std::vector<uint64_t>(compiled.rules.size()),
                       .age_ns = AgesOf(compiled, now)};
  for (const auto& worker : workers_)
    for (const auto& served : worker->queues())
      for (size_t r = 0; served->port == port && served->queue == queue && r < worker->n_rules();
           r++)
        state.matched.push_back(tp_count_load(&served->states.get()[r].n));
  if (!flows_.has_value()) return state;
  const tp_flow_table* table = flows_->get();
  state.flow_matched = FlowPackets(compiled, port, frame, table->size,
                                   [table](uint32_t index, tp_flow_bucket* bucket) {
                                     *bucket = table->buckets[index];
                                     return true;
                                   });
  return state;
}

std::string DpdkPath::policy_file() const {
  std::lock_guard<std::mutex> one(snapshot_);
  return in_force_->policy.file;
}

}  // namespace twinpath
