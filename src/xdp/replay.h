// SPDX-License-Identifier: BSD-3-Clause
// The XDP path without traffic: single frames through the very program that twinpath-xdp attaches,
// by BPF_PROG_TEST_RUN. One thread at a time.

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
  // Every port of the policy becomes a veth of `queues` RX queues (1 to 64) in a network namespace
  // of its own, which goes away with the replay. `frames` is kPlain (native mode) or kShared
  // (generic mode); frames of more than a page take the program for fragments whatever it is.
  static absl::StatusOr<std::unique_ptr<XdpReplay>> Create(
      const CompiledPolicy& policy, uint32_t queues, XdpFrames frames = XdpFrames::kPlain,
      uint64_t flow_memory = kReplayFlowMemory);

  // What the program does with `frame`, received by this port and queue. InvalidArgument for a
  // frame of more than kMaxFrame bytes. Unimplemented for one without a whole Ethernet header
  // where the kernel's test run does not take any (before 6.18).
  static constexpr size_t kMaxFrame = 65535;
  absl::StatusOr<FrameEffects> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);

  // The time of the next frames, in nanoseconds: what conditions go by. 0 at first.
  void SetClock(uint64_t now) { run_->maps().SetClock(now); }

  // Ports, queues and rules with what was counted; the caller fills in the rest.
  Snapshot TakeSnapshot() const;

 private:
  struct Port {
    uint32_t interface_index = 0;
    std::vector<int> programs;  // for one piece, for fragments; the run's
  };
  struct Seen {  // of one queue, after the last frame
    tp_queue_counters counters = {};
    std::vector<uint64_t> matched;  // packets of each stream
  };
  struct TestRun {
    int error = 0;
    uint32_t action = 0;
    std::vector<uint8_t> bytes;
  };
  XdpReplay() = default;
  absl::Status SetUp(const CompiledPolicy& policy, uint32_t queues, XdpFrames frames,
                     uint64_t flow_memory);
  TestRun Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);
  absl::StatusOr<FrameEffects> Interpret(size_t port, uint32_t queue, TestRun run);

  std::unique_ptr<XdpRun> run_;
  std::unique_ptr<NamespaceThread> thread_;  // the ports' interfaces live in it
  std::vector<Port> ports_;
  std::vector<std::vector<Seen>> seen_;  // [port][queue]
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_REPLAY_H_
