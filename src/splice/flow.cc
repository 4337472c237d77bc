// SPDX-License-Identifier: BSD-3-Clause
// The steps of a flow, and what it may redirect.

#include "src/splice/flow.h"

#include <algorithm>

#include "bpf/splice_layout.h"

namespace twinpath::splice {

FlowStep NextStep(const FlowCounts& counts) {
  const bool settled = counts.written == counts.redirected + counts.copied;
  if (counts.ended && counts.written == counts.received) return FlowStep::kEnd;
  // A source that has ended sends nothing more, but its last segments may still be on their way
  // through the program.
  if (counts.redirecting) return counts.ended ? FlowStep::kSettle : FlowStep::kNone;
  if (!settled) return FlowStep::kSettle;
  if (counts.read < counts.passed || counts.copied < counts.read || counts.ended)
    return FlowStep::kCopy;
  return FlowStep::kRedirect;
}

Grant NextGrant(uint64_t charge, uint64_t waiting, uint64_t recent_charge, uint64_t recent_octets) {
  // Of what nothing is known every octet may be a segment.
  const uint64_t octets = std::min(waiting, kMaxCharge);
  const uint64_t outstanding =
      recent_octets == 0 ? octets * (1 + TP_SPLICE_SKB_COST)
                         : octets * std::max(recent_charge, recent_octets) / recent_octets;
  if (outstanding >= kSlowCharge) return {.slow = true, .limit = 0, .notify = UINT64_MAX};
  return {.slow = false,
          .limit = charge + kMaxCharge - outstanding,
          .notify = charge + kSlowCharge - outstanding};
}

}  // namespace twinpath::splice
