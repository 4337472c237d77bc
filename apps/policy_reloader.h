// SPDX-License-Identifier: BSD-3-Clause
// How a running datapath program gets another policy: by its control socket, or by SIGHUP. Any
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
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/control/hangup.h"

namespace twinpath {

class PolicyReloader {
 public:
  // What a datapath does, whichever it is.
  struct Datapath {
    std::function<absl::StatusOr<ReloadOutcome>(const Policy&, CompiledPolicy)> reload;
    std::function<void()> count_rejected;
    std::function<std::string()> policy_file;     // of the policy in force; empty: none
    std::function<void(const std::string&)> say;  // a line for the log
  };

  // `ports` are the program's. The overrides of the command line change every policy as they
  // changed the first.
  PolicyReloader(PolicyOverrides overrides, std::vector<std::string> ports)
      : overrides_(std::move(overrides)), ports_(std::move(ports)) {}

  // From here on there is something to reload.
  void Serve(Datapath datapath) { datapath_ = std::move(datapath); }

  // Checks all of the policy `text` from `file`, then puts it into force. The answer for whoever
  // sent it; an error changes nothing, and is counted.
  absl::StatusOr<nlohmann::ordered_json> Reload(const std::string& file, std::string_view text);

  // What SIGHUP asks for. False: that the run end. True: that the file of the policy in force be
  // read again, which was done; or was not, and the log says why.
  bool OnHangup(const siginfo_t& info);

 private:
  absl::StatusOr<ReloadOutcome> PutIntoForce(const absl::StatusOr<Policy>& policy);

  const PolicyOverrides overrides_;
  const std::vector<std::string> ports_;
  const Hangup hangup_;
  Datapath datapath_;
  std::mutex one_;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_POLICY_RELOADER_H_
