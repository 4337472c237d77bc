// SPDX-License-Identifier: BSD-3-Clause
// Text -> policy -> tables -> datapath. The datapath is changed last, when nothing else can fail.

#include "apps/policy_reloader.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "src/config/compile/compile.h"
#include "src/config/overrides.h"

namespace twinpath {
namespace {

// What was asked for by `how` ("SIGHUP"), and what came of it.
std::string LogLine(absl::string_view how, const std::string& file,
                    const absl::StatusOr<Policy>& policy,
                    const absl::StatusOr<ReloadOutcome>& outcome) {
  if (!outcome.ok())
    return absl::StrCat(how, ": keeping the current policy: ", outcome.status().message());
  return absl::StrCat(how, ": loaded ", file, " (sha256 ", policy->sha256, "): ", outcome->rules,
                      outcome->rules == 1 ? " rule, " : " rules, ", outcome->continued,
                      " kept their state");
}

}  // namespace

absl::StatusOr<ReloadOutcome> PolicyReloader::Load(const absl::StatusOr<Policy>& policy) {
  const auto load = [&]() -> absl::StatusOr<ReloadOutcome> {
    if (!policy.ok()) return policy.status();
    auto compiled = CompilePolicy(*policy, ports_);
    if (!compiled.ok()) return compiled.status();
    return path_->Reload(*policy, *std::move(compiled));
  };
  absl::StatusOr<ReloadOutcome> outcome = load();
  if (!outcome.ok()) path_->CountRejected();
  return outcome;
}

std::string PolicyReloader::Note(const Policy& policy) const {
  return std::string(CheckOverridesReach(policy, overrides_, ports_).message());
}

void PolicyReloader::LogNote(const char* how, const Policy& policy) const {
  if (const std::string note = Note(policy); !note.empty())
    log_(absl::StrCat(how, ": note: ", note));
}

absl::StatusOr<nlohmann::ordered_json> PolicyReloader::Reload(const std::string& file,
                                                              std::string_view text) {
  const absl::StatusOr<Policy> policy = MakePolicyOf(text, file, overrides_, ports_);
  const absl::StatusOr<ReloadOutcome> outcome = [&] {
    std::lock_guard<std::mutex> one(one_);
    return Load(policy);
  }();
  log_(LogLine("reload", file, policy, outcome));
  if (outcome.ok()) LogNote("reload", *policy);
  if (!outcome.ok()) return outcome.status();
  nlohmann::ordered_json answer = {{"policy", {{"file", file}, {"sha256", policy->sha256}}},
                                   {"rules", outcome->rules},
                                   {"continued", outcome->continued},
                                   {"reloads", outcome->reloads}};
  if (const std::string note = Note(*policy); !note.empty()) answer["note"] = note;
  return answer;
}

bool PolicyReloader::OnHangup(const siginfo_t& info) {
  if (!hangup_.AsksToReload(info) || path_ == nullptr) return !hangup_.EndsTheRun();
  std::lock_guard<std::mutex> one(one_);
  const std::string file = path_->policy_file();
  if (file.empty()) {
    log_("SIGHUP: there is no policy file to read again; keeping the current policy");
    return true;
  }
  // Signals wait while the file is read, so it must be one that ends.
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(file, none);
  const absl::StatusOr<Policy> policy =
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)
          ? absl::InvalidArgumentError(file + " is no longer a regular file")
          : MakePolicy(file, overrides_, ports_);
  const absl::StatusOr<ReloadOutcome> outcome = Load(policy);
  log_(LogLine("SIGHUP", file, policy, outcome));
  if (outcome.ok()) LogNote("SIGHUP", *policy);
  return true;
}

}  // namespace twinpath
