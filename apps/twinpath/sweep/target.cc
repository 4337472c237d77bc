// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/sweep/target.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apps/twinpath/compare/output.h"
#include "apps/twinpath/running/sources.h"
#include "src/config/compile/compile.h"
#include "src/config/json/json_document.h"
#include "src/control/client.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

// The options of a program's command line that change every policy.
std::vector<std::string> GivenOptions(const PolicyOverrides& overrides) {
  std::vector<std::string> given;
  const auto add = [&given](const char* option, const std::optional<std::string>& value) {
    if (value) given.push_back(absl::StrCat(option, " ", *value));
  };
  add("--loss", overrides.loss);
  add("--match", overrides.match);
  add("--forward", overrides.forward);
  add("--seed", overrides.seed);
  return given;
}

class Running : public SweepTarget {
 public:
  Running(std::string prefix, std::string policy, RunningSources sources)
      : prefix_(std::move(prefix)), policy_(std::move(policy)), sources_(std::move(sources)) {}

  absl::Status Check(const std::string& text) const override {
    const auto policy = MakePolicyOf(text, policy_, sources_.overrides, sources_.ports);
    if (!policy.ok()) return policy.status();
    return CompilePolicy(*policy, sources_.ports).status();
  }

  absl::Status Apply(const std::string& text) override {
    changed_ = true;
    return SendReload(prefix_, policy_, text).status();
  }

  absl::Status Restore() override {
    if (!changed_) return absl::OkStatus();
    const absl::Status restored = RestorePolicy(prefix_, sources_);
    if (restored.ok()) return restored;
    return absl::Status(
        restored.code(),
        absl::StrCat("the policy from before the sweep was not restored: ", restored.message()));
  }

  std::vector<std::pair<std::string, std::string>> Variables() const override { return {}; }

  std::vector<std::string> Notes() const override {
    const std::vector<std::string> given = GivenOptions(sources_.overrides);
    if (given.empty()) return {};
    return {absl::StrCat(prefix_, " was started with ", absl::StrJoin(given, " "),
                         ", which changes every policy, also those of the sweep.")};
  }

 private:
  const std::string prefix_, policy_;
  const RunningSources sources_;  // from before the sweep
  bool changed_ = false;
};

class File : public SweepTarget {
 public:
  File(std::string path, std::string policy, std::optional<std::string> before)
      : path_(std::move(path)), policy_(std::move(policy)), before_(std::move(before)) {}

  absl::Status Check(const std::string& text) const override {
    const auto policy = ParsePolicy(text, policy_);
    if (!policy.ok()) return policy.status();
    std::vector<std::string> ports = policy->ports;
    if (ports.empty()) ports.emplace_back();  // such a policy treats all ports alike
    return CompilePolicy(*policy, ports).status();
  }

  absl::Status Apply(const std::string& text) override {
    changed_ = true;
    const absl::Status written = ReplaceFile(path_, text);
    return written.ok() ? written : absl::InternalError(std::string(written.message()));
  }

  absl::Status Restore() override {
    if (!changed_) return absl::OkStatus();
    if (before_) return ReplaceFile(path_, *before_);
    if (unlink(path_.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cannot remove ", path_, ": ", std::strerror(errno)));
  }

  std::vector<std::pair<std::string, std::string>> Variables() const override {
    return {{"TWINPATH_POLICY", path_}};
  }

  std::vector<std::string> Notes() const override { return {}; }

 private:
  const std::string path_, policy_;
  const std::optional<std::string> before_;  // the file's contents before the sweep
  bool changed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SweepTarget>> RunningTarget(const RunningChoice& choice,
                                                           const std::string& policy) {
  const absl::StatusOr<std::string> prefix = ChooseWithPolicy(choice);
  if (!prefix.ok())
    return absl::Status(prefix.status().code(),
                        absl::StrCat(prefix.status().message(),
                                     absl::IsNotFound(prefix.status())
                                         ? "; start one, or write the policies with --write FILE"
                                         : ""));
  const auto answer = AskSources(*prefix);
  if (!answer.ok()) return answer.status();
  auto sources = ReadRunningSources(*answer);
  if (!sources.ok()) return sources.status();
  return std::make_unique<Running>(*prefix, policy, *std::move(sources));
}

absl::StatusOr<std::unique_ptr<SweepTarget>> FileTarget(const std::string& path,
                                                        const std::string& policy) {
  std::error_code error;
  const std::string file = fs::absolute(path, error).string();
  std::optional<std::string> before;
  if (const fs::file_status status = fs::status(file, error); fs::exists(status)) {
    if (fs::equivalent(file, policy, error))
      return absl::InvalidArgumentError(
          absl::StrCat("--write: found ", path, ", which is POLICY, allowed another file"));
    if (!fs::is_regular_file(status))
      return absl::InvalidArgumentError(
          absl::StrCat("--write: found ", path, ", allowed a regular file or a new one"));
    auto text = ReadDocument(file);
    if (!text.ok()) return text.status();
    before = *std::move(text);
  }
  const std::string folder = fs::path(file).parent_path().string();
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return absl::InvalidArgumentError(
        absl::StrCat("--write: cannot write into ", folder, ": ", std::strerror(errno)));
  return std::make_unique<File>(file, policy, std::move(before));
}

}  // namespace twinpath
