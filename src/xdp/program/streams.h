// SPDX-License-Identifier: BSD-3-Clause
// Keeps track of where the streams of successive policies are, and what they counted. A stream that
// a reload keeps is not moved: programs of both policies write the same memory, so that no packet
// is missed. Control thread; the caller must hold its lock to read counts.

#ifndef TWINPATH_XDP_PROGRAM_STREAMS_H_
#define TWINPATH_XDP_PROGRAM_STREAMS_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/program/maps.h"

namespace twinpath {

// Where a policy's streams are, besides the slots of its rules; by port. See tp_port_plan and
// tp_traits.
struct StreamPlaces {
  std::vector<uint32_t> own_rule;   // or TP_NO_RULE
  std::vector<uint32_t> own_place;  // the number of a generation
  bool direct = false;              // of all ports, except for the streams of own_rule
};

class XdpStreams {
 public:
  // Starts without a current policy. `maps` must outlive this object.
  explicit XdpStreams(XdpMaps* maps);

  // The current policy, and its generation.
  const CompiledPolicy& policy() const { return policy_; }
  size_t generation() const { return generation_; }
  // Where the streams of the current policy are.
  const StreamPlaces& places() const { return places_; }
  // Whether the port's programs are blind: see tp_tier.
  bool blind(size_t port) const { return policy_.plans[port].tier == TP_TIER_BLIND; }

  // Chooses places for the streams of `next`, which will run in the other generation (the first
  // policy in generation 0). `continued` (ContinuedRules) says which rules keep the streams of the
  // current policy. Sets the slots of the rules, and sets the streams of new rules to packet 0.
  // Leaves the current policy alone. ResourceExhausted if there are not enough free slots.
  absl::StatusOr<StreamPlaces> Place(const std::vector<uint32_t>& continued, CompiledPolicy* next);
  // Makes `next`, with these places, the current policy. No program of the previous one may run any
  // more.
  void Commit(const std::vector<uint32_t>& continued, const StreamPlaces& places,
              CompiledPolicy next);

  // Sets the time from which the current policy's conditions count: `now` in nanoseconds of the
  // programs' clock.
  void SetOrigin(uint64_t now) { twinpath::SetOrigin(now, &policy_); }
  // The counts of a rule of the current policy on a queue, without the rule's name.
  RuleSnapshot Counts(size_t port, uint32_t queue, uint32_t rule) const;
  // The number of packets that the rule matched on a queue, which is the index of its next packet.
  uint64_t Number(size_t port, uint32_t queue, uint32_t rule) const;
  // The counts of rules that a reload removed or restarted.
  const RuleSnapshot& retired() const { return retired_; }
  // A queue's streams under the first policy: one for each rule, in order; for a blind port, only
  // the stream of its one rule. Valid as long as the maps exist. The kernel writes them.
  absl::Span<const tp_state> states(size_t port, uint32_t queue) const;

 private:
  tp_state& Stream(size_t port, uint32_t queue, uint32_t rule) const;
  RuleSnapshot BlindCounts(size_t port, uint32_t queue) const;
  absl::Status FindSlots(const std::vector<uint32_t>& continued, CompiledPolicy* next) const;
  void Begin(const CompiledPolicy& next, uint32_t rule, const StreamPlaces& places);
  void SettleBlind(size_t port);
  void MoveOwn(size_t port, uint32_t slot);

  XdpMaps* maps_;
  CompiledPolicy policy_;
  StreamPlaces places_;
  size_t generation_ = 1;  // before the first policy
  std::vector<bool> slot_used_;
  std::vector<tp_terms> slot_terms_;  // by slot; constant while a rule has the slot
  RuleSnapshot retired_;
  // By port and queue: the counts of the generation when Place chose places for a blind port.
  std::vector<std::vector<RuleSnapshot>> blind_base_, next_blind_base_;
  // By port and slot, then by queue: what earlier blind programs counted for a stream by verdict.
  std::map<std::pair<size_t, uint32_t>, std::vector<RuleSnapshot>> settled_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_STREAMS_H_
