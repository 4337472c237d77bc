// SPDX-License-Identifier: BSD-3-Clause
// A reload makes a policy from the text, and tables from the policy, before it changes the
// datapath. Only the last step changes anything, and nothing else can fail then.

#include "apps/policy_reloader.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "src/config/compile/compile.h"
#include "src/config/describe/describe.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/overrides.h"

namespace twinpath {
namespace {

// The log's line for a request to load a policy. `how` is what asked for it ("SIGHUP").
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

absl::StatusOr<Policy> PolicyReloader::First(const std::string& file) {
  std::lock_guard<std::mutex> one(one_);
  const auto text = file.empty() ? absl::StatusOr<std::string>("") : ReadDocument(file);
  if (!text.ok()) return text.status();
  auto made = file.empty() ? MakePolicy(file, overrides_, ports_)
                           : MakePolicyOf(*text, file, overrides_, ports_);
  if (!made.ok()) return made;
  // A program does not start with an option without effect. A reload only notes it.
  if (const std::string note = Note(*made); !note.empty()) return absl::InvalidArgumentError(note);
  if (file.empty())
    policy_ = *made;
  else
    Remember(*made, *text);
  return made;
}

absl::Status PolicyReloader::InFile(const absl::Status& status) const {
  return InOneLine(status, text_.value_or(""), kPolicyLister);
}

void PolicyReloader::Remember(const Policy& policy, std::string_view text) {
  policy_ = policy;
  text_ = text;
  changes_.clear();
}

absl::StatusOr<ReloadOutcome> PolicyReloader::Load(const absl::StatusOr<Policy>& policy,
                                                   std::string_view text) {
  const auto load = [&]() -> absl::StatusOr<ReloadOutcome> {
    if (!policy.ok()) return policy.status();
    auto compiled = CompilePolicy(*policy, ports_);
    if (!compiled.ok()) return InOneLine(compiled.status(), text, kPolicyLister);
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
    absl::StatusOr<ReloadOutcome> loaded = Load(policy, text);
    if (loaded.ok()) Remember(*policy, text);
    return loaded;
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

absl::StatusOr<nlohmann::ordered_json> PolicyReloader::SetLoss(const std::string& rule,
                                                               const std::string& loss) {
  std::lock_guard<std::mutex> one(one_);
  Policy changed = policy_;
  absl::Status set = twinpath::SetLoss(rule, loss, &changed);
  if (set.ok()) set = CheckReached(rule, changed, ports_);
  const absl::StatusOr<Policy> policy = set.ok() ? absl::StatusOr<Policy>(changed) : set;
  const absl::StatusOr<ReloadOutcome> outcome = Load(policy, text_.value_or(""));
  if (!outcome.ok()) {
    log_(absl::StrCat("set: keeping the current policy: ", outcome.status().message()));
    return outcome.status();
  }
  policy_ = *policy;
  changes_.push_back({rule, loss});
  log_(absl::StrCat("set: rule ", rule, " loses ", PercentOf(loss), " (sha256 ", policy->sha256,
                    ")"));
  return nlohmann::ordered_json{{"policy", {{"file", policy->file}, {"sha256", policy->sha256}}},
                                {"rule", rule},
                                {"loss", loss},
                                {"reloads", outcome->reloads}};
}

absl::StatusOr<size_t> PolicyReloader::FindPort(const std::string& name) const {
  if (name.empty() && ports_.size() == 1) return 0;
  const auto found = std::find(ports_.begin(), ports_.end(), name);
  if (found != ports_.end()) return static_cast<size_t>(found - ports_.begin());
  const std::vector<std::string_view> names(ports_.begin(), ports_.end());
  return FoundError("--port", "", name.empty() ? "nothing" : Quote(name),
                    absl::StrCat("one of the program's ports: ", Join(names)));
}

nlohmann::ordered_json PolicyReloader::SourcesJson() const {
  using Json = nlohmann::ordered_json;
  Json overrides = Json::object();
  const auto add = [&overrides](const char* option, const std::optional<std::string>& value) {
    if (value) overrides[option] = *value;
  };
  add("loss", overrides_.loss);
  add("match", overrides_.match);
  add("forward", overrides_.forward);
  add("seed", overrides_.seed);
  Json changes = Json::array();
  for (const Change& change : changes_)
    changes.push_back({{"rule", change.rule}, {"loss", change.loss}});
  return {{"file", policy_.file},
          {"text", text_ ? Json(*text_) : Json()},
          {"overrides", overrides},
          {"changes", changes},
          {"ports", ports_}};
}

absl::StatusOr<nlohmann::ordered_json> PolicyReloader::Ask(const std::string& port,
                                                           std::optional<uint32_t> queue,
                                                           const std::string& frame) {
  std::lock_guard<std::mutex> one(one_);
  const absl::StatusOr<size_t> index = FindPort(port);
  if (!index.ok()) return index.status();
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(frame.data()),
                                        frame.size());
  const absl::StatusOr<PacketState> state = path_->StateFor(*index, queue.value_or(0), bytes);
  if (!state.ok()) return state.status();
  if (!queue && state->queues > 1)
    return FoundError("--queue", "", "nothing",
                      absl::StrCat("0 to ", state->queues - 1, ": port ", ports_[*index], " has ",
                                   state->queues, " queues"));
  nlohmann::ordered_json answer = SourcesJson();
  answer["port"] = *index;
  answer["queue"] = queue.value_or(0);
  answer["at_ns"] = state->at_ns;
  answer["completes"] = state->completes;
  answer["matched"] = state->matched;
  answer["flow_matched"] = state->flow_matched;
  answer["age_ns"] = state->age_ns;
  return answer;
}

absl::StatusOr<nlohmann::ordered_json> PolicyReloader::Sources() {
  std::lock_guard<std::mutex> one(one_);
  return SourcesJson();
}

bool PolicyReloader::OnHangup(const siginfo_t& info) {
  if (!hangup_.AsksToReload(info) || path_ == nullptr) return !hangup_.EndsTheRun();
  std::lock_guard<std::mutex> one(one_);
  const std::string file = path_->policy_file();
  if (file.empty()) {
    log_("SIGHUP: there is no policy file to read again; keeping the current policy");
    return true;
  }
  // Signals wait while this thread reads the file, so a named pipe is refused: reading it may
  // block.
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(file, none);
  const absl::StatusOr<std::string> text =
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)
          ? absl::InvalidArgumentError(file + " is no longer a regular file")
          : ReadDocument(file);
  const absl::StatusOr<Policy> policy =
      text.ok() ? MakePolicyOf(*text, file, overrides_, ports_) : text.status();
  const absl::StatusOr<ReloadOutcome> outcome =
      Load(policy, text.ok() ? std::string_view(*text) : "");
  if (outcome.ok()) Remember(*policy, *text);
  log_(LogLine("SIGHUP", file, policy, outcome));
  if (outcome.ok()) LogNote("SIGHUP", *policy);
  return true;
}

}  // namespace twinpath
