// SPDX-License-Identifier: BSD-3-Clause
// The protocol of a flow in mode sockmap: its next step. Also a simulation with a model of the
// kernel, which delays everything that the kernel may delay: no byte is lost or reordered.

#include "src/splice/forward/flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace twinpath::splice {
namespace {

TEST(NextStep, StartsToRedirectIfNothingWaits) {
  EXPECT_EQ(NextStep({}), FlowStep::kRedirect);
  EXPECT_EQ(NextStep({.passed = 5}), FlowStep::kCopy);
  EXPECT_EQ(NextStep({.passed = 5, .read = 5}), FlowStep::kCopy);  // not written yet
  EXPECT_EQ(NextStep({.passed = 5, .read = 5, .copied = 5, .queued = 5}), FlowStep::kRedirect);
}

TEST(NextStep, WritesNothingUntilRedirectedBytesHaveArrived) {
  EXPECT_EQ(NextStep({.redirected = 10, .passed = 5, .queued = 9}), FlowStep::kSettle);
  EXPECT_EQ(NextStep({.redirected = 10, .passed = 5, .queued = 10}), FlowStep::kCopy);
  EXPECT_EQ(NextStep({.redirected = 10, .passed = 5, .read = 5, .copied = 5, .queued = 14}),
            FlowStep::kSettle);
}

TEST(NextStep, PassesTheFinOnWhenTheSinkHasEverythingReceived) {
  EXPECT_EQ(NextStep({.fin_received = true}), FlowStep::kEnd);  // nothing was ever sent
  EXPECT_EQ(
      NextStep(
          {.redirecting = true, .fin_received = true, .received = 7, .redirected = 7, .queued = 7}),
      FlowStep::kEnd);
  EXPECT_EQ(
      NextStep(
          {.redirecting = true, .fin_received = true, .received = 7, .redirected = 7, .queued = 6}),
      FlowStep::kSettle);
  // The last segment has not reached the BPF program yet.
  EXPECT_EQ(
      NextStep(
          {.redirecting = true, .fin_received = true, .received = 7, .redirected = 6, .queued = 6}),
      FlowStep::kSettle);
  EXPECT_EQ(NextStep({.fin_received = true, .received = 7, .redirected = 6, .queued = 6}),
            FlowStep::kCopy);
  EXPECT_EQ(NextStep({.redirecting = true, .redirected = 7, .queued = 7}), FlowStep::kNone);
}

TEST(NextGrant, BoundsWhatIsOutstanding) {
  const Grant fresh = NextGrant(1000, 0, 0, 0);
  EXPECT_FALSE(fresh.slow);
  EXPECT_EQ(fresh.limit, 1000 + kMaxCharge);
  EXPECT_EQ(fresh.notify, 1000 + kSlowCharge);
  // 1,000 bytes wait at a charge of 2 each, so the limit is 2,000 lower.
  EXPECT_EQ(NextGrant(5000, 1000, 4000, 2000).limit, 5000 + kMaxCharge - 2000);
  EXPECT_TRUE(NextGrant(1 << 30, kSlowCharge, 1 << 20, 1 << 20).slow);
  EXPECT_EQ(NextGrant(1 << 30, kSlowCharge, 1 << 20, 1 << 20).limit, 0u);
  // A segment of one byte also costs its sk_buff.
  EXPECT_TRUE(NextGrant(1 << 30, 2000, 1025 * 2000, 2000).slow);
  EXPECT_FALSE(NextGrant(1 << 30, 1000, 1025 * 1000, 1000).slow);
}

// A model of the kernel that forwards at random times and has the counters of the real one, and a
// user space that does what NextStep says.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {}

  void Run() {
    const uint64_t total = random_() % 3000;
    uint64_t guard = 0;
    while (!fin_passed_) {
      ASSERT_LT(guard++, 1000000u) << "no progress";
      switch (random_() % 5) {
        case 0:  // the source's TCP takes a segment
          if (received_ < total) {
            const uint64_t size = std::min(1 + random_() % 100, total - received_);
            for (uint64_t i = 0; i < size; i++) unseen_.push_back(received_ + i);
            received_ += size;
          } else {
            fin_ = true;
          }
          break;
        case 1:  // the BPF program sees what was received
          Verdict();
          break;
        case 2:  // the kernel's work queue moves bytes to the sink's send queue
          if (!backlog_.empty()) {
            sink_.push_back(backlog_.front());
            backlog_.pop_front();
          }
          break;
        default:
          UserSpace();
      }
    }
    ASSERT_EQ(sink_.size(), total);
    for (uint64_t i = 0; i < total; i++) ASSERT_EQ(sink_[i], i) << "out of order";
  }

 private:
  void Verdict() {
    if (unseen_.empty()) return;
    if (redirecting_ && redirected_ >= limit_) redirecting_ = false;
    std::deque<uint64_t>& to = redirecting_ ? backlog_ : passed_queue_;
    (redirecting_ ? redirected_ : passed_) += unseen_.size();
    to.insert(to.end(), unseen_.begin(), unseen_.end());
    unseen_.clear();
  }

  void UserSpace() {
    if (random_() % 8 == 0) limit_ = 0;  // the sink is slow
    const FlowCounts counts = {.redirecting = redirecting_,
                               .fin_received = fin_,
                               .received = received_,
                               .redirected = redirected_,
                               .passed = passed_,
                               .read = read_,
                               .copied = copied_,
                               .queued = sink_.size()};
    switch (NextStep(counts)) {
      case FlowStep::kNone:
      case FlowStep::kSettle:
        break;
      case FlowStep::kCopy:
        if (held_.empty()) {
          Verdict();  // before a read, the BPF program sees what waits
          const size_t size = std::min<size_t>(passed_queue_.size(), 1 + random_() % 200);
          held_.insert(held_.end(), passed_queue_.begin(), passed_queue_.begin() + size);
          passed_queue_.erase(passed_queue_.begin(), passed_queue_.begin() + size);
          read_ += size;
        }
        for (size_t room = random_() % 200; room > 0 && !held_.empty(); room--, copied_++) {
          sink_.push_back(held_.front());
          held_.pop_front();
        }
        break;
      case FlowStep::kRedirect:
        if (random_() % 2) Verdict();  // just before the compare-and-swap
        if (passed_ == counts.passed) {
          redirecting_ = true;
          limit_ = redirected_ + 1 + random_() % 500;
        }
        break;
      case FlowStep::kEnd:
        fin_passed_ = true;
        break;
    }
  }

  std::mt19937_64 random_;
  std::deque<uint64_t> unseen_, backlog_, passed_queue_, held_;
  std::vector<uint64_t> sink_;
  bool redirecting_ = false, fin_ = false, fin_passed_ = false;
  uint64_t limit_ = 0, received_ = 0, redirected_ = 0, passed_ = 0, read_ = 0, copied_ = 0;
};

TEST(Protocol, LosesAndReordersNothingWhateverTheKernelDelays) {
  for (uint64_t seed = 0; seed < 2000; seed++) {
    Model model(seed);
    model.Run();
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace twinpath::splice
