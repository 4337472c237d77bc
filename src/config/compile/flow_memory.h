// SPDX-License-Identifier: BSD-3-Clause
// The size of the flow table, for both paths. Pure functions.

#ifndef TWINPATH_CONFIG_COMPILE_FLOW_MEMORY_H_
#define TWINPATH_CONFIG_COMPILE_FLOW_MEMORY_H_

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

#include "src/policy/table.h"
#include "src/policy/types.h"

namespace twinpath {

inline constexpr uint64_t kDefaultFlowMemory = 64 << 20;  // bytes: 2 million flows
inline constexpr uint64_t kReplayFlowMemory = 4 << 20;    // bytes, for a replay
inline constexpr uint64_t kMinFlowMemory = 64 << 10, kMaxFlowMemory = uint64_t{16} << 30;

inline constexpr char kFlowMemoryAllowed[] =
    "a size from \"64KiB\" to \"16GiB\": bytes, or with KiB, MiB or GiB";

// Reads a size such as "64MiB" or "65536". InvalidArgument names `place`: --flow-memory or a key of
// a profile.
absl::StatusOr<uint64_t> ParseFlowMemory(std::string_view text, std::string_view place);

struct FlowTableShape {
  uint32_t regions = 0, region_buckets = 0;
  uint64_t buckets() const { return uint64_t{regions} * region_buckets; }
  uint64_t places() const { return buckets() * TP_TABLE_WAYS; }
  uint64_t bytes() const { return buckets() * sizeof(tp_flow_bucket); }  // without the locks
};

// The largest table that fits into `bytes`, which must be at least kMinFlowMemory.
inline FlowTableShape FlowTableWithin(uint64_t bytes) {
  const uint64_t buckets = bytes / sizeof(tp_flow_bucket);
  const uint64_t region = std::min<uint64_t>(buckets, TP_REGION_BUCKETS);
  return {static_cast<uint32_t>(buckets / region), static_cast<uint32_t>(region)};
}

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_FLOW_MEMORY_H_
