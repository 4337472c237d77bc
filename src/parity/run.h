// SPDX-License-Identifier: BSD-3-Clause
// Runs frames through two datapaths and compares the results, for `twinpath parity`. The paths are
// given as functions, so that tests can use others. Main thread.

#ifndef TWINPATH_PARITY_RUN_H_
#define TWINPATH_PARITY_RUN_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/engine/frame_effects.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

struct ParityPath {
  std::string name;  // "xdp" or "dpdk"
  std::function<absl::StatusOr<FrameEffects>(size_t port, uint32_t queue,
                                             absl::Span<const uint8_t> frame)>
      run;
};

struct ParityFrame {
  uint64_t n = 0;  // the frame's number in all captures together, from 0
  size_t port = 0;
  uint32_t queue = 0;
  absl::Span<const uint8_t> bytes;
};

struct ParityDifference {
  uint64_t n = 0;
  size_t port = 0;
  uint32_t queue = 0;
  std::vector<uint8_t> bytes;
  std::array<FrameEffects, 2> effects;
};

class ParityRun {
 public:
  // Sees every frame with its effects on both paths, in order.
  using Observer = std::function<absl::Status(const ParityFrame& frame,
                                              const std::array<FrameEffects, 2>& effects)>;

  // Keeps the first `keep` differences.
  ParityRun(ParityPath a, ParityPath b, size_t keep = 10)
      : paths_{std::move(a), std::move(b)}, keep_(keep) {}

  // Runs the next frame on both paths. Fails if a path or the observer fails.
  absl::Status Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> frame,
                    const Observer& observer = nullptr);

  // Skips the next frame, but counts its number.
  void Skip() { skipped_++; }

  const std::array<ParityPath, 2>& paths() const { return paths_; }
  uint64_t frames() const { return frames_; }  // fed
  uint64_t skipped() const { return skipped_; }
  uint64_t equal() const { return frames_ - different_; }
  uint64_t different() const { return different_; }
  const std::vector<ParityDifference>& differences() const { return differences_; }

 private:
  std::array<ParityPath, 2> paths_;
  size_t keep_;
  uint64_t frames_ = 0;
  uint64_t skipped_ = 0;
  uint64_t different_ = 0;
  std::vector<ParityDifference> differences_;
};

// The queue, 0 to `queues` - 1, that a NIC with a hash of the five-tuple could choose. The two
// directions of a flow may have different queues. Malformed frames and frames that are not IP go to
// queue 0.
uint32_t QueueOf(absl::Span<const uint8_t> frame, uint32_t queues);

// One line for each counter of a queue or a rule that differs: its name and both values. Empty if
// all are equal.
std::vector<std::string> SnapshotDifferences(const Snapshot& a, const Snapshot& b);

// Runs the same frames again in bursts of up to 32 for each queue, and checks that exactly the same
// frames leave.
class BurstCheck {
 public:
  // DpdkReplay::RunBurst: returns the effects of each frame that leaves, without a rule.
  using RunBurst = std::function<absl::StatusOr<std::vector<std::optional<FrameEffects>>>(
      size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames)>;

  // `ordered`: queues share streams, so the order of all frames matters. A burst then has only
  // consecutive frames.
  BurstCheck(RunBurst run, bool ordered) : run_(std::move(run)), ordered_(ordered) {}

  // Adds a frame and its effects when it ran alone. Runs its queue's burst if that is full.
  absl::Status Feed(const ParityFrame& frame, const FrameEffects& alone);
  // Runs the remaining frames.
  absl::Status Finish();

  uint64_t different() const { return different_; }
  // The number of the first frame that differs; nullopt: none does.
  std::optional<uint64_t> first() const { return first_; }

 private:
  static constexpr size_t kBurst = 32;
  struct Queue {
    std::vector<uint64_t> numbers;
    std::vector<std::vector<uint8_t>> frames;
    std::vector<FrameEffects> alone;
  };
  absl::Status Flush(size_t port, uint32_t queue, Queue* burst);

  RunBurst run_;
  bool ordered_;
  std::pair<size_t, uint32_t> last_;
  std::map<std::pair<size_t, uint32_t>, Queue> queues_;
  uint64_t different_ = 0;
  std::optional<uint64_t> first_;
};

}  // namespace twinpath

#endif  // TWINPATH_PARITY_RUN_H_
