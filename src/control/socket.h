// SPDX-License-Identifier: BSD-3-Clause
// The path and the records of the control socket.
//
// A request is one record: a JSON object. The policy's text is in a sealed memfd (memfd_create(2))
// beside the record: the text may be large, nobody can change it any more, and reading it never
// blocks. The answer is one record: {"ok": ...} or {"error": ...}. If the answer is too long for a
// record, the record is "{}" and a sealed memfd has the answer. A client that sends
// {"announce": true} in the request gets {"begun": true} before the answer. Any thread.

#ifndef TWINPATH_CONTROL_SOCKET_H_
#define TWINPATH_CONTROL_SOCKET_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

struct sockaddr_un;

namespace twinpath {

inline constexpr size_t kMaxControlRecord = 64 << 10;                // bytes
inline constexpr size_t kMaxControlText = 32 << 20;                  // bytes of a policy
inline constexpr char kAnnounce[] = "announce", kBegun[] = "begun";  // keys
inline constexpr char kReload[] = "reload", kSet[] = "set", kAsk[] = "ask",
                      kSources[] = "sources";  // requests

// The control socket of a file prefix, beside its telemetry socket. InvalidArgument for a prefix
// that is not a file name, or that makes the path too long for a socket.
absl::StatusOr<std::string> ControlSocketPath(const std::string& file_prefix);

// Converts errno after `call` on the control socket failed.
absl::Status ControlSocketError(const std::string& call);

sockaddr_un ControlAddress(const std::string& path);

// Returns a sealed memfd that contains `text`.
absl::StatusOr<FileDescriptor> SealText(std::string_view text);

// Returns the contents of `fd`, which is not trusted. InvalidArgument if `fd` is not a sealed
// memfd, or has more than kMaxControlText bytes.
absl::StatusOr<std::string> ReadSealed(int fd);

// A record and its file descriptor, if it had one.
struct ControlRecord {
  std::string text;
  FileDescriptor file;
};

// Sends one record with the descriptor `file` (negative: none). Blocks at most for the socket's
// timeout. Raises no signal. Errors are converted from errno.
absl::Status SendRecord(int socket, std::string_view text, int file = -1);

// Receives one record. DeadlineExceeded after the socket's timeout; Unavailable if the peer has
// closed; InvalidArgument for a record of more than kMaxControlRecord bytes.
absl::StatusOr<ControlRecord> ReceiveRecord(int socket);

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_SOCKET_H_
