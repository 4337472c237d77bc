// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection in sockmap mode: decides the next step from counters. All of the
// protocol that keeps bytes from being lost or reordered is here, without a socket, so that it can
// be tested. Pure functions; any thread.
//
// Bytes reach the sink's send queue in two ways, and never in both at once:
// - Redirected: the kernel takes them from the source and queues them at the sink. No event reports
//   their arrival in the sink's send queue. So the number of bytes that queue has ever taken
//   (`queued`) is compared with the number sent towards it.
// - Passed: they wait at the source until user space reads and writes them. Every flow starts this
//   way, which also serves bytes that arrived before the socket was in the map. The BPF program
//   returns to it when the sink is slow.
// User space may write only when everything redirected before is in the send queue (kSettle). The
// redirect may start only when everything passed has been written (kRedirect). The FIN may be
// passed on when the sink's send queue has taken exactly what the source's TCP has received (kEnd).

#ifndef TWINPATH_SPLICE_FORWARD_FLOW_H_
#define TWINPATH_SPLICE_FORWARD_FLOW_H_

#include <cstdint>

namespace twinpath::splice {

// In bytes, since the connection was established.
struct FlowCounts {
  bool redirecting = false;   // the BPF program redirects
  bool fin_received = false;  // from the source: `received` is final
  uint64_t received = 0;      // in order by the source's TCP; used only after the FIN
  uint64_t redirected = 0;    // by the BPF program
  uint64_t passed = 0;        // to user space by the BPF program
  uint64_t read = 0;          // of `passed`, by user space
  uint64_t copied = 0;        // of `read`, written to the sink by user space
  uint64_t queued = 0;        // taken by the sink's send queue, redirected or copied
};

enum class FlowStep {
  kNone,      // nothing to do: the kernel forwards
  kSettle,    // check again soon: redirected bytes have not all reached the sink's send queue
  kCopy,      // read what was passed and write it
  kRedirect,  // nothing waits in user space: let the BPF program redirect; if it refuses, check
              // again
  kEnd,       // everything is in the sink's send queue: pass the FIN on
};

FlowStep NextStep(const FlowCounts& counts);

// How far the BPF program may redirect before user space checks again. "Charge" is what redirected
// bytes cost in memory: tp_splice_flow.charge.
struct Grant {
  bool slow = false;    // the sink does not keep up: pass from the next segment on
  uint64_t limit = 0;   // charge, for tp_splice_flow.charge_limit
  uint64_t notify = 0;  // charge, for tp_splice_flow.charge_notify
};

// A sink is slow when this much charge is outstanding in the kernel, between the source's receive
// queue and the sink's send queue.
inline constexpr uint64_t kSlowCharge = 1 << 20;
// Limit on the outstanding charge of a flow, reached when user space itself is late.
inline constexpr uint64_t kMaxCharge = 4 << 20;

// `charge` and `redirected` are the BPF program's present values. `waiting` of the redirected bytes
// are not in the sink's send queue yet. `recent_charge` and `recent_bytes` were added since the
// last grant: their ratio estimates the charge of a waiting byte.
Grant NextGrant(uint64_t charge, uint64_t waiting, uint64_t recent_charge, uint64_t recent_bytes);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FORWARD_FLOW_H_
