// SPDX-License-Identifier: BSD-3-Clause
// Owns the sources of a datapath's policy: the text of its file, the command line's changes, and
// the changes of `twinpath set`. Makes the first policy, replaces it on a request to the control
// socket or on SIGHUP, and reports it to `twinpath explain --running`. Any thread; one request at a
// time.

#ifndef TWINPATH_APPS_POLICY_RELOADER_H_
#define TWINPATH_APPS_POLICY_RELOADER_H_

#include <signal.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/config/policy/policy.h"
#include "src/control/hangup.h"
#include "src/engine/path.h"

namespace twinpath {

class PolicyReloader {
 public:
  // `ports` are the program's ports, in order. The command line's `overrides` change every policy
  // that is loaded, not only the first one. `log` gets a line for each request to load a policy, on
  // the thread that serves the request.
  PolicyReloader(PolicyOverrides overrides, std::vector<std::string> ports,
                 std::function<void(const std::string&)> log)
      : overrides_(std::move(overrides)), ports_(std::move(ports)), log_(std::move(log)) {}

  // Makes the first policy: from `file`, or, if `file` is empty, one that passes everything.
  // InvalidArgument also if an option of the command line has no effect on it.
  absl::StatusOr<Policy> First(const std::string& file);

  // Rewrites a mistake of the first policy for printing in one line, with its place in the file.
  absl::Status InFile(const absl::Status& status) const;

  // Sets the path whose policy later calls replace. It must outlive them.
  void Serve(PolicyPath* path) { path_ = path; }

  // Checks the whole policy `text` from `file`, then loads it. Returns the answer for the client.
  // An error changes nothing, and counts as rejected.
  absl::StatusOr<nlohmann::ordered_json> Reload(const std::string& file, std::string_view text);

  // Gives one rule of the current policy a random loss at this rate, until the next policy is
  // loaded. Returns the answer for the client. An error changes nothing, and counts as rejected.
  absl::StatusOr<nlohmann::ordered_json> SetLoss(const std::string& rule, const std::string& loss);

  // Returns the state that decides `frame` if it arrives now on a port and queue (see
  // ControlServer::Ask), and the sources of the current policy.
  absl::StatusOr<nlohmann::ordered_json> Ask(const std::string& port, std::optional<uint32_t> queue,
                                             const std::string& frame);

  // Returns the sources of the current policy, and the program's ports.
  absl::StatusOr<nlohmann::ordered_json> Sources();

  // Handles a SIGHUP. False: the run has to end. True: the file of the current policy was read
  // again and loaded, or the log says why not.
  bool OnHangup(const siginfo_t& info);

  // Writes a line to the program's log.
  void Log(const std::string& line) const { log_(line); }

 private:
  struct Change {
    std::string rule, loss;
  };
  nlohmann::ordered_json SourcesJson() const;
  // `text` is that of the policy's file.
  absl::StatusOr<ReloadOutcome> Load(const absl::StatusOr<Policy>& policy, std::string_view text);
  void Remember(const Policy& policy, std::string_view text);
  absl::StatusOr<size_t> FindPort(const std::string& name) const;
  // Says which option of the command line has no effect on `policy`; empty: all have.
  std::string Note(const Policy& policy) const;
  void LogNote(const char* how, const Policy& policy) const;

  const PolicyOverrides overrides_;
  const std::vector<std::string> ports_;
  const std::function<void(const std::string&)> log_;
  const Hangup hangup_;
  PolicyPath* path_ = nullptr;
  std::mutex one_;                   // one request at a time; protects the members below
  Policy policy_;                    // the current one
  std::optional<std::string> text_;  // the text of its file; nullopt: no file
  std::vector<Change> changes_;      // made by `twinpath set` since it was loaded, in order
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_POLICY_RELOADER_H_
