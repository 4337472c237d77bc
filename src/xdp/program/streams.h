// SPDX-License-Identifier: BSD-3-Clause
// Where the streams of one policy after the other lie, and what they counted. A stream that a
// reload continues stays where it is: programs of both policies write the same memory, so that no
// packet is missed. Control thread; counts are read under the caller's lock.

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

// Where a policy's streams lie, beside the slots of its rules, by port: see tp_port_plan and
// tp_traits.
struct StreamPlaces {
  std::vector<uint32_t> own_rule;   // or TP_NO_RULE
  std::vector<uint32_t> own_place;  // a generation
  bool direct = false;              // for all ports, but for what own_rule says
};

class XdpStreams {
 public:
  // `maps` must outlive it. No policy is in force.
  explicit XdpStreams(XdpMaps* maps);

  // The policy in force, and its generation.
  const CompiledPolicy& policy() const { return policy_; }
  size_t generation() const { return generation_; }
  // Where its streams lie.
  const StreamPlaces& places() const { return places_; }
  // Whether the port's programs are blind: see tp_tier.
  bool blind(size_t port) const { return policy_.plans[port].tier == TP_TIER_BLIND; }

  // Chooses places for the streams of `next`, which continues those of the policy in force by
  // `continued` (ContinuedRules) and runs in the other generation than that, or in 0 if it is the
  // first: sets the slots of its rules, and the streams of rules that begin anew to packet 0.
  // Nothing of the policy in force is touched. ResourceExhausted where too few slots are free.
  absl::StatusOr<StreamPlaces> Place(const std::vector<uint32_t>& continued, CompiledPolicy* next);
  // `next`, placed so, is in force, and no program of the policy before runs any more.
  void Commit(const std::vector<uint32_t>& continued, const StreamPlaces& places,
              CompiledPolicy next);

  // The times of its conditions count from `now`, in nanoseconds of the programs' clock.
  void SetOrigin(uint64_t now) { twinpath::SetOrigin(now, &policy_); }
  // What a rule of the policy in force took of a queue; no name.
  RuleSnapshot Counts(size_t port, uint32_t queue, uint32_t rule) const;
  // Counts of rules that a reload removed, or began anew.
  const RuleSnapshot& retired() const { return retired_; }
  // A queue's streams under the first policy: one for each rule, in order, or that of the only rule
  // that a blind port can reach. Valid as long as the maps are; the kernel writes them.
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
  std::vector<tp_terms> slot_terms_;  // of its streams: they never change while a rule has the slot
  RuleSnapshot retired_;
  // By port and queue: what the generation had counted when its blind program's policy was placed.
  std::vector<std::vector<RuleSnapshot>> blind_base_, next_blind_base_;
  // By port and slot, then by queue: what blind programs counted for a stream by verdict alone.
  std::map<std::pair<size_t, uint32_t>, std::vector<RuleSnapshot>> settled_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_STREAMS_H_
