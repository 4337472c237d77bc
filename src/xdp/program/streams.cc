// SPDX-License-Identifier: BSD-3-Clause
// Assigns slots, and moves the streams of blind ports to and from their queues' counters.

#include "src/xdp/program/streams.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/policy/count.h"
#include "src/policy/pipeline.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

void Subtract(const tp_count& less, tp_count* from) {
  from->packets -= less.packets;
  from->bytes -= less.bytes;
}

void Add(const RuleSnapshot& more, RuleSnapshot* sum) {
  tp_count_sum(&sum->matched, &more.matched);
  tp_count_sum(&sum->lost, &more.lost);
  tp_count_sum(&sum->marked, &more.marked);
  tp_count_sum(&sum->unanswered, &more.unanswered);
}

// The sums of a queue's counters by verdict, as the counts of one rule.
RuleSnapshot ByVerdict(const tp_queue_counters& shared) {
  const tp_queue_counters counters = CopyCounters(shared);
  RuleSnapshot counts;
  counts.lost = counters.verdict[TP_LOST];
  for (const tp_count& verdict : counters.verdict) tp_count_sum(&counts.matched, &verdict);
  for (const tp_count& tx : counters.tx) tp_count_sum(&counts.matched, &tx);
  return counts;
}

bool SameTerms(const tp_terms& a, const tp_terms& b) {
  return a.loss == b.loss && a.action == b.action && a.out_port == b.out_port;
}

}  // namespace

XdpStreams::XdpStreams(XdpMaps* maps)
    : maps_(maps), slot_used_(maps->slots()), slot_terms_(maps->slots()) {
  places_.own_rule.assign(maps->ports(), TP_NO_RULE);
  places_.own_place.assign(maps->ports(), 0);
}

tp_state& XdpStreams::Stream(size_t port, uint32_t queue, uint32_t rule) const {
  if (rule == places_.own_rule[port])
    return maps_->queue(places_.own_place[port], port, queue).stream;
  return maps_->streams(port, queue)[policy_.rules[rule].slot];
}

// The counts of the port's blind program for its stream. The number of matched packets is 0,
// because the stream itself has it.
RuleSnapshot XdpStreams::BlindCounts(size_t port, uint32_t queue) const {
  RuleSnapshot counts = ByVerdict(maps_->queue(generation_, port, queue).counters);
  Subtract(blind_base_[port][queue].matched, &counts.matched);
  Subtract(blind_base_[port][queue].lost, &counts.lost);
  counts.matched.packets = 0;
  return counts;
}

RuleSnapshot XdpStreams::Counts(size_t port, uint32_t queue, uint32_t rule) const {
  const uint32_t slot = policy_.rules[rule].slot;
  const tp_state& state = Stream(port, queue, rule);
  RuleSnapshot counts;
  // Reads lost before matched, because the writer counts matched first: so lost never exceeds
  // matched.
  if (blind(port) && rule == policy_.plans[port].fallback) counts = BlindCounts(port, queue);
  tp_count_add(&counts.lost, tp_count_load(&state.lost_packets), tp_count_load(&state.lost_bytes));
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  tp_count_add(&counts.matched, tp_count_load(&state.n), tp_count_load(&state.matched_bytes));
  const auto settled = settled_.find({port, slot});
  if (settled != settled_.end()) Add(settled->second[queue], &counts);
  const tp_rule_extras* extras = maps_->rule_extras(port, queue);
  if (extras != nullptr) {
    const tp_count marked = tp_count_read(&extras[slot].marked);
    const tp_count unanswered = tp_count_read(&extras[slot].unanswered);
    tp_count_sum(&counts.marked, &marked);
    tp_count_sum(&counts.unanswered, &unanswered);
  }
  return counts;
}

uint64_t XdpStreams::Number(size_t port, uint32_t queue, uint32_t rule) const {
  return tp_count_load(&Stream(port, queue, rule).n);
}

absl::Span<const tp_state> XdpStreams::states(size_t port, uint32_t queue) const {
  if (places_.own_rule[port] != TP_NO_RULE)
    return {&maps_->queue(places_.own_place[port], port, queue).stream, 1};
  return {maps_->streams(port, queue), policy_.rules.size()};
}

absl::Status XdpStreams::FindSlots(const std::vector<uint32_t>& continued,
                                   CompiledPolicy* next) const {
  uint32_t free = 0;
  for (uint32_t r = 0; r < continued.size(); r++) {
    tp_rule& rule = next->rules[r];
    if (continued[r] != TP_NO_RULE) {
      rule.slot = policy_.rules[continued[r]].slot;
      continue;
    }
    while (free < slot_used_.size() && slot_used_[free]) free++;
    if (free == slot_used_.size())
      return absl::ResourceExhaustedError(absl::StrCat(
          "no room for the policy's new rules beside the current ones: the limit of this run is ",
          slot_used_.size(), " rules; restart the program with the new policy"));
    rule.slot = free++;
  }
  return absl::OkStatus();
}

