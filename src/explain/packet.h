// SPDX-License-Identifier: BSD-3-Clause
// Decides one packet with the decision that both paths share, and explains the result. Main thread.

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

// The highest --number for a loss with memory: its stream is walked from the start.
inline constexpr uint64_t kMaxWalkedPackets = 10'000'000;
// The same for a running datapath's packet, which may be a late one: some seconds of walking.
inline constexpr uint64_t kMaxWalkedRunning = 1'000'000'000;
// The highest --number for other losses; the last number that a sequence can list.
inline constexpr uint64_t kMaxPackets = uint64_t{1} << 48;

struct ExplainRequest {
  std::vector<uint8_t> frame;  // as received
  size_t port = 0;             // index into the compiled policy's
  uint32_t queue = 0;
  uint64_t number = 0;  // packets before it, on the same port and queue
  uint64_t at_ns = 0;   // since the datapath started

  // By rule, of a running datapath: the packets that came before this one on this port and queue,
  // and in the packet's flow. Empty: `number` and `before` say it.
  std::vector<uint64_t> matched, flow_matched;

  // Calls `took` with those packets, in order, and their times (as at_ns). Empty: they are equal to
  // this packet, at the same time.
  using Took = std::function<void(absl::Span<const uint8_t> frame, uint64_t at_ns)>;
  std::function<absl::Status(const Took& took)> before;
};

// One comparison: `below` iff draw < threshold, of 2^64.
struct ExplainedDraw {
  std::string decides;  // what is true iff `below`: "lost in the bad state"
  uint64_t draw = 0, threshold = 0;
  bool always = false;  // the threshold is 2^64 itself
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
  bool looks = false;             // the port's frames are looked into
  std::optional<Unread> unread;   // why the frame was not read to the end, if the port looks
  std::string malformed;          // why it is, in words; empty where it is not
  bool dropped = false;           // as malformed, before any rule
  std::vector<Refusal> refusals;  // the rules before the one that takes the packet, in order
  std::optional<Stream> stream;   // none where nothing, or everything, is lost, or by packet
  std::string state;              // of a chain, that the packet finds; else empty
  std::vector<ExplainedDraw> draws;
  std::string fate;  // the result of the loss model, in words
  bool lost = false;
  std::string mark;  // the mark, or why there is none; empty without ecn_mark or loss
  bool marked = false;
};

// Decides the packet, with tables of its own, like a datapath that has decided the packets before
// it. `compiled` is `policy`, compiled. InvalidArgument where the number is too high for the rule's
// loss; Internal where the explanation contradicts the decision; or the error of request.before.
absl::StatusOr<Explanation> Explain(const Policy& policy, const CompiledPolicy& compiled,
                                    const ExplainRequest& request);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_PACKET_H_
