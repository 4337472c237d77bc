// SPDX-License-Identifier: BSD-3-Clause
// Random policies: every match field, up to some hundreds of rules, every forward action, rates
// from 0 to 1 inclusive, and one to four ports. Matches are drawn from the same universe as
// generated frames. The same number makes the same policy. For tests; any thread.

#ifndef TWINPATH_TESTS_PARITY_POLICIES_H_
#define TWINPATH_TESTS_PARITY_POLICIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace twinpath {

struct RandomPolicy {
  std::string json;
  std::vector<std::string> ports;  // 1 to 4; the policy may name fewer
  uint32_t queues = 1;             // 1 to 4, of each port
};

RandomPolicy MakeRandomPolicy(uint64_t number);

// Parses and compiles the policy. Fails only if the generator or src/config has a bug.
absl::StatusOr<CompiledPolicy> Compile(const RandomPolicy& policy);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_POLICIES_H_
