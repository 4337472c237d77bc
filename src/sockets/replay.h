// SPDX-License-Identifier: BSD-3-Clause
// Runs single frames through the real worker of the socket path, for `twinpath parity`: the engine
// is one that reads from memory and keeps what it is to send. One thread.

#ifndef TWINPATH_SOCKETS_REPLAY_H_
#define TWINPATH_SOCKETS_REPLAY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/config/compile/host_datapath.h"
#include "src/engine/frame_effects.h"
#include "src/sockets/worker/worker.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

class SocketReplay {
 public:
  static constexpr size_t kMaxFrame = kLongestFrame;  // bytes

  // A worker for `policy` with `queues` queues a port, at packet 0 of every stream. Ports whose
  // bits are set in `completes` finish unfinished checksums.
  static absl::StatusOr<std::unique_ptr<SocketReplay>> Create(
      const CompiledPolicy& policy, uint32_t queues, uint64_t flow_memory = kReplayFlowMemory,
      uint32_t completes = 0);
  ~SocketReplay();

  // What becomes of the next frame (0 to kMaxFrame bytes) that comes in by `port` on `queue`.
  // Internal: the worker's counters do not tell exactly one verdict, or contradict its effects.
  absl::StatusOr<FrameEffects> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);

  // Run() for 1 to kMaxBurst frames that the worker receives as one burst. A frame that does not
  // leave has no effects here, and no frame has a rule: counters are of the whole burst.
  absl::StatusOr<std::vector<std::optional<FrameEffects>>> RunBurst(
      size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames);

  // Sets the time of the next frames, in nanoseconds, for conditions. 0 at first.
  void SetClock(uint64_t now) { clock_ = now; }

  // The counters so far.
  Snapshot TakeSnapshot() const;

 private:
  class MemoryRx;
  class MemoryTx;
  // A frame that was sent.
  struct Left {
    const uint8_t* data;
    uint32_t length;
    uint32_t to;  // tp_effects.to
  };
  SocketReplay(const CompiledPolicy& policy, uint32_t queues, uint64_t flow_memory);
  absl::Status SetUp(uint32_t completes);
  const SocketQueue& served(size_t port, uint32_t queue) const {
    return *worker_->queues()[queue * policy_.ports.size() + port];
  }
  void TurnWith(size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames);

  const CompiledPolicy policy_;
  const uint32_t queues_;
  HostFlows flows_;
  uint64_t clock_ = 0;
  std::vector<std::unique_ptr<MemoryRx>> rx_;  // by queue and port, as the worker's queues
  std::vector<std::unique_ptr<MemoryTx>> tx_;  // by tp_effects.to
  std::vector<std::vector<uint8_t>> memory_;   // of the frames of the last turn
  std::vector<Left> left_;                     // of the last turn
  std::unique_ptr<SocketWorker> worker_;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_REPLAY_H_
