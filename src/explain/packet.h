// SPDX-License-Identifier: BSD-3-Clause
// One packet, decided by the decision that both paths share, and why it came out so. Main thread.

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
#include "src/engine/frame_verdict.h"
#include "src/config/policy/policy.h"
#include "src/policy/types.h"

namespace twinpath {

// Highest --number where a loss has a memory: its stream is walked from its beginning.
inline constexpr uint64_t kMaxWalkedPackets = 10'000'000;
// And where it has none; as many as a sequence can list.
inline constexpr uint64_t kMaxPackets = uint64_t{1} << 48;

struct ExplainRequest {
  std::vector<uint8_t> frame;  // as it comes in
  size_t port = 0;             // index into the compiled policy's
  uint32_t queue = 0;
  uint64_t number = 0;  // packets that came before, on the same port and queue
  uint64_t at_ns = 0;   // since the datapath started

  // Gives those packets to `took`, in their order, and their times as at_ns. Without it they were
  // like this one, at the same time.
  using Took = std::function<void(absl::Span<const uint8_t> frame, uint64_t at_ns)>;
  std::function<absl::Status(const Took& took)> before;
};

// One comparison: `below` iff draw < threshold, of 2^64.
struct ExplainedDraw {
  std::string decides;  // what is so iff `below`: "lost in the bad state"
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

  FrameVerdict verdict;
  bool looks = false;             // the port's frames are looked into
  std::string malformed;          // why it is, in words; empty where it is not
  std::vector<Refusal> refusals;  // the rules before the one that takes the packet, in order
  std::optional<Stream> stream;   // none where nothing, or everything, is lost, or by packet
  std::string state;              // of a chain, that the packet finds; else empty
  std::vector<ExplainedDraw> draws;
  std::string fate;  // what became of the packet in the loss model, in words
  bool lost = false;
  std::string mark;  // what is marked instead, or why nothing is; empty without ecn_mark or loss
  bool marked = false;
};

// Decides the packet, over tables of its own, as a datapath that took those before it would;
// `compiled` is `policy` compiled. InvalidArgument where the number is too high for the rule's
// loss; Internal where the explanation does not lead to the decision; what request.before says.
absl::StatusOr<Explanation> Explain(const Policy& policy, const CompiledPolicy& compiled,
                                    const ExplainRequest& request);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_PACKET_H_
