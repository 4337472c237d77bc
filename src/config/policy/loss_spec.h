// SPDX-License-Identifier: BSD-3-Clause
// Which packets of a rule are lost: the validated "loss" of a policy. Plain values; no thread.

#ifndef TWINPATH_CONFIG_POLICY_LOSS_SPEC_H_
#define TWINPATH_CONFIG_POLICY_LOSS_SPEC_H_

#include <cstdint>
#include <vector>

#include "src/config/json/probability.h"

namespace twinpath {

// A range of packets in a stream, inclusive. The first packet is number 0.
struct PacketRange {
  uint64_t first = 0, last = 0;
  bool operator==(const PacketRange&) const = default;
};

struct LossSpec {
  enum class Model {
    kNone,
    kRandom,          // {rate}
    kCorrelated,      // {rate, correlation}
    kGilbertElliott,  // {p, r, loss_bad, loss_good}
    kFourState,       // {p13, p31, p32, p23, p14}
    kPeriodic,        // every, offset, burst
    kSequence,        // packets, repeat
  };
  // Which packets form one stream, numbered from 0: those of the rule on one queue of one port, or
  // those of one five-tuple. kPacket has no streams: the packet's own bytes decide.
  enum class Scope { kQueue, kFlow, kPacket };

  Model model = Model::kNone;
  Scope scope = Scope::kQueue;
  bool bidirectional = false;           // kFlow: both directions of a five-tuple are one flow
  bool ecn_mark = false;                // ECN-capable packets are marked CE instead of lost
  std::vector<Probability> parameters;  // all, in the order above; kNone has none

  // kPeriodic: packet n is lost iff n >= offset and (n - offset) mod every < burst.
  uint64_t every = 0;   // 1 to 2^32
  uint64_t offset = 0;  // below 2^32
  uint64_t burst = 1;   // 1 to every

  // kSequence: sorted, disjoint, with a gap between any two; at most 65,536. Numbers up to 2^48.
  std::vector<PacketRange> packets;
  uint64_t repeat = 0;  // 0: only once; otherwise packet n is treated as packet n mod repeat

  bool operator==(const LossSpec&) const = default;
};

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_LOSS_SPEC_H_