// Sets the rule's streams to packet 0. No program uses them yet.
void XdpStreams::Begin(const CompiledPolicy& next, uint32_t rule, const StreamPlaces& places) {
  const tp_rule& row = next.rules[rule];
  slot_terms_[row.slot] = tp_rule_terms(&row);
  for (size_t port = 0; port < maps_->ports(); port++) {
    for (uint32_t queue = 0; queue < maps_->queues(port); queue++) {
      tp_state* stream = &maps_->streams(port, queue)[row.slot];
      if (rule == places.own_rule[port])
        stream = &maps_->queue(places.own_place[port], port, queue).stream;
      tp_state_init(stream, &row, rule, next.plans[port].port_key, queue);
      if (maps_->rule_extras(port, queue) != nullptr)
        maps_->rule_extras(port, queue)[row.slot] = {};
    }
  }
}

absl::StatusOr<StreamPlaces> XdpStreams::Place(const std::vector<uint32_t>& continued,
                                               CompiledPolicy* next) {
  if (absl::Status found = FindSlots(continued, next); !found.ok()) return found;
  const size_t generation = 1 - generation_;
  StreamPlaces places = {std::vector<uint32_t>(maps_->ports(), TP_NO_RULE), places_.own_place};
  next_blind_base_.assign(maps_->ports(), {});
  for (size_t port = 0; port < maps_->ports(); port++) {
    for (uint32_t r = 0; r < continued.size(); r++)
      if (continued[r] != TP_NO_RULE && continued[r] == places_.own_rule[port])
        places.own_rule[port] = r;
    if (next->plans[port].tier != TP_TIER_BLIND) continue;
    for (uint32_t queue = 0; queue < maps_->queues(port); queue++)
      next_blind_base_[port].push_back(ByVerdict(maps_->queue(generation, port, queue).counters));
    const uint32_t fallback = next->plans[port].fallback;
    if (continued[fallback] != TP_NO_RULE) continue;  // its stream is not moved
    places.own_rule[port] = fallback;
    const bool taken = places_.own_rule[port] != TP_NO_RULE;
    places.own_place[port] =
        taken ? 1 - places_.own_place[port] : static_cast<uint32_t>(generation);
  }
  for (uint32_t r = 0; r < continued.size(); r++)
    if (continued[r] == TP_NO_RULE) Begin(*next, r, places);
  places.direct = true;
  for (uint32_t r = 0; r < next->rules.size(); r++) {
    const tp_rule& rule = next->rules[r];
    places.direct &= rule.slot == r && SameTerms(tp_rule_terms(&rule), slot_terms_[r]);
  }
  return places;
}

// Saves what the port's blind program counted by verdict. The program does not run any more.
void XdpStreams::SettleBlind(size_t port) {
  const uint32_t slot = policy_.rules[policy_.plans[port].fallback].slot;
  std::vector<RuleSnapshot>& settled = settled_[{port, slot}];
  settled.resize(maps_->queues(port));
  for (uint32_t queue = 0; queue < maps_->queues(port); queue++) {
    Add(BlindCounts(port, queue), &settled[queue]);
    tp_queue_counters& counters = maps_->queue(generation_, port, queue).counters;
    blind_base_[port][queue] = ByVerdict(counters);
    counters.rx = blind_base_[port][queue].matched;
  }
}

// Moves the stream from the queue's record to its slot, to make room for another stream. No program
// may use it meanwhile.
void XdpStreams::MoveOwn(size_t port, uint32_t slot) {
  for (uint32_t queue = 0; queue < maps_->queues(port); queue++)
    maps_->streams(port, queue)[slot] = maps_->queue(places_.own_place[port], port, queue).stream;
}

void XdpStreams::Commit(const std::vector<uint32_t>& continued, const StreamPlaces& places,
                        CompiledPolicy next) {
  std::vector<uint32_t> new_number(policy_.rules.size(), TP_NO_RULE);
  for (uint32_t r = 0; r < continued.size(); r++)
    if (continued[r] != TP_NO_RULE) new_number[continued[r]] = r;
  for (size_t port = 0; port < maps_->ports() && !policy_.rules.empty(); port++)
    if (blind(port)) SettleBlind(port);
  for (uint32_t r = 0; r < new_number.size(); r++) {
    if (new_number[r] != TP_NO_RULE) continue;
    for (size_t port = 0; port < maps_->ports(); port++) {
      for (uint32_t queue = 0; queue < maps_->queues(port); queue++) {
        Add(Counts(port, queue, r), &retired_);
      }
      settled_.erase({port, policy_.rules[r].slot});
    }
    slot_used_[policy_.rules[r].slot] = false;
  }
  for (size_t port = 0; port < maps_->ports(); port++) {
    const uint32_t own = places_.own_rule[port];
    if (own == TP_NO_RULE || new_number[own] == TP_NO_RULE) continue;
    if (places.own_rule[port] != new_number[own]) MoveOwn(port, policy_.rules[own].slot);
  }
  for (const tp_rule& rule : next.rules) slot_used_[rule.slot] = true;
  policy_ = std::move(next);
  places_ = places;
  blind_base_ = std::move(next_blind_base_);
  generation_ = 1 - generation_;
}

}  // namespace twinpath
