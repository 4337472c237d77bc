// SPDX-License-Identifier: BSD-3-Clause
// The listening end of a telemetry socket. It replaces the socket of a dead process, never that of
// a running one. One thread.

#ifndef TWINPATH_TELEMETRY_SERVER_LISTENER_H_
#define TWINPATH_TELEMETRY_SERVER_LISTENER_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class TelemetryListener {
 public:
  // Makes EAL's runtime folder for `file_prefix` (mode 0700, as EAL does) if it does not exist, and
  // listens on the socket in that folder. The errors are those of TelemetryServer::Start.
  static absl::StatusOr<TelemetryListener> Open(const std::string& file_prefix);

  TelemetryListener(TelemetryListener&&) = default;
  TelemetryListener& operator=(TelemetryListener&&) = delete;
  // Removes the socket's file, unless another program has replaced it. Then removes the folders if
  // they are empty.
  ~TelemetryListener();

  // Non-blocking; for accept().
  int fd() const { return socket_.get(); }
  const std::string& path() const { return path_; }

 private:
  TelemetryListener(FileDescriptor folder, std::string path)
      : folder_(std::move(folder)), path_(std::move(path)) {}
  absl::Status Listen();

  FileDescriptor folder_;  // holds the lock on the folder: one server at a time
  bool owned_ = false;     // the lock is held
  FileDescriptor socket_;
  std::string path_;
  dev_t device_ = 0;  // of the socket's file
  ino_t inode_ = 0;   // 0: not bound
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_LISTENER_H_
