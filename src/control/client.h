// SPDX-License-Identifier: BSD-3-Clause
// Sends a policy to a running datapath and waits for the answer. One thread.

#ifndef TWINPATH_CONTROL_CLIENT_H_
#define TWINPATH_CONTROL_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

// How long a client waits for an answer.
struct ReloadPatience {
  std::chrono::milliseconds begin = std::chrono::seconds(5);  // until the program begins to load
  std::chrono::milliseconds end = std::chrono::minutes(1);    // from then until the answer
};

// Replaces the policy of the program with `file_prefix` by `text`. `file` is the policy's name in
// errors and in the summary. Returns the answer's object. Errors:
// - InvalidArgument, with the program's message: the policy is wrong.
// - FailedPrecondition: the program cannot load this policy.
// - NotFound: no program runs with this prefix.
// - Unavailable: the program ended meanwhile. The policy may or may not have been loaded.
// - DeadlineExceeded: the program did not answer in time. The message says whether the policy may
//   have been loaded. A program that has not begun within `patience.begin` will not load the policy
//   later, even if it was stopped and continues.
absl::StatusOr<nlohmann::ordered_json> SendReload(const std::string& file_prefix,
                                                  const std::string& file, std::string_view text,
                                                  const ReloadPatience& patience = {});

// Gives the rule `rule` of the program's policy a random loss at the rate `loss`. The answer and
// the errors are those of SendReload.
absl::StatusOr<nlohmann::ordered_json> SendSetLoss(const std::string& file_prefix,
                                                   const std::string& rule, const std::string& loss,
                                                   const ReloadPatience& patience = {});

// Asks what the program would do with `frame` now. `port` may be empty, and `queue` nullopt, if the
// program has only one. Changes nothing. The errors are those of SendReload.
absl::StatusOr<nlohmann::ordered_json> AskRunning(const std::string& file_prefix,
                                                  const std::string& port,
                                                  std::optional<uint32_t> queue,
                                                  std::string_view frame,
                                                  const ReloadPatience& patience = {});

// Asks for the sources of the program's policy: the object that ReadRunningSources
// (apps/twinpath/running/sources.h) reads. Changes nothing. The errors are those of SendReload.
absl::StatusOr<nlohmann::ordered_json> AskSources(const std::string& file_prefix,
                                                  const ReloadPatience& patience = {});

// Checks that a program runs whose policy can be replaced. NotFound if none runs; otherwise the
// error of the connection.
absl::Status CheckServed(const std::string& file_prefix);

}  // namespace twinpath

#endif  // TWINPATH_CONTROL_CLIENT_H_
