// SPDX-License-Identifier: BSD-3-Clause
// Broken connections on purpose: which connection is refused and when one is reset, decided by the
// seed and the connection's number alone, with the policy's random function (src/policy/random.h).
// Pure functions; any thread.

#ifndef TWINPATH_SPLICE_CHAOS_H_
#define TWINPATH_SPLICE_CHAOS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/policy/policy.h"

namespace twinpath::splice {

inline constexpr uint64_t kNoOctetLimit = UINT64_MAX;

// When a connection is reset: after so many octets in either direction, or so long after its
// target was reached. A range is drawn from, evenly, a connection at a time.
struct ResetAfter {
  enum class Unit { kNever, kOctets, kMicroseconds };
  Unit unit = Unit::kNever;
  uint64_t low = 0, high = 0;  // both included
};

// Reads "65536", "64K", "1M-16M" (octets; K, M and G are 1024 and its powers, at most 2^50) or
// "1.5s", "100ms", "1s-30s" (time; at least 1 ms, at most 1e6 s). InvalidArgument says what is
// allowed.
absl::StatusOr<ResetAfter> ParseResetAfter(const std::string& text);

struct ChaosPlan {
  uint64_t seed = 0;
  Probability refuse;  // share of the connections that are reset as soon as they are accepted
  ResetAfter reset_after;
};

// The fate of the connection that was accepted as number `n`, from 0.
struct ConnectionFate {
  bool refused = false;
  uint64_t octets = kNoOctetLimit;  // forwarded in either direction, then both sides are reset
  std::optional<std::chrono::microseconds> after;
};
ConnectionFate FateOf(const ChaosPlan& plan, uint64_t n);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CHAOS_H_
