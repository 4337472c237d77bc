// SPDX-License-Identifier: BSD-3-Clause
// A client of a running program's telemetry: DPDK's protocol, version 2. Owns one connection; one
// thread.

#ifndef TWINPATH_TELEMETRY_CLIENT_CLIENT_H_
#define TWINPATH_TELEMETRY_CLIENT_CLIENT_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class TelemetryClient {
 public:
  // Connects to the program with `file_prefix` and reads its greeting. Each wait, here and in Ask,
  // ends after `timeout`. NotFound, with the socket's path, if no program runs; Unavailable if the
  // server refuses because it has too many clients; DeadlineExceeded if it does not answer.
  static absl::StatusOr<TelemetryClient> Connect(
      const std::string& file_prefix,
      std::chrono::milliseconds timeout = std::chrono::milliseconds(3000));

  // Returns the answer to `command` ("/twinpath/queues,lan,3"). NotFound if the server does not
  // know the command (it answers null); InvalidArgument with the text of an "error" answer;
  // Unavailable if the connection is closed; DataLoss if the record is not an answer.
  absl::StatusOr<nlohmann::ordered_json> Ask(const std::string& command);

  const std::string& path() const { return path_; }

 private:
  TelemetryClient(FileDescriptor fd, std::string path, std::chrono::milliseconds timeout)
      : fd_(std::move(fd)), path_(std::move(path)), timeout_(timeout) {}
  absl::StatusOr<nlohmann::ordered_json> Receive();
  absl::Status Failure(const std::string& call) const;

  FileDescriptor fd_;
  std::string path_;
  std::chrono::milliseconds timeout_;
};

// The names of the lists of a program with sections, in the order of its summary.
struct SectionNames {
  std::string path;
  std::vector<std::string> lists;
};

// Reads all pages of a running program and returns its snapshot. SummaryJson of that snapshot
// equals the program's own summary. `sections` lists the programs that have sections.
// FailedPrecondition if the server is not a Twinpath program; Unavailable if its datapath does not
// run yet.
absl::StatusOr<Snapshot> FetchSnapshot(TelemetryClient* client,
                                       const std::vector<SectionNames>& sections = {});

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_CLIENT_CLIENT_H_
