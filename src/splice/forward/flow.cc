// SPDX-License-Identifier: BSD-3-Clause
// Decides the next step of a flow, and how much it may redirect.

#include "src/splice/forward/flow.h"

#include <algorithm>

#include "bpf/splice_layout.h"

namespace twinpath::splice {

FlowStep NextStep(const FlowCounts& counts) {
  const bool settled = counts.queued == counts.redirected + counts.copied;
  if (counts.fin_received && counts.queued == counts.received) return FlowStep::kEnd;
  // After its FIN the source sends nothing more, but its last segments may not have reached the BPF
  // program yet.
  if (counts.redirecting) return counts.fin_received ? FlowStep::kSettle : FlowStep::kNone;
  if (!settled) return FlowStep::kSettle;
  if (counts.read < counts.passed || counts.copied < counts.read || counts.fin_received)
    return FlowStep::kCopy;
  return FlowStep::kRedirect;
}

Grant NextGrant(uint64_t charge, uint64_t waiting, uint64_t recent_charge, uint64_t recent_bytes) {
  const uint64_t bytes = std::min(waiting, kMaxCharge);
  // Without recent traffic, assumes the worst case: each byte is its own segment.
  const uint64_t outstanding = recent_bytes == 0
                                   ? bytes * (1 + TP_SPLICE_SKB_COST)
                                   : bytes * std::max(recent_charge, recent_bytes) / recent_bytes;
  if (outstanding >= kSlowCharge) return {.slow = true, .limit = 0, .notify = UINT64_MAX};
  return {.slow = false,
          .limit = charge + kMaxCharge - outstanding,
          .notify = charge + kSlowCharge - outstanding};
}

}  // namespace twinpath::splice
