// SPDX-License-Identifier: BSD-3-Clause
// The control socket without the programs: where it is, and its records. A request is one record, a
// JSON object, that carries the policy's text as a sealed memfd (memfd_create(2)): of any size, and
// nobody can change it, or keep a reader waiting, any more. Any thread.

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

inline constexpr size_t kMaxControlRecord = 64 << 10;  // octets
inline constexpr size_t kMaxControlText = 32 << 20;    // octets of a policy

// The control socket of a file prefix, beside its telemetry socket. InvalidArgument for a prefix
// that is no file name, or that makes the path longer than a socket's may be.
absl::StatusOr<std::string> ControlSocketPath(const std::string& file_prefix);

sockaddr_un ControlAddress(const std::string& path);

// `text` as a sealed memfd.
absl::StatusOr<FileDescriptor> SealText(std::string_view text);

// What a sealed memfd of a stranger holds. InvalidArgument where it is none, or too large.
absl::StatusOr<std::string> ReadSealed(int fd);

// A record, and the descriptor that came with it, if any.
struct ControlRecord {
  std::string text;
  FileDescriptor file;
};

// Sends one record; `file` (negative: none) goes with it. Does not block beyond the socket's own
// time-out, raises no signal. Status of errno where it could not.
absl::Status SendRecord(int socket, std::string_view text, int file = -1);

// Receives one record, likewise. Unavailable where the other end is closed, DeadlineExceeded where
// nothing came in the socket's time; InvalidArgument for a record of more than kMaxControlRecord
// octets.
absl::StatusOr<ControlRecord> ReceiveRecord(int socket);

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_SOCKET_H_
