// SPDX-License-Identifier: BSD-3-Clause
// One queue of a port, as its worker serves it: the queue's part of the policy, its ends, and its
// counters. Made by the control thread; every field says who writes it during the run.

#ifndef TWINPATH_SOCKETS_WORKER_QUEUE_H_
#define TWINPATH_SOCKETS_WORKER_QUEUE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/engine/burst.h"
#include "src/engine/keep_streams.h"
#include "src/policy/types.h"
#include "src/sockets/engine.h"

namespace twinpath {

// A queue's part of a policy. Allocated by the control thread.
struct SocketQueuePolicy {
  QueuePlan plan;                           // worker: rw
  std::vector<tp_state> states;             // by rule; worker: rw, control: ro
  std::vector<tp_rule_extras> rule_extras;  // worker: rw, control: ro; empty if no rule needs them
};

// The policy's part is replaced by the worker alone.
struct SocketQueue : SocketQueuePolicy {
  // control: rw before the run; worker: ro
  uint8_t port = 0;  // index into the policy's ports
  uint32_t queue = 0;
  // Finishes unfinished checksums of the frames that it received, before they are sent, and before
  // the stack gets them.
  bool completes = false, completes_to_stack = false;
  // control: rw before the run; worker: rw. Null: the port has none.
  RxQueue* rx = nullptr;
  TxQueue* to_stack = nullptr;
  TxQueue* tx[TP_MAX_PORTS] = {};
  // worker: rw, control: ro
  alignas(64) tp_queue_counters counters = {};
  tp_queue_extras extras = {};
  RetiredCounts retired;
  __u64 refused[TP_MAX_PORTS] = {};  // of tx_full, by out port
  int32_t cpu = -1;                  // the last one that served it
};

// The part of `policy` of a queue, at packet 0 of every stream. The policy, `flows` and the queue
// must outlive it.
SocketQueuePolicy MakeSocketQueuePolicy(const CompiledPolicy& policy, const tp_flow_table* flows,
                                        SocketQueue* queue);

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_WORKER_QUEUE_H_
