// SPDX-License-Identifier: BSD-3-Clause
// Keeps libbpf's messages for the error that is returned, instead of printing them.

#ifndef TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
#define TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_

#include <string>

namespace twinpath::xdp {

// From now on libbpf prints nothing. Its last warnings are kept for the calling thread, one line
// each and cut to a readable length. Any thread, any number of times.
void CaptureLibbpfLog();

// The calling thread's warnings since the last call.
std::string TakeLibbpfLog();

}  // namespace twinpath::xdp

#endif  // TWINPATH_XDP_PROGRAM_LIBBPF_LOG_H_
