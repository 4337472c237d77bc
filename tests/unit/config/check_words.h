// SPDX-License-Identifier: BSD-3-Clause
// A policy in words, for tests of the words.

#ifndef TWINPATH_TESTS_UNIT_CONFIG_CHECK_WORDS_H_
#define TWINPATH_TESTS_UNIT_CONFIG_CHECK_WORDS_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/describe/check_report.h"

namespace twinpath {

// The report of a policy with these members, whose tables are not compiled: the words and the
// reachability depend only on the policy, which may be one that no table can hold yet.
inline CheckReport CheckWords(const std::string& members, const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy =
      ParsePolicy(absl::StrCat(R"({"version": 1, )", members, "}"), "p");
  EXPECT_TRUE(policy.ok()) << policy.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(Policy(), ports);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return policy.ok() && compiled.ok() ? MakeCheckReport(*policy, *compiled) : CheckReport();
}

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_CONFIG_CHECK_WORDS_H_
