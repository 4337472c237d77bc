// SPDX-License-Identifier: BSD-3-Clause
// Decides which connections are broken on purpose: which ones are refused, and when one is reset.
// Both depend only on the seed and the connection's number, with the policy's random function
// (src/policy/random.h). Pure functions; any thread.

#ifndef TWINPATH_SPLICE_CHAOS_H_
#define TWINPATH_SPLICE_CHAOS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"

namespace twinpath::splice {

inline constexpr uint64_t kNoByteLimit = UINT64_MAX;

// When a connection is reset: after a number of bytes in either direction, or some time after its
// target was reached. Each connection draws its own value, uniformly from the range.
struct ResetAfter {
  enum class Unit { kNever, kBytes, kMicroseconds };
  Unit unit = Unit::kNever;
  uint64_t low = 0, high = 0;  // inclusive
};

// Parses bytes, "65536", "64K", "1M-16M" (K, M and G are powers of 1024; 1 to 2^50), or a time,
// "1.5s", "100ms", "1s-30s" (1 ms to 1e6 s). InvalidArgument says what is allowed.
absl::StatusOr<ResetAfter> ParseResetAfter(const std::string& text);

struct ChaosPlan {
  uint64_t seed = 0;
  Probability refuse;  // that a connection is reset as soon as it is accepted
  ResetAfter reset_after;
};

struct ConnectionFate {
  bool refused = false;
  uint64_t byte_limit = kNoByteLimit;  // both sides are reset after so many bytes in one direction
  std::optional<std::chrono::microseconds> lifetime;  // from reaching the target to the reset
};
// The fate of connection number `n`, in the order of acceptance, from 0.
ConnectionFate FateOf(const ChaosPlan& plan, uint64_t n);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CHAOS_H_
