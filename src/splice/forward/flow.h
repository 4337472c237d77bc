// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection in sockmap mode: decides the next step from counters. This is the
// whole protocol that prevents loss and reordering. It uses no socket, so that it can be tested.
// Pure functions; any thread.
//
// Bytes reach the sink's send queue in two ways, and never in both at once:
// - Redirected: the kernel takes them from the source and queues them at the sink. No event reports
//   their arrival in the sink's send queue. So the protocol compares the number of bytes that the
//   queue has ever taken (`queued`) with the number of bytes sent towards it.
// - Passed: they wait at the source until user space reads and writes them. Every flow starts this
//   way, because bytes may arrive before the socket is in the map. The BPF program returns to it
//   when the sink is slow.
// User space may write only when all redirected bytes are in the send queue (kSettle). The redirect
// may start only when all passed bytes have been written (kRedirect). The FIN may be forwarded when
// the sink's send queue has taken exactly the bytes that the source's TCP has received (kEnd).

#ifndef TWINPATH_SPLICE_FORWARD_FLOW_H_
#define TWINPATH_SPLICE_FORWARD_FLOW_H_

#include <cstdint>

namespace twinpath::splice {

// In bytes, since the connection was established.
struct FlowCounts {
  bool redirecting = false;   // the BPF program redirects
  bool fin_received = false;  // from the source; `received` is final then
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
  kCopy,      // read and write passed bytes
  kRedirect,  // nothing waits in user space: let the BPF program redirect; if it refuses, check
              // again
  kEnd,       // all bytes are in the sink's send queue: forward the FIN
};

FlowStep NextStep(const FlowCounts& counts);

// How far the BPF program may redirect before user space checks again. "Charge" is the memory that
// redirected bytes cost: tp_splice_flow.charge.
struct Grant {
  bool slow = false;    // the sink does not keep up: pass from the next segment on
  uint64_t limit = 0;   // charge, for tp_splice_flow.charge_limit
  uint64_t notify = 0;  // charge, for tp_splice_flow.charge_notify
};

// A sink is slow when this much charge is outstanding in the kernel, between the source's receive
// queue and the sink's send queue.
inline constexpr uint64_t kSlowCharge = 1 << 20;
// The limit of the outstanding charge of a flow. A flow reaches it only if user space is late.
inline constexpr uint64_t kMaxCharge = 4 << 20;

// `charge` is the BPF program's current value. `waiting` is the number of redirected bytes that are
// not in the sink's send queue yet. `recent_charge` and `recent_bytes` were added since the last
// grant; their ratio estimates the charge of a waiting byte.
Grant NextGrant(uint64_t charge, uint64_t waiting, uint64_t recent_charge, uint64_t recent_bytes);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FORWARD_FLOW_H_
