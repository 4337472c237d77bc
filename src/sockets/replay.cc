// SPDX-License-Identifier: BSD-3-Clause
// One turn of the worker for each frame.

#include "src/sockets/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"

namespace twinpath {

// Frames that are given to it, once.
class SocketReplay::MemoryRx : public RxQueue {
 public:
  void Give(std::vector<std::vector<uint8_t>>* frames) { given_ = frames; }
  uint32_t Receive(SocketFrame* frames, uint32_t most) override {
    auto* given = std::exchange(given_, nullptr);
    if (given == nullptr) return 0;
    const auto count = static_cast<uint32_t>(std::min<size_t>(given->size(), most));
    for (uint32_t i = 0; i < count; i++) {
      const auto length = static_cast<uint32_t>((*given)[i].size());
      frames[i] = {
          .data = (*given)[i].data(), .length = length, .frame_length = length, .note = {}};
    }
    return count;
  }
  int fd() const override { return -1; }
  absl::Status Begin() override { return absl::OkStatus(); }
  void End() override {}
  RingLosses Losses() override { return {}; }

 private:
  std::vector<std::vector<uint8_t>>* given_ = nullptr;
};

// Takes every frame.
class SocketReplay::MemoryTx : public TxQueue {
 public:
  MemoryTx(uint32_t to, std::vector<Left>* left) : to_(to), left_(left) {}
  void Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) override {
    for (uint32_t i = 0; i < count; i++) {
      left_->push_back({frames[i]->data, frames[i]->length, to_});
      deliveries[i] = TP_DELIVERED;
    }
  }

 private:
  const uint32_t to_;
  std::vector<Left>* const left_;
};

