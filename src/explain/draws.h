// SPDX-License-Identifier: BSD-3-Clause
// Explains why a loss model loses a packet: its draws, thresholds and states. Pure functions.

#ifndef TWINPATH_EXPLAIN_DRAWS_H_
#define TWINPATH_EXPLAIN_DRAWS_H_

#include "src/config/policy/loss_spec.h"
#include "src/explain/packet.h"
#include "src/policy/types.h"

namespace twinpath {

// The inputs of a model's comparisons.
struct DrawnBy {
  const LossSpec& spec;
  const tp_rule& rule;
  const tp_model& model;
  uint64_t a, b, n;       // the stream, and the packet's number in it
  uint64_t block_markov;  // the Markov state at the start of the packet's block of 64
  uint64_t packet_hash;   // TP_LOSS_PACKET
};

// Sets state, draws, fate and lost.
void ExplainFate(const DrawnBy& by, Explanation* explanation);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_DRAWS_H_
