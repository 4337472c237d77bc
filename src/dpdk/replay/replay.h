// SPDX-License-Identifier: BSD-3-Clause
// Feeds frames, one by one or in bursts, to the real worker: the DPDK path of `twinpath parity`.
// The worker is unchanged and runs on net_ring ethdevs. The result of a frame is read from the
// worker's counters and from the ring where the frame arrives, and must agree with the effects that
// the worker decided. One thread.

#ifndef TWINPATH_DPDK_REPLAY_REPLAY_H_
#define TWINPATH_DPDK_REPLAY_REPLAY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/config/compile/compile.h"
#include "src/dpdk/eal/flow_table.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/worker/worker.h"
#include "src/engine/frame_effects.h"
#include "src/telemetry/snapshot.h"

struct rte_ring;

namespace twinpath {

class DpdkReplay {
 public:
  static constexpr size_t kMaxFrame = 65535;  // bytes

  // The number of queues of all ports together, at most. EAL then has enough ethdevs for two
  // replays.
  static constexpr size_t kMaxQueues = 128;

  // Creates a worker for `policy` with `queues` queues per port, at packet 0 of every stream. The
  // first call starts EAL, without hugepages, for the rest of the process; no file is left behind.
  // `flow_memory` is in bytes. `completes` has a bit for each port that finishes unfinished
  // checksums. InvalidArgument beyond kMaxQueues.
  static absl::StatusOr<std::unique_ptr<DpdkReplay>> Create(
      const CompiledPolicy& policy, uint32_t queues, uint64_t flow_memory = kReplayFlowMemory,
      uint32_t completes = 0);
  ~DpdkReplay();

  // Receives `frame` (0 to kMaxFrame bytes) on `port` and `queue`, and returns its effects.
  // Internal: the worker's counters do not show exactly one verdict, or contradict its effects.
  absl::StatusOr<FrameEffects> Run(size_t port, uint32_t queue, absl::Span<const uint8_t> frame);

  // Receives 1 to kMaxBurst frames as one burst. A frame that does not leave has no effects here,
  // and no frame has a rule, because counters show only the whole burst.
  absl::StatusOr<std::vector<std::optional<FrameEffects>>> RunBurst(
      size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames);

  // Sets the time of the next frames for conditions, in nanoseconds. Starts at 0.
  void SetClock(uint64_t now) { clock_ = now; }

  // The counters so far.
  Snapshot TakeSnapshot() const;

 private:
  struct RingFree {
    void operator()(rte_ring* ring) const;
  };
  using Ring = std::unique_ptr<rte_ring, RingFree>;
  // One port: its rings and the worker's queue ends, by queue.
  struct RingPort {
    std::vector<Ring> in, out;
    std::vector<QueueEnd> ends;
  };
  // A frame that came out of a ring.
  struct Left {
    rte_mbuf* frame;
    tp_verdict verdict;  // TP_TX or TP_PASS
    uint32_t port;
  };

  DpdkReplay(const CompiledPolicy& policy, uint32_t queues, uint64_t flow_memory,
             uint32_t completes)
      : policy_(policy), queues_(queues), flow_memory_(flow_memory), completes_(completes) {}
  absl::Status SetUp();
  absl::StatusOr<RingPort> MakePort(const std::string& name) const;
  absl::Status AddEthdevs();
  absl::StatusOr<rte_mbuf*> MakeFrame(absl::Span<const uint8_t> bytes);
  std::vector<Left> TurnWith(size_t port, uint32_t queue, absl::Span<rte_mbuf* const> frames);

  const CompiledPolicy policy_;
  const uint32_t queues_;
  const uint64_t flow_memory_;
  const uint32_t completes_;  // by port
  uint64_t clock_ = 0;
  uint32_t serial_ = 0;  // in the names of this replay's rings and mempool
  std::optional<Mempool> mempool_;
  std::vector<RingPort> ports_;    // of the policy
  std::vector<RingPort> kernels_;  // the exception port of each
  std::vector<Ethdev> ethdevs_;    // each around the rings of a few queues, of any ports
  std::optional<PolicyTables> tables_;
  std::optional<FlowTable> flows_;
  std::unique_ptr<Worker> worker_;
  // By queue of the worker: the packets that each rule has matched so far.
  std::vector<std::vector<uint64_t>> matched_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_REPLAY_REPLAY_H_
