// SPDX-License-Identifier: BSD-3-Clause
// Compares two datapaths frame by frame and counter by counter, and single frames with bursts. Main
// thread.

#include "src/parity/run.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "src/policy/pipeline.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

void Compare(const std::string& what, const tp_count& a, const tp_count& b,
             std::vector<std::string>* differences) {
  if (a.packets == b.packets && a.bytes == b.bytes) return;
  differences->push_back(absl::StrCat(what, ": ", a.packets, " packets, ", a.bytes, " bytes and ",
                                      b.packets, " packets, ", b.bytes, " bytes"));
}

void Compare(const std::string& what, uint64_t a, uint64_t b,
             std::vector<std::string>* differences) {
  if (a != b) differences->push_back(absl::StrCat(what, ": ", a, " and ", b));
}

// Compares every counter of `list`.
template <typename Row, typename List>
void CompareAll(const std::string& prefix, const Row& a, const Row& b, const List& list,
                std::vector<std::string>* differences) {
  for (const auto& counter : list)
    std::visit(
        [&](auto member) { Compare(prefix + counter.name, a.*member, b.*member, differences); },
        counter.member);
}

void CompareQueues(const QueueSnapshot& a, const QueueSnapshot& b,
                   std::vector<std::string>* differences) {
  const std::string name = absl::StrCat("port ", a.port, " queue ", a.queue, " ");
  CompareAll(name, a.counters, b.counters, kQueueCounters, differences);
  for (const Verdict& verdict : kVerdicts)
    Compare(name + verdict.name, a.counters.verdict[verdict.verdict],
            b.counters.verdict[verdict.verdict], differences);
  for (size_t port = 0; port < TP_MAX_PORTS; port++) {
    Compare(absl::StrCat(name, "tx by port ", port), a.counters.tx[port], b.counters.tx[port],
            differences);
  }
  CompareAll(name, a.extras, b.extras, kQueueExtras, differences);
}

}  // namespace

absl::Status ParityRun::Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> bytes,
                             const Observer& observer) {
  const ParityFrame frame = {frames_ + skipped_, port, queue, bytes};
  std::array<FrameEffects, 2> effects;
  for (size_t i = 0; i < paths_.size(); i++) {
    absl::StatusOr<FrameEffects> done = paths_[i].run(port, queue, bytes);
    if (!done.ok()) {
      return absl::Status(done.status().code(),
                          absl::StrCat("frame ", frame.n, " (", bytes.size(), " bytes) on the ",
                                       paths_[i].name, " path: ", done.status().message()));
    }
    effects[i] = *std::move(done);
  }
  frames_++;
  if (observer) {
    if (absl::Status status = observer(frame, effects); !status.ok()) return status;
  }
  if (effects[0] == effects[1]) return absl::OkStatus();
  different_++;
  if (differences_.size() < keep_) {
    differences_.push_back({frame.n, port, queue, {bytes.begin(), bytes.end()}, effects});
  }
  return absl::OkStatus();
}

uint32_t QueueOf(absl::Span<const uint8_t> frame, uint32_t queues) {
  tp_key key, five_tuple;
  std::memset(&five_tuple, 0, sizeof(five_tuple));
  five_tuple.proto = 0xff;
  five_tuple.src_port = five_tuple.dst_port = 0xffff;
  std::fill(std::begin(five_tuple.address), std::end(five_tuple.address), 0xff);
  tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()), 0, &key);
  if (key.flags & TP_KEY_MALFORMED || !(key.flags & TP_KEY_IP)) return 0;
  return static_cast<uint32_t>(tp_key_hash(&key, &five_tuple) % queues);
}

std::vector<std::string> SnapshotDifferences(const Snapshot& a, const Snapshot& b) {
  std::vector<std::string> differences;
  auto same_queue = [](const QueueSnapshot& x, const QueueSnapshot& y) {
    return x.port == y.port && x.queue == y.queue;
  };
  for (const QueueSnapshot& queue : a.queues) {
    auto other = std::find_if(b.queues.begin(), b.queues.end(),
                              [&](const QueueSnapshot& q) { return same_queue(queue, q); });
    if (other == b.queues.end()) {
      differences.push_back(
          absl::StrCat("port ", queue.port, " queue ", queue.queue, ": one only"));
    } else {
      CompareQueues(queue, *other, &differences);
    }
  }
  if (a.queues.size() != b.queues.size()) {
    differences.push_back(absl::StrCat("queues: ", a.queues.size(), " and ", b.queues.size()));
  }
  for (size_t i = 0; i < std::min(a.rules.size(), b.rules.size()); i++) {
    const std::string name = absl::StrCat("rule ", a.rules[i].name, " ");
    if (a.rules[i].name != b.rules[i].name) {
      differences.push_back(absl::StrCat(name, "is ", b.rules[i].name));
    }
    CompareAll(name, a.rules[i], b.rules[i], kRuleCounters, &differences);
    Compare(name + "unanswered", a.rules[i].unanswered, b.rules[i].unanswered, &differences);
  }
  if (a.rules.size() != b.rules.size()) {
    differences.push_back(absl::StrCat("rules: ", a.rules.size(), " and ", b.rules.size()));
  }
  return differences;
}

absl::Status BurstCheck::Feed(const ParityFrame& frame, const FrameEffects& alone) {
  const auto previous = std::exchange(last_, {frame.port, frame.queue});
  if (ordered_ && previous != last_) {
    if (absl::Status status = Finish(); !status.ok()) return status;
  }
  Queue& burst = queues_[last_];
  burst.numbers.push_back(frame.n);
  burst.frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
  burst.alone.push_back(alone);
  if (burst.frames.size() < kBurst) return absl::OkStatus();
  return Flush(frame.port, frame.queue, &burst);
}

absl::Status BurstCheck::Finish() {
  for (auto& [where, burst] : queues_) {
    if (burst.frames.empty()) continue;
    if (absl::Status status = Flush(where.first, where.second, &burst); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status BurstCheck::Flush(size_t port, uint32_t queue, Queue* burst) {
  absl::StatusOr<std::vector<std::optional<FrameEffects>>> left = run_(port, queue, burst->frames);
  if (!left.ok()) {
    return absl::Status(left.status().code(),
                        absl::StrCat("the burst that starts with frame ", burst->numbers[0], ": ",
                                     left.status().message()));
  }
  if (left->size() != burst->frames.size()) {
    return absl::InternalError(absl::StrCat("a burst of ", burst->frames.size(), " frames has ",
                                            left->size(), " verdicts"));
  }
  for (size_t i = 0; i < left->size(); i++) {
    const FrameEffects& alone = burst->alone[i];
    const std::optional<FrameEffects>& together = (*left)[i];
    const bool leaves = alone.leaves();
    const bool same =
        leaves == together.has_value() &&
        (!leaves || (together->verdict() == alone.verdict() &&
                     together->out_port() == alone.out_port() && together->bytes == alone.bytes));
    if (same) continue;
    different_++;
    if (!first_ || burst->numbers[i] < *first_) first_ = burst->numbers[i];
  }
  *burst = {};
  return absl::OkStatus();
}

}  // namespace twinpath
