// SPDX-License-Identifier: BSD-3-Clause
// Replaces the policy of a running datapath, on a request of the control socket or on SIGHUP. Any
// thread; one policy at a time.

#ifndef TWINPATH_APPS_POLICY_RELOADER_H_
#define TWINPATH_APPS_POLICY_RELOADER_H_

#include <signal.h>

#include <functional>
#include <mutex>
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
  // `ports` are the program's, in order. The command line's `overrides` change every policy as they
  // changed the first one. `log` gets a line for each request to load a policy, on the thread that
  // serves the request.
  PolicyReloader(PolicyOverrides overrides, std::vector<std::string> ports,
                 std::function<void(const std::string&)> log)
      : overrides_(std::move(overrides)), ports_(std::move(ports)), log_(std::move(log)) {}

  // The path whose policy is replaced. Must outlive all later calls.
  void Serve(PolicyPath* path) { path_ = path; }

  // Checks the whole policy `text` from `file`, then loads it. Returns the answer for the client.
  // An error changes nothing, and counts as rejected.
  absl::StatusOr<nlohmann::ordered_json> Reload(const std::string& file, std::string_view text);

  // Handles a SIGHUP. False: the run is to end. True: the file of the current policy was read again
  // and loaded, or the log says why not.
  bool OnHangup(const siginfo_t& info);

  // Writes a line to the program's log.
  void Log(const std::string& line) const { log_(line); }

 private:
  absl::StatusOr<ReloadOutcome> Load(const absl::StatusOr<Policy>& policy);
  // Says which option of the command line does nothing with `policy`; empty: none.
  std::string Note(const Policy& policy) const;
  void LogNote(const char* how, const Policy& policy) const;

  const PolicyOverrides overrides_;
  const std::vector<std::string> ports_;
  const std::function<void(const std::string&)> log_;
  const Hangup hangup_;
  PolicyPath* path_ = nullptr;
  std::mutex one_;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_POLICY_RELOADER_H_
