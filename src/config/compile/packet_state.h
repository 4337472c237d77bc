// SPDX-License-Identifier: BSD-3-Clause
// Reads the state that the next packet of a rule or flow would find in a running path's tables, for
// all paths. Changes nothing. Any thread; the workers may write meanwhile.

#ifndef TWINPATH_CONFIG_COMPILE_PACKET_STATE_H_
#define TWINPATH_CONFIG_COMPILE_PACKET_STATE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/policy/table.h"

namespace twinpath {

// Copies one bucket of the flow table. False if it cannot be read.
using ReadFlowBucket = std::function<bool(uint32_t index, tp_flow_bucket* bucket)>;

// By rule: how many packets of the frame's flow the rule has matched; 0 if the rule has no flows.
std::vector<uint64_t> FlowPackets(const CompiledPolicy& policy, size_t port,
                                  absl::Span<const uint8_t> frame, const tp_table_size& size,
                                  const ReadFlowBucket& read);

// By rule: the nanoseconds from the time its conditions began to count until `now`; 0 if the rule
// does not depend on the time.
std::vector<uint64_t> AgesOf(const CompiledPolicy& policy, uint64_t now);

// The error for a queue that a port does not have.
absl::Status NoSuchQueue(const std::string& port, uint32_t queue, uint32_t queues);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_COMPILE_PACKET_STATE_H_
