// SPDX-License-Identifier: BSD-3-Clause
// The sources of a running program's policy: the text of its file, the options of its command line,
// and the changes of `twinpath set`. From them this side makes the same policy. Plain values. Main
// thread.

#ifndef TWINPATH_APPS_TWINPATH_RUNNING_SOURCES_H_
#define TWINPATH_APPS_TWINPATH_RUNNING_SOURCES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "src/config/policy/policy.h"

namespace twinpath {

struct RunningSources {
  struct Change {
    std::string rule, loss;
  };
  std::string file;                 // the policy's name
  std::optional<std::string> text;  // of the policy's file; nullopt: the program has no file
  PolicyOverrides overrides;
  std::vector<Change> changes;     // by `twinpath set`, in order
  std::vector<std::string> ports;  // of the program, in order
};

// Reads the answer of PolicyReloader::Sources or PolicyReloader::Ask. DataLoss: the answer has
// another form, as that of another version may have.
absl::StatusOr<RunningSources> ReadRunningSources(const nlohmann::ordered_json& answer);

// Builds the program's policy: the same text, and the same changes in the same order.
absl::StatusOr<Policy> BuildPolicy(const RunningSources& sources);

// Loads that policy into the program with `file_prefix` again. The errors are those of SendReload.
absl::Status RestorePolicy(const std::string& file_prefix, const RunningSources& sources);

}  // namespace twinpath

#endif  // TWINPATH_APPS_TWINPATH_RUNNING_SOURCES_H_
