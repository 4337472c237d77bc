// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/plan/settings.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

constexpr uint64_t kVersion = 1;
constexpr double kSecond = 1e9;
constexpr uint64_t kMostRate = 1'000'000'000;
constexpr size_t kMostItems = 64;

// Reads each item of an array of 1 (or `least`) to kMostItems.
absl::Status ReadList(const JsonCursor& list, const std::string& allowed,
                      const std::function<absl::Status(const JsonCursor&)>& read) {
  if (!list.Is(Kind::kArray) || list.size() > kMostItems)
    return list.Wrong(absl::StrCat("an array of at most ", kMostItems, " ", allowed));
  for (size_t i = 0; i < list.size(); i++)
    if (absl::Status s = read(list.Item(i)); !s.ok()) return s;
  return absl::OkStatus();
}

absl::Status ReadCount(const JsonCursor& c, uint64_t least, uint64_t most, uint32_t* value) {
  const auto read = c.Unsigned(least, most);
  if (!read.ok()) return read.status();
  *value = static_cast<uint32_t>(*read);
  return absl::OkStatus();
}

absl::Status ReadSeconds(const JsonCursor& c, double* seconds) {
  const auto read = ReadDuration(c, 1'000'000, "a duration such as \"500ms\", from 1ms");
  if (!read.ok()) return read.status();
  *seconds = static_cast<double>(*read) / kSecond;
  return absl::OkStatus();
}

absl::Status ReadShare(const JsonCursor& c, double* share) {
  const auto read = ReadProbability(c);
  if (!read.ok()) return read.status();
  *share = read->value;
  return absl::OkStatus();
}

absl::Status ReadText(const JsonCursor& c, std::vector<std::string>* texts) {
  auto text = c.String("a name");
  if (!text.ok()) return text.status();
  texts->push_back(*std::move(text));
  return absl::OkStatus();
}

absl::Status ReadLoss(const JsonCursor& c, std::vector<std::string>* losses) {
  if (c.Is(Kind::kString) && c.value().text == "policy") {
    losses->emplace_back();
    return absl::OkStatus();
  }
  const auto read = ReadProbability(c);
  if (!read.ok())
    return c.Wrong("\"policy\" (the policy's own), or a loss from 0 to 1 or \"0%\" to \"100%\"");
  losses->push_back(c.value().text);
  return absl::OkStatus();
}

using Reader = std::function<absl::Status(const JsonCursor&, CompareSettings*)>;

struct Key {
  const char* name;
  Reader read;
};

template <typename T>
Reader ListOf(const char* allowed, std::vector<T> CompareSettings::*field,
              std::function<absl::Status(const JsonCursor&, std::vector<T>*)> read) {
  return [allowed, field, read](const JsonCursor& c, CompareSettings* settings) {
    std::vector<T> values;
    absl::Status s =
        ReadList(c, allowed, [&](const JsonCursor& item) { return read(item, &values); });
    if (s.ok()) settings->*field = std::move(values);
    return s;
  };
}

Reader CountOf(uint64_t least, uint64_t most, uint32_t CompareSettings::*field) {
  return [=](const JsonCursor& c, CompareSettings* settings) {
    return ReadCount(c, least, most, &(settings->*field));
  };
}

Reader SecondsOf(double CompareSettings::*field) {
  return [field](const JsonCursor& c, CompareSettings* s) { return ReadSeconds(c, &(s->*field)); };
}

Reader ShareOf(double CompareSettings::*field) {
  return [field](const JsonCursor& c, CompareSettings* s) { return ReadShare(c, &(s->*field)); };
}

// Every key of a profile but version and about.
const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {"engines", ListOf<std::string>("names", &CompareSettings::engines, ReadText)},
      {"sizes", ListOf<uint32_t>("sizes", &CompareSettings::sizes,
                                 [](const JsonCursor& c, std::vector<uint32_t>* sizes) {
                                   uint32_t size = 0;
                                   absl::Status s =
                                       ReadCount(c, kShortestFrame, kLongestCompared, &size);
                                   sizes->push_back(size);
                                   return s;
                                 })},
      {"loss", ListOf<std::string>("losses", &CompareSettings::losses, ReadLoss)},
      {"loads", ListOf<double>("loads", &CompareSettings::loads,
                               [](const JsonCursor& c, std::vector<double>* loads) {
                                 double load = 0;
                                 absl::Status s = ReadShare(c, &load);
                                 if (s.ok() && load <= 0) s = c.Wrong("a share above 0");
                                 loads->push_back(load);
                                 return s;
                               })},
      {"rates", ListOf<double>("rates", &CompareSettings::rates,
                               [](const JsonCursor& c, std::vector<double>* rates) {
                                 const auto rate = c.Unsigned(1, kMostRate);
                                 if (!rate.ok()) return rate.status();
                                 rates->push_back(static_cast<double>(*rate));
                                 return absl::OkStatus();
                               })},
      {"repetitions", CountOf(1, 1000, &CompareSettings::repetitions)},
      {"load_repetitions", CountOf(0, 1000, &CompareSettings::load_repetitions)},
      {"trial", SecondsOf(&CompareSettings::trial)},
      {"load_trial", SecondsOf(&CompareSettings::load_trial)},
      {"tolerate", ShareOf(&CompareSettings::tolerate)},
      {"resolution", ShareOf(&CompareSettings::resolution)},
      {"flows", CountOf(1, 1 << 24, &CompareSettings::flows)},
      {"rules", CountOf(0, kMostExtraRules, &CompareSettings::rules)},
      {"queues", CountOf(1, 64, &CompareSettings::queues)},
      {"budget", SecondsOf(&CompareSettings::budget)},
  };
  return keys;
}

