// SPDX-License-Identifier: BSD-3-Clause
// What a comparison checks and reads before it touches the machine.

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "apps/twinpath/compare/job.h"
#include "apps/twinpath/compare/output.h"
#include "src/compare/lab/child.h"
#include "src/compare/report/page.h"
#include "src/compare/result/text.h"
#include "src/config/describe/loss_statistics.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/policy/policy.h"
#include "src/config/sha256.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

constexpr char kResults[] = "results.json", kPrevious[] = "results.previous.json";

absl::StatusOr<Results> LoadResults(const std::string& path) {
  const auto text = ReadDocument(path);
  if (!text.ok()) return text.status();
  return ParseResults(*text, path);
}

// The settings that decide about the figures.
nlohmann::ordered_json Decisive(nlohmann::ordered_json settings) {
  for (const char* key : {"profile", "budget_s", "repetitions", "engines"}) settings.erase(key);
  return settings;
}

// The policy with that loss, in the report's folder if it is another one than the given.
absl::StatusOr<LossPolicy> PolicyFor(const CompareJob& job, const std::string& text,
                                     const std::string& loss) {
  const auto derived = DerivePolicy(text, loss, job.settings.rules);
  if (!derived.ok()) return derived.status();
  auto policy = ParsePolicy(*derived, job.options.policy);
  if (!policy.ok()) return policy.status();
  for (const std::string& port : policy->ports)
    if (port != "lan" && port != "wan")
      return absl::InvalidArgumentError(absl::StrCat(
          job.options.policy, ": a comparison has the ports lan and wan; the policy names ", port));
  LossPolicy result;
  result.file = fs::absolute(job.options.policy);
  if (*derived != text) {
    const fs::path file = fs::absolute(job.options.report) /
                          absl::StrCat("policy", loss.empty() ? "" : "-loss-", loss, ".json");
    if (absl::Status written = ReplaceFile(file, *derived); !written.ok()) return written;
    result.file = file;
  }
  for (const RuleSpec& rule : policy->rules) result.asked[rule.name] = StatisticsOf(rule.loss).rate;
  result.asked[policy->fallback.name] = StatisticsOf(policy->fallback.loss).rate;
  return result;
}

// The results so far of the folder, or new ones. Results that would be overwritten get another
// name.
absl::StatusOr<Results> StartResults(const CompareJob& job, const PolicyFacts& policy) {
  const fs::path file = fs::path(job.options.report) / kResults;
  if (job.options.resume) {
    auto results = LoadResults(file);
    if (!results.ok()) return results;
    if (results->policy.sha256 != policy.sha256)
      return absl::InvalidArgumentError(absl::StrCat(
          "--resume: ", file.string(), " is of another policy: ", results->policy.file));
    if (Decisive(results->settings) != Decisive(job.settings.Json()))
      return absl::InvalidArgumentError(
          absl::StrCat("--resume: ", file.string(),
                       " was measured with other options: ", Decisive(results->settings).dump()));
    results->notes.clear();
    results->settings = job.settings.Json();
    return results;
  }
  std::error_code ignored;
  fs::rename(file, fs::path(job.options.report) / kPrevious, ignored);
  Results results;
  results.version = TWINPATH_VERSION;
  results.started = UtcNow();
  results.policy = policy;
  results.settings = job.settings.Json();
  return results;
}

}  // namespace

absl::StatusOr<CompareJob> PrepareJob(const CompareOptions& options) {
  CompareJob job;
  job.options = options;
  auto settings = SettingsOf(options);
  if (!settings.ok()) return settings.status();
  job.settings = *std::move(settings);
  for (const std::string& name : job.settings.engines)
    if (absl::Status known = CheckEngineName(name); !known.ok()) return known;
  auto links = LinksOf(options);
  if (!links.ok()) return links.status();
  job.links = *std::move(links);
  const auto text = ReadDocument(options.policy);
  if (!text.ok()) return text.status();
  const auto digest = Sha256Hex(*text);
  if (!digest.ok()) return digest.status();
  if (const auto policy = ParsePolicy(*text, options.policy); !policy.ok())
    return InOneLine(policy.status(), *text, kPolicyLister);
  if (!options.against.empty()) {
    auto against = LoadResults(options.against);
    if (!against.ok()) return against.status();
    job.against = *std::move(against);
  }
  std::error_code error;
  job.programs = options.programs.empty()
                     ? fs::read_symlink("/proc/self/exe", error).parent_path().string()
                     : fs::absolute(options.programs).string();
  if (access((job.programs + "/twinpath").c_str(), X_OK) != 0)
    return absl::InvalidArgumentError(
        absl::StrCat("--programs: there is no program twinpath in ", job.programs));
  if (job.links.own && ProgramInPath("ip").empty())
    return absl::InvalidArgumentError("there is no ip: apt-get install iproute2");
  if (geteuid() != 0)
    return absl::InvalidArgumentError(
        "a comparison makes network namespaces, interfaces and XDP programs: run it as root");
  fs::create_directories(options.report, error);
  if (!fs::is_directory(options.report))
    return absl::InvalidArgumentError(
        absl::StrCat("--report: ", options.report, " cannot be made: ", error.message()));
  auto results = StartResults(job, {options.policy, *digest, *text});
  if (!results.ok()) return results.status();
  job.results = *std::move(results);
  for (const std::string& loss : job.settings.losses) {
    auto policy = PolicyFor(job, *text, loss);
    if (!policy.ok()) return policy.status();
    job.policies[loss] = *std::move(policy);
  }
  return job;
}

absl::Status WriteReport(const CompareJob& job) {
  const fs::path folder = job.options.report;
  const auto differences =
      job.against ? CompareResults(*job.against, job.results) : std::vector<Difference>();
  absl::Status status = ReplaceFile(folder / kResults, ResultsJson(job.results).dump(1) + "\n");
  status.Update(ReplaceFile(folder / "results.csv", ResultsCsv(job.results)));
  status.Update(ReplaceFile(folder / "index.html",
                            ReportPage(job.results, differences, job.options.against)));
  return status;
}

}  // namespace twinpath
