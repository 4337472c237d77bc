// SPDX-License-Identifier: BSD-3-Clause
// Carries out what was decided: frames are sent, handed to the stack, or dropped, in batches, and
// each is counted by what became of it. Owned by one worker; runs on its thread.

#ifndef TWINPATH_SOCKETS_WORKER_EGRESS_H_
#define TWINPATH_SOCKETS_WORKER_EGRESS_H_

#include <cstdint>

#include "src/engine/burst.h"
#include "src/policy/effects.h"
#include "src/sockets/frame.h"
#include "src/sockets/worker/queue.h"

namespace twinpath {

class SocketEgress {
 public:
  // Carries out burst.effects for `count` frames. Writes what became of each to `deliveries`.
  void CarryOut(SocketQueue* queue, SocketFrame* frames, const Burst& burst, uint32_t count,
                tp_delivery* deliveries);

 private:
  // Frames on their way to one place.
  struct Batch {
    uint32_t count = 0;
    uint8_t indexes[kMaxBurst];
  };
  void Leave(SocketQueue* queue, SocketFrame* frames, uint32_t to, const Batch& batch,
             tp_delivery* deliveries);

  uint32_t used_ = 0;                // bit p: batches_[p] has frames
  Batch batches_[TP_TO_KERNEL + 1];  // by tp_effects.to
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_WORKER_EGRESS_H_
