// SPDX-License-Identifier: BSD-3-Clause
// A frame in one piece of memory, with the kernel's note about it.

#include "src/sockets/checksums.h"

#include "src/engine/checksums.h"

namespace twinpath {

bool CompleteChecksum(SocketFrame* frame) {
  if (frame->segments() || frame->cut()) return false;
  const Completion completion = CompleteChecksum(frame->data, frame->length);
  if (completion != Completion::kNone) frame->note = {};
  return completion == Completion::kChanged;
}

}  // namespace twinpath
