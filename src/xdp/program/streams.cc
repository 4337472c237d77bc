// SPDX-License-Identifier: BSD-3-Clause
// Where the streams of one policy after the other are, and what they counted. A stream that goes on
// stays where it is: old and new programs write the same memory, so that not one packet is counted
// beside it.

#include "src/policy/count.h"
#include "src/policy/pipeline.h"
#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

tp_count Read(const __u64& packets, const __u64& bytes) {
  return {.packets = tp_count_load(&packets), .bytes = tp_count_load(&bytes)};
}

}  // namespace

RuleSnapshot XdpTables::Counts(size_t port, uint32_t queue, uint32_t rule) const {
  const size_t place = size_t{QueueIndex(port, queue)} * slots_ + policy_.rules[rule].slot;
  const tp_xdp_queue& shared = SharedQueue(port, queue);
  const bool only = rule == only_rule_[port];
  const tp_state& state = only ? shared.only : kernel_->states.get()[place];
  RuleSnapshot counts;
  // Lost before matched: the writer counts in the other order, and lost may not exceed matched.
  counts.lost = Read(state.lost_packets, state.lost_bytes);
  const auto add_first = [](const tp_count& count, tp_count* sum) {
    const tp_count more = tp_count_read(&count);
    tp_count_sum(sum, &more);
  };
  if (only) add_first(shared.counters.verdict[TP_LOST], &counts.lost);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  counts.matched = Read(state.n, state.matched_bytes);
  if (only) {  // what the first program counted by verdict alone
    tp_count all = {};
    for (const tp_count& verdict : shared.counters.verdict) add_first(verdict, &all);
    for (const tp_count& tx : shared.counters.tx) add_first(tx, &all);
    counts.matched.bytes += all.bytes;
  }
  if (!policy_.marks && reloads_ == 0) return counts;  // there may be no such map
  const tp_count& marked = kernel_->marked.get()[place];
  counts.marked = tp_count_read(&marked);
  return counts;
}

absl::StatusOr<std::vector<uint32_t>> XdpTables::PlaceStreams(
    const std::vector<uint32_t>& continued, CompiledPolicy* next) {
  std::vector<uint32_t> only(queues_.size(), TP_NO_RULE), fresh;
  uint32_t free = 0;
  for (uint32_t r = 0; r < continued.size(); r++) {
    tp_rule& rule = next->rules[r];
    if (continued[r] != TP_NO_RULE) {
      rule.slot = policy_.rules[continued[r]].slot;
      for (size_t port = 0; port < only.size(); port++)
        if (continued[r] == only_rule_[port]) only[port] = r;
      continue;
    }
    while (free < slots_ && slot_used_[free]) free++;
    if (free == slots_)
      return absl::ResourceExhaustedError(
          absl::StrCat("the policy's rules, and those that go, have more streams than the ", slots_,
                       " of a queue that this run began with room for: start again"));
    rule.slot = free++;
    fresh.push_back(r);
  }
  for (size_t port = 0; port < queues_.size(); port++) {
    for (uint32_t queue = 0; queue < queues_[port]; queue++) {
      const size_t first = size_t{QueueIndex(port, queue)} * slots_;
      for (const uint32_t r : fresh) {
        const tp_rule& rule = next->rules[r];
        tp_state_init(&kernel_->states.get()[first + rule.slot], &rule, r,
                      next->plans[port].port_key, queue);
        kernel_->marked.get()[first + rule.slot] = {};
      }
    }
  }
  return only;
}

void XdpTables::Commit(const std::vector<uint32_t>& continued, const std::vector<uint32_t>& only,
                       CompiledPolicy next) {
  std::vector<bool> goes_on(policy_.rules.size());
  for (const uint32_t old : continued)
    if (old != TP_NO_RULE) goes_on[old] = true;
  for (uint32_t r = 0; r < goes_on.size(); r++) {
    if (goes_on[r]) continue;
    for (size_t port = 0; port < queues_.size(); port++) {
      for (uint32_t queue = 0; queue < queues_[port]; queue++) {
        const RuleSnapshot counts = Counts(port, queue, r);
        tp_count_sum(&retired_.matched, &counts.matched);
        tp_count_sum(&retired_.lost, &counts.lost);
        tp_count_sum(&retired_.marked, &counts.marked);
      }
    }
    slot_used_[policy_.rules[r].slot] = false;
  }
  for (const tp_rule& rule : next.rules) slot_used_[rule.slot] = true;
  policy_ = std::move(next);
  only_rule_ = only;
  reloads_++;
}

}  // namespace twinpath