// Whether an array that must not be empty is.
absl::Status CheckFilled(const JsonCursor& root) {
  for (const char* name : {"sizes", "loss"}) {
    const JsonCursor list = root.Member(name);
    if (list.present() && list.size() == 0) return list.Wrong("an array of at least one");
  }
  return absl::OkStatus();
}

}  // namespace

nlohmann::ordered_json CompareSettings::Json() const {
  return {{"profile", profile},
          {"engines", engines},
          {"sizes", sizes},
          {"loss", losses},
          {"loads", loads},
          {"rates", rates},
          {"repetitions", repetitions},
          {"load_repetitions", load_repetitions},
          {"trial_s", trial},
          {"load_trial_s", load_trial},
          {"tolerate", tolerate},
          {"resolution", resolution},
          {"flows", flows},
          {"rules", rules},
          {"queues", queues},
          {"budget_s", budget}};
}

absl::StatusOr<CompareSettings> LoadCompareProfile(const std::string& path) {
  auto text = ReadDocument(path);
  if (!text.ok()) return text.status();
  return ParseCompareProfile(*text, path);
}

absl::StatusOr<CompareSettings> ParseCompareProfile(std::string_view text,
                                                    const std::string& file) {
  auto document = ParseDocument(text, file);
  if (!document.ok()) return document.status();
  const JsonCursor root(*document, file);
  std::vector<std::string_view> names = {"version", "about"};
  for (const Key& key : Keys()) names.emplace_back(key.name);
  if (absl::Status s = root.CheckKeys(names); !s.ok()) return s;
  if (const auto version = root.Member("version").Unsigned(kVersion, kVersion); !version.ok())
    return version.status();
  const JsonCursor about = root.Member("about");
  if (about.present())
    if (absl::Status s = about.CheckAbout(); !s.ok()) return s;
  CompareSettings settings;
  settings.profile = file;
  Mistakes mistakes;
  for (const Key& key : Keys()) {
    const JsonCursor member = root.Member(key.name);
    if (member.present()) mistakes.Add(key.read(member, &settings));
  }
  if (mistakes.none()) mistakes.Add(CheckFilled(root));
  if (!mistakes.none()) return mistakes.status();
  return settings;
}

absl::Status SetCompareKey(const std::string& key, const std::string& json, const std::string& name,
                           CompareSettings* settings) {
  auto document = ParseDocument(absl::StrCat("{\"", key, "\":", json, "}"), name);
  if (!document.ok()) return document.status();
  const JsonCursor root(*document, name);
  for (const Key& known : Keys()) {
    if (known.name != key) continue;
    if (absl::Status s = known.read(root.Member(key), settings); !s.ok()) return s;
    return CheckFilled(root);
  }
  return absl::InternalError(absl::StrCat("no key ", key));
}

absl::StatusOr<std::string> DerivePolicy(const std::string& text, const std::string& loss,
                                         uint32_t rules) {
  if (loss.empty() && rules == 0) return text;
  nlohmann::ordered_json policy;
  try {
    policy = nlohmann::ordered_json::parse(text);
    if (!loss.empty()) {
      const nlohmann::ordered_json random = {{"model", "random"}, {"rate", loss}};
      if (policy.contains("rules"))
        for (auto& rule : policy["rules"]) rule["loss"] = random;
      policy["default"]["loss"] = random;
    }
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (uint32_t i = 0; i < rules; i++)
      all.push_back({{"name", absl::StrCat("compare-", i + 1)},
                     {"match",
                      {{"proto", "udp"},
                       {"src", "203.0.113.1/32"},  // documentation, RFC 5737
                       {"dst", absl::StrCat("10.0.", i >> 8, ".", i & 255, "/32")},
                       {"src_port", 5000},
                       {"dst_port", 6000}}},
                     {"forward", "drop"}});
    if (policy.contains("rules"))
      for (auto& rule : policy["rules"]) all.push_back(rule);
    if (!all.empty()) policy["rules"] = std::move(all);
  } catch (const nlohmann::json::exception& e) {
    return absl::InvalidArgumentError(e.what());
  }
  return policy.dump(1);
}

}  // namespace twinpath
