// SPDX-License-Identifier: BSD-3-Clause
// Keeps libbpf's messages for the returned error instead of printing them.

#ifndef TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
#define TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_

#include <string>

namespace twinpath::xdp {

// Stops libbpf from printing. Each thread keeps its last few warnings, one line each, cut to a
// readable length. Any thread may call it any number of times.
void CaptureLibbpfLog();

// Returns the calling thread's warnings since the last call.
std::string TakeLibbpfLog();

}  // namespace twinpath::xdp

#endif  // TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
