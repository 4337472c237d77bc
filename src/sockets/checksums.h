// SPDX-License-Identifier: BSD-3-Clause
// Finishes the transport checksum of a frame that leaves. The worker's thread.

#ifndef TWINPATH_SOCKETS_CHECKSUMS_H_
#define TWINPATH_SOCKETS_CHECKSUMS_H_

#include "src/sockets/frame.h"

namespace twinpath {

// Finishes it if it is unfinished, and takes the kernel's note of that off the frame. Segments are
// left: the kernel finishes each of them where it cuts them. Returns whether the frame changed.
bool CompleteChecksum(SocketFrame* frame);

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_CHECKSUMS_H_
