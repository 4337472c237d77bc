// SPDX-License-Identifier: BSD-3-Clause
// Random policies: over every match field, with up to some hundreds of rules, every way to forward,
// losses from 0 to 1 with both ends, and one to four ports. Matches are drawn from the universe
// that generated frames are made of. The same number makes the same policy. For tests; any thread.

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
  uint32_t queues = 1;             // 1 to 4, to run it with
};

RandomPolicy MakeRandomPolicy(uint64_t number);

// Parses and compiles it. Fails only where the generator, or the configuration, is wrong.
absl::StatusOr<CompiledPolicy> Compile(const RandomPolicy& policy);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_POLICIES_H_
