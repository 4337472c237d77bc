// SPDX-License-Identifier: BSD-3-Clause
// Finishes the transport checksum of a frame that leaves: src/policy/egress/checksum.h over one
// piece of memory. Any thread.

#ifndef TWINPATH_ENGINE_CHECKSUMS_H_
#define TWINPATH_ENGINE_CHECKSUMS_H_

#include <cstdint>

namespace twinpath {

enum class Completion {
  kNone,     // no unfinished checksum
  kSame,     // its finished value is the same
  kChanged,  // the frame changed
};

// Finishes the checksum of the frame at `data` (`length` bytes) if it is unfinished.
Completion CompleteChecksum(uint8_t* data, uint32_t length);

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_CHECKSUMS_H_