namespace {

// The verdict by which `after` counts one packet more than `before`, if there is exactly one.
std::optional<tp_verdict> Counted(const tp_queue_counters& before, const tp_queue_counters& after) {
  if (after.rx.packets - before.rx.packets != 1) return std::nullopt;
  std::optional<tp_verdict> found;
  uint64_t sum = 0;
  for (const Verdict& verdict : kVerdicts) {
    uint64_t more =
        after.verdict[verdict.verdict].packets - before.verdict[verdict.verdict].packets;
    if (verdict.verdict == TP_TX) more += Transmitted(after).packets - Transmitted(before).packets;
    if (more != 0) found = verdict.verdict;
    sum += more;
  }
  return sum == 1 ? found : std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SocketReplay>> SocketReplay::Create(const CompiledPolicy& policy,
                                                                   uint32_t queues,
                                                                   uint64_t flow_memory,
                                                                   uint32_t completes) {
  std::unique_ptr<SocketReplay> replay(new SocketReplay(policy, queues, flow_memory));
  if (absl::Status done = replay->SetUp(completes); !done.ok()) return done;
  return replay;
}

SocketReplay::SocketReplay(const CompiledPolicy& policy, uint32_t queues, uint64_t flow_memory)
    : policy_(policy), queues_(queues), flows_(policy.has_flows ? flow_memory : 0) {}

SocketReplay::~SocketReplay() = default;

absl::Status SocketReplay::SetUp(uint32_t completes) {
  for (uint32_t to = 0; to <= TP_TO_KERNEL; to++)
    tx_.push_back(std::make_unique<MemoryTx>(to, &left_));
  std::vector<std::unique_ptr<SocketQueue>> queues;
  for (uint32_t q = 0; q < queues_; q++) {
    for (size_t p = 0; p < policy_.ports.size(); p++) {
      rx_.push_back(std::make_unique<MemoryRx>());
      auto queue = std::make_unique<SocketQueue>();
      queue->port = static_cast<uint8_t>(p);
      queue->queue = q;
      queue->completes = (completes >> p & 1) != 0;
      queue->rx = rx_.back().get();
      queue->to_stack = tx_[TP_TO_KERNEL].get();
      for (size_t out = 0; out < policy_.ports.size(); out++) queue->tx[out] = tx_[out].get();
      static_cast<SocketQueuePolicy&>(*queue) =
          MakeSocketQueuePolicy(policy_, policy_.has_flows ? flows_.table() : nullptr, queue.get());
      queues.push_back(std::move(queue));
    }
  }
  auto worker = SocketWorker::Create(std::move(queues), &clock_);
  if (!worker.ok()) return worker.status();
  worker_ = *std::move(worker);
  return absl::OkStatus();
}

// Runs one turn of the worker with copies of `frames` in this queue.
void SocketReplay::TurnWith(size_t port, uint32_t queue,
                            absl::Span<const std::vector<uint8_t>> frames) {
  memory_.assign(frames.begin(), frames.end());
  // A vector without bytes has no address.
  for (std::vector<uint8_t>& frame : memory_) frame.reserve(1);
  left_.clear();
  rx_[queue * policy_.ports.size() + port]->Give(&memory_);
  worker_->Turn();
}

absl::StatusOr<FrameEffects> SocketReplay::Run(size_t port, uint32_t queue,
                                               absl::Span<const uint8_t> frame) {
  if (frame.size() > kMaxFrame)
    return absl::InvalidArgumentError(
        absl::StrCat("found a frame of ", frame.size(), " bytes, allowed ", kMaxFrame));
  const SocketQueue& worked = served(port, queue);
  const tp_queue_counters before = worked.counters;
  const uint64_t completed = worked.extras.checksums_completed;
  std::vector<uint64_t> matched;
  for (const tp_state& state : worked.states) matched.push_back(state.n);
  const std::vector<uint8_t> bytes(frame.begin(), frame.end());
  TurnWith(port, queue, {&bytes, 1});
  FrameEffects result;
  result.effects = worker_->effects()[0];
  result.delivery = worker_->deliveries()[0];
  const bool leaves = result.leaves();
  if (Counted(before, worked.counters) != result.verdict() || left_.size() != (leaves ? 1 : 0))
    return absl::InternalError("the worker's counters do not tell exactly one verdict");
  for (uint32_t rule = 0; rule < matched.size(); rule++)
    if (worked.states[rule].n != matched[rule] && rule != result.effects.rule)
      return absl::InternalError("the worker's effects and counters disagree");
  if (leaves) {
    if (left_[0].to != result.effects.to)
      return absl::InternalError("the frame left by another way than was decided");
    result.bytes.assign(left_[0].data, left_[0].data + left_[0].length);
  }
  if (worked.extras.checksums_completed != completed) result.effects.flags |= TP_EFFECT_COMPLETE;
  return result;
}

absl::StatusOr<std::vector<std::optional<FrameEffects>>> SocketReplay::RunBurst(
    size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
  if (frames.empty() || frames.size() > kMaxBurst)
    return absl::InvalidArgumentError(absl::StrCat("a burst of ", frames.size(), " frames"));
  TurnWith(port, queue, frames);
  std::vector<std::optional<FrameEffects>> done(frames.size());
  for (const Left& left : left_) {
    const auto at = std::find_if(memory_.begin(), memory_.end(),
                                 [&](const auto& frame) { return frame.data() == left.data; });
    if (at == memory_.end()) return absl::InternalError("a frame left that did not come");
    done[static_cast<size_t>(at - memory_.begin())] = FrameEffects::Of(
        left.to == TP_TO_KERNEL ? TP_PASS : TP_TX, TP_NO_RULE,
        left.to == TP_TO_KERNEL ? 0 : left.to, {left.data, left.data + left.length});
  }
  return done;
}

Snapshot SocketReplay::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.path = "socket";
  snapshot.engine = "replay";
  snapshot.version = TWINPATH_VERSION;
  for (const std::string& name : policy_.rule_names) snapshot.rules.push_back({.name = name});
  for (size_t p = 0; p < policy_.ports.size(); p++) {
    snapshot.ports.push_back({.name = policy_.ports[p],
                              .device = "replay",
                              .driver = "memory",
                              .mode = "replay",
                              .queues = queues_});
    for (uint32_t q = 0; q < queues_; q++) {
      const SocketQueue& queue = served(p, q);
      snapshot.queues.push_back({.port = policy_.ports[p],
                                 .queue = q,
                                 .counters = queue.counters,
                                 .extras = queue.extras});
      AddStates(queue.states.data(), queue.states.size(), &snapshot.rules);
      if (policy_.rule_extras)
        AddRuleExtras(queue.rule_extras.data(), queue.rule_extras.size(), &snapshot.rules);
    }
  }
  return snapshot;
}

}  // namespace twinpath
