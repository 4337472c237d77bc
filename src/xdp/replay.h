// SPDX-License-Identifier: BSD-3-Clause
// Runs single frames through the XDP program that twinpath-xdp attaches, with BPF_PROG_TEST_RUN.
// One thread at a time.

#ifndef TWINPATH_XDP_REPLAY_H_
#define TWINPATH_XDP_REPLAY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/engine/frame_effects.h"
#include "src/kernel/namespace_thread.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/program/run.h"

namespace twinpath {

class XdpReplay {
 public:
  // Creates a veth with `queues` RX queues (1 to 64) for each port of the policy, in a network
  // namespace that ends with this object. `frames` is kPlain (native mode) or kShared (generic
  // mode). Frames of more than a page always use the program for fragments. `flow_memory` is in
  // bytes. `completes` has a bit for each port that finishes unfinished checksums; generic mode
  // ignores it.
  static absl::StatusOr<std::unique_ptr<XdpReplay>> Create(const CompiledPolicy& policy,
                                                           uint32_t queues,
                                                           XdpFrames frames = XdpFrames::kPlain,
                                                           uint64_t flow_memory = kReplayFlowMemory,
                                                           uint32_t completes = 0);

  // Returns what the program does with `frame`, received by this port and queue. InvalidArgument
  // for a frame of more than kMaxFrame bytes. Unimplemented for a frame without a whole Ethernet
  // header if the kernel's test run refuses such frames (before 6.18).
  static constexpr size_t kMaxFrame = 65535;
  absl::StatusOr<FrameEffects> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);

  // Sets the time of the next frames for conditions, in nanoseconds. Starts at 0.
  void SetClock(uint64_t now) { run_->maps().SetClock(now); }

  // Ports, queues and rules with their counts. The caller fills in the rest.
  Snapshot TakeSnapshot() const;

 private:
  struct Port {
    uint32_t interface_index = 0;
    std::vector<int> programs;  // for frames in one piece, for fragments; owned by run_
  };
  struct Seen {  // the state of one queue after the last frame
    tp_queue_counters counters = {};
    uint64_t checksums_completed = 0;
    std::vector<uint64_t> matched;  // packets of each stream
  };
  struct TestRun {
    int error = 0;
    uint32_t action = 0;
    std::vector<uint8_t> bytes;
  };
  XdpReplay() = default;
  absl::Status SetUp(const CompiledPolicy& policy, uint32_t queues, XdpFrames frames,
                     uint64_t flow_memory, uint32_t completes);
  TestRun Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);
  absl::StatusOr<FrameEffects> Interpret(size_t port, uint32_t queue, TestRun run);

  std::unique_ptr<XdpRun> run_;
  std::unique_ptr<NamespaceThread> thread_;  // its namespace has the ports' interfaces
  std::vector<Port> ports_;
  std::vector<std::vector<Seen>> seen_;  // [port][queue]
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_REPLAY_H_
