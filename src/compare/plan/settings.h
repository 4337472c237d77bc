// SPDX-License-Identifier: BSD-3-Clause
// What a comparison is to measure: from a profile (dpdk-conf/profiles/compare), changed by the
// command line. Plain values; control thread, at set-up.

#ifndef TWINPATH_COMPARE_PLAN_SETTINGS_H_
#define TWINPATH_COMPARE_PLAN_SETTINGS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace twinpath {

inline constexpr uint32_t kShortestFrame = 60, kLongestCompared = 3000;  // bytes, without FCS
inline constexpr uint32_t kMostExtraRules = 50000;

struct CompareSettings {
  std::string profile;               // its file; empty: none
  std::vector<std::string> engines;  // names; empty: all
  std::vector<uint32_t> sizes = {64, 1514};
  std::vector<std::string> losses = {""};       // "1%"; "": the policy's own
  std::vector<double> loads = {0.1, 0.5, 0.9};  // of the throughput, for latency; empty: none
  std::vector<double> rates;                    // packets a second, beside the search
  uint32_t repetitions = 4;
  uint32_t load_repetitions = 1;         // of these, those that measure latency
  double trial = 0.3, load_trial = 0.5;  // seconds
  double tolerate = 0.001;               // unintended loss, 0 to 1
  double resolution = 0.05;              // of the search
  uint32_t flows = 64;
  uint32_t rules = 0;  // added before the policy's own
  uint32_t queues = 1;
  double budget = 540;  // seconds, after which no new engine is started

  // What decides about the figures: two runs with the same value of it are comparable.
  nlohmann::ordered_json Json() const;
};

// Reads a profile. InvalidArgument: "FILE: /pointer: found ..., allowed ...".
absl::StatusOr<CompareSettings> LoadCompareProfile(const std::string& path);
absl::StatusOr<CompareSettings> ParseCompareProfile(std::string_view text, const std::string& file);

// Replaces one key by `json`, as a profile has it; `name` is the option's name in errors.
absl::Status SetCompareKey(const std::string& key, const std::string& json, const std::string& name,
                           CompareSettings* settings);

// The policy to measure: `text` with `loss` (of --loss; empty: as it is) for each of its rules and
// its default, and with `rules` five-tuple rules before them, which match no generated packet.
// `text` is a valid policy.
absl::StatusOr<std::string> DerivePolicy(const std::string& text, const std::string& loss,
                                         uint32_t rules);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_PLAN_SETTINGS_H_
