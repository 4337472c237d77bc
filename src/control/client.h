// SPDX-License-Identifier: BSD-3-Clause
// Sends a policy to a running datapath, and waits for what comes of it. One thread.

#ifndef TWINPATH_CONTROL_CLIENT_H_
#define TWINPATH_CONTROL_CLIENT_H_

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

// Lets what serves `file_prefix` go by the policy `text` from `file` (which names it in its errors
// and in the summary). The answer's object; InvalidArgument with the program's own words where the
// policy is wrong, FailedPrecondition where the program could not. NotFound where nothing runs,
// Unavailable where the program ended meanwhile (whether it went by the new policy is then open),
// DeadlineExceeded where it did not answer within `timeout`.
absl::StatusOr<nlohmann::ordered_json> SendReload(
    const std::string& file_prefix, const std::string& file, std::string_view text,
    std::chrono::milliseconds timeout = std::chrono::minutes(1));

// Whether something runs that can be sent a policy. OK; NotFound as above; or why it cannot be
// asked.
absl::Status CheckServed(const std::string& file_prefix);

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_CLIENT_H_
