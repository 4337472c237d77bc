// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection in sockmap mode: what to do next, from what was counted. The whole
// protocol by which no octet is lost or overtaken stands here, without a socket, so that it can be
// tested. Pure functions; any thread.
//
// Octets reach the sink's send queue in two ways, and never in both at once:
// - redirected: the kernel takes them from the source and queues them at the sink. When they have
//   reached the sink's send queue nobody tells; so what that queue ever took (`written`) is
//   compared with what was sent towards it.
// - passed: they wait at the source until user space reads and writes them. A flow starts so, which
//   is what serves octets that arrived before the socket was in the map; and the program goes back
//   to it where the sink is slow.
// User space may write only when all that was redirected before is in the send queue (kSettle), and
// the redirect may start only when all that was passed has been written (kRedirect). The FIN may be
// passed on when the sink's queue has taken exactly what the source's TCP has received (kEnd).

#ifndef TWINPATH_SPLICE_FLOW_H_
#define TWINPATH_SPLICE_FLOW_H_

#include <cstdint>

namespace twinpath::splice {

// In octets since the connection was set up.
struct FlowCounts {
  bool redirecting = false;  // the program redirects
  bool ended = false;        // the source's FIN has come, so `received` is final
  uint64_t received = 0;     // that the source's TCP took in order; looked at where it has ended
  uint64_t redirected = 0;   // by the program
  uint64_t passed = 0;       // by the program
  uint64_t read = 0;         // of `passed`, by user space
  uint64_t copied = 0;       // of `read`, written to the sink by user space
  uint64_t written = 0;      // that the sink's send queue took, from either
};

enum class FlowStep {
  kNone,      // the kernel does it
  kSettle,    // look again soon: redirected octets are on their way to the sink's send queue
  kCopy,      // read what was passed and write it
  kRedirect,  // nothing waits in user space: let the program redirect, and look again if it won't
  kEnd,       // all is in the sink's send queue: pass the FIN on
};

FlowStep NextStep(const FlowCounts& counts);

// How far the program may redirect before user space looks again.
struct Grant {
  bool slow = false;    // the sink does not keep up: pass from the next segment on
  uint64_t limit = 0;   // charge, as tp_splice_flow.limit
  uint64_t notify = 0;  // charge, as tp_splice_flow.notify
};

// Charge that may be outstanding in the kernel, between the source's receive queue and the sink's
// send queue, before the sink counts as slow; and the most there can be, when user space itself is
// late: 4 MiB a flow.
inline constexpr uint64_t kSlowCharge = 1 << 20;
inline constexpr uint64_t kMaxCharge = 4 << 20;

// `charge` and `redirected` are the program's, now; `waiting` of the redirected octets are not in
// the sink's send queue yet. `recent_charge` and `recent_octets` were added since the last grant:
// how much a waiting octet is charged is estimated by them.
Grant NextGrant(uint64_t charge, uint64_t waiting, uint64_t recent_charge, uint64_t recent_octets);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FLOW_H_
