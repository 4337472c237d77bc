// SPDX-License-Identifier: BSD-3-Clause
// libFuzzer target for the policy reader. For any text, it returns a policy or an error that names
// the file. The compiler accepts that policy, or returns an error with a message.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"

namespace {

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

bool IsWorded(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInvalidArgument &&
         status.message().substr(0, 3) == "p: ";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<twinpath::Policy> policy = twinpath::ParsePolicy(text, "p");
  if (!policy.ok()) {
    Require(IsWorded(policy.status()));
    return 0;
  }
  std::vector<std::string> ports = policy->ports;
  if (ports.empty()) ports.push_back("any");
  absl::StatusOr<twinpath::CompiledPolicy> compiled = twinpath::CompilePolicy(*policy, ports);
  Require(compiled.ok() ? compiled->rules.size() == policy->rules.size() + 1
                        : IsWorded(compiled.status()));
  return 0;
}
