// SPDX-License-Identifier: BSD-3-Clause
// Where the policies of a sweep go: into a running program by its control socket, or into a file.
// Both are as before in the end. Main thread.

#ifndef TWINPATH_APPS_TWINPATH_SWEEP_TARGET_H_
#define TWINPATH_APPS_TWINPATH_SWEEP_TARGET_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apps/twinpath/running/choice.h"

namespace twinpath {

class SweepTarget {
 public:
  virtual ~SweepTarget() = default;
  // Checks that `text` can become the policy. Changes nothing. `file` of the messages is POLICY.
  virtual absl::Status Check(const std::string& text) const = 0;
  // Makes `text` the policy.
  virtual absl::Status Apply(const std::string& text) = 0;
  // Undoes all calls of Apply, if there were any.
  virtual absl::Status Restore() = 0;
  // Variables for the command.
  virtual std::vector<std::pair<std::string, std::string>> Variables() const = 0;
  // What the reader of the results has to know.
  virtual std::vector<std::string> Notes() const = 0;
};

// A running program. `policy` is the absolute name of POLICY.
absl::StatusOr<std::unique_ptr<SweepTarget>> RunningTarget(const RunningChoice& choice,
                                                           const std::string& policy);

// The file `path`, which is not POLICY.
absl::StatusOr<std::unique_ptr<SweepTarget>> FileTarget(const std::string& path,
                                                        const std::string& policy);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_SWEEP_TARGET_H_
