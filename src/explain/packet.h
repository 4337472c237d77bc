// SPDX-License-Identifier: BSD-3-Clause
// Decides one packet with the decision of both paths, and explains the result. Main thread.

#ifndef TWINPATH_EXPLAIN_PACKET_H_
#define TWINPATH_EXPLAIN_PACKET_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/engine/frame_effects.h"
#include "src/explain/unread.h"
#include "src/policy/types.h"

namespace twinpath {

// The highest --number for a loss with memory, whose stream is computed from its start.
inline constexpr uint64_t kMaxWalkedPackets = 10'000'000;
// That limit for a packet of a running datapath, which may have a high number. It takes some
// seconds.
inline constexpr uint64_t kMaxWalkedRunning = 1'000'000'000;
// The highest --number for other losses: the last number that a sequence can list.
inline constexpr uint64_t kMaxPackets = uint64_t{1} << 48;

struct ExplainRequest {
  std::vector<uint8_t> frame;  // as received
  size_t port = 0;             // index into the compiled policy's ports
  uint32_t queue = 0;
  uint64_t number = 0;     // packets before it, on the same port and queue
  uint64_t at_ns = 0;      // since the datapath started
  bool completes = false;  // the port finishes unfinished checksums before it sends

  // For a running datapath, by rule: the number of earlier packets on this port and queue, and in
  // the packet's flow. Empty: `number` and `before` are used.
  std::vector<uint64_t> matched, flow_matched;

  // Calls `took` with each earlier packet, in order, and its time (as in at_ns). Empty: the earlier
  // packets are equal to this one, and have the same time.
  using Took = std::function<void(absl::Span<const uint8_t> frame, uint64_t at_ns)>;
  std::function<absl::Status(const Took& took)> before;
};

// One comparison: `below` iff draw < threshold. Both are numbers below 2^64.
struct ExplainedDraw {
  std::string decides;  // what is true iff `below`: "lost in the bad state"
  uint64_t draw = 0, threshold = 0;
  bool always = false;  // the threshold is 2^64
  bool below = false;
};

struct Explanation {
  struct Refusal {
    uint32_t rule = 0;
    std::string field;   // of the match, or the condition: "dst", "active", "flows", "packets"
    std::string reason;  // in words
  };
  struct Stream {
    uint64_t key_a = 0, key_b = 0;
    uint64_t n = 0;  // the packet's number in it, from 0
  };

  FrameEffects effects;
  bool reads_headers = false;     // the port's tier reads frames
  std::optional<Unread> unread;   // why the frame was not read completely, if the port reads it
  std::string malformed;          // why the frame is malformed, in words; empty: it is not
  bool dropped = false;           // as malformed, before any rule
  std::vector<Refusal> refusals;  // the rules before the matching one, in order
  std::optional<Stream> stream;   // none if the loss is none, all or by packet
  std::string state;              // of the Markov chain before the packet; empty: no chain
  std::vector<ExplainedDraw> draws;
  std::string fate;  // the result of the loss model, in words
  bool lost = false;
  std::string mark;  // the mark, or why there is none; empty without ecn_mark or loss
  bool marked = false;
  bool completed = false;  // its checksum was finished before it left
};

// Decides the packet with its own tables, like a datapath that has decided the earlier packets.
// `compiled` is `policy`, compiled. InvalidArgument if the number is too high for the rule's loss;
// Internal if the explanation contradicts the decision; or the error of request.before.
absl::StatusOr<Explanation> Explain(const Policy& policy, const CompiledPolicy& compiled,
                                    const ExplainRequest& request);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_PACKET_H_
