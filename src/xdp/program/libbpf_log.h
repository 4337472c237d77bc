// SPDX-License-Identifier: BSD-3-Clause
// libbpf's own messages, kept for the error that is returned instead of being printed.

#ifndef TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
#define TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_

#include <string>

namespace twinpath::xdp {

// From now on libbpf prints nothing; its last warnings, one line each and cut to a readable length,
// are kept for the calling thread. Any thread, any number of times.
void CaptureLibbpfLog();

// The calling thread's warnings since the last call.
std::string TakeLibbpfLog();

}  // namespace twinpath::xdp

#endif  // TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
