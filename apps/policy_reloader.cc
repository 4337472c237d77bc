// SPDX-License-Identifier: BSD-3-Clause
// Text -> policy -> tables -> datapath; nothing is touched before all of that is known to work.

#include "apps/policy_reloader.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/compile.h"

namespace twinpath {

absl::StatusOr<ReloadOutcome> PolicyReloader::PutIntoForce(const absl::StatusOr<Policy>& policy) {
  const auto put = [&]() -> absl::StatusOr<ReloadOutcome> {
    if (!policy.ok()) return policy.status();
    auto compiled = CompilePolicy(*policy, ports_);
    if (!compiled.ok()) return compiled.status();
    return datapath_.reload(*policy, *std::move(compiled));
  };
  absl::StatusOr<ReloadOutcome> outcome = put();
  if (!outcome.ok()) datapath_.count_rejected();
  return outcome;
}

absl::StatusOr<nlohmann::ordered_json> PolicyReloader::Reload(const std::string& file,
                                                              std::string_view text) {
  std::lock_guard<std::mutex> one(one_);
  const absl::StatusOr<Policy> policy = MakePolicyOf(text, file, overrides_, ports_);
  const absl::StatusOr<ReloadOutcome> outcome = PutIntoForce(policy);
  if (!outcome.ok()) return outcome.status();
  return nlohmann::ordered_json{{"policy", {{"file", file}, {"sha256", policy->sha256}}},
                                {"rules", outcome->rules},
                                {"continued", outcome->continued},
                                {"reloads", outcome->reloads}};
}

bool PolicyReloader::OnHangup(const siginfo_t& info) {
  if (!hangup_.AsksToReload(info) || !datapath_.reload) return !hangup_.EndsTheRun();
  std::lock_guard<std::mutex> one(one_);
  const std::string file = datapath_.policy_file();
  if (file.empty()) {
    datapath_.say("SIGHUP: no policy file to read again; the run goes on as it was");
    return true;
  }
  // Signals wait while the file is read: it has to have an end.
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(file, none);
  const absl::StatusOr<Policy> policy =
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)
          ? absl::InvalidArgumentError(file + ": found no regular file any more, allowed one")
          : MakePolicy(file, overrides_, ports_);
  const absl::StatusOr<ReloadOutcome> outcome = PutIntoForce(policy);
  datapath_.say(
      outcome.ok()
          ? absl::StrCat("SIGHUP: goes by ", file, " (sha256 ", policy->sha256, ") now")
          : absl::StrCat("SIGHUP: the run goes on as it was: ", outcome.status().message()));
  return true;
}

}  // namespace twinpath
