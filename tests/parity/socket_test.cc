// SPDX-License-Identifier: BSD-3-Clause
// Compares the real worker of the socket path with a plain path (host_replay.h), on generated
// frames under random policies; and its bursts with its single frames. Needs no root.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "src/parity/run.h"
#include "src/sockets/replay.h"
#include "tests/parity/host_replay.h"
#include "tests/parity/policies.h"
#include "tests/parity/shapes.h"

namespace twinpath {
namespace {

std::unique_ptr<SocketReplay> Replay(const CompiledPolicy& policy, uint32_t queues,
                                     uint32_t completes = 0) {
  auto made = SocketReplay::Create(policy, queues, kReplayFlowMemory, completes);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

TEST(SocketParity, RandomPoliciesDecideAsThePlainPathDoes) {
  const std::vector<Shape> shapes = AllShapes();
  for (uint64_t number = 0; number < 60; number++) {
    const RandomPolicy random = MakeRandomPolicy(number);
    const absl::StatusOr<CompiledPolicy> policy = Compile(random);
    ASSERT_TRUE(policy.ok()) << policy.status();
    HostReplay plain(*policy, random.queues);
    const auto socket = Replay(*policy, random.queues), bursts = Replay(*policy, random.queues);
    BurstCheck check(
        [&](size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
          return bursts->RunBurst(port, queue, frames);
        },
        policy->has_flows);
    for (size_t i = number % 3; i < shapes.size(); i += 3) {
      const std::vector<uint8_t>& frame = shapes[i].frame;
      const size_t port = i % policy->ports.size();
      const uint32_t queue = QueueOf(frame, random.queues);
      if (i % 300 == number % 3) {
        const absl::Status done = check.Finish();
        ASSERT_TRUE(done.ok()) << done;
        for (auto* replay : {socket.get(), bursts.get()}) replay->SetClock(i * 1'000'000);
        plain.SetClock(i * 1'000'000);
      }
      const auto wanted = plain.Run(port, queue, frame), found = socket->Run(port, queue, frame);
      ASSERT_TRUE(found.ok()) << shapes[i].name << ": " << found.status();
      ASSERT_EQ(*found, *wanted) << shapes[i].name << random.json;
      const absl::Status fed = check.Feed({i, port, queue, frame}, *found);
      ASSERT_TRUE(fed.ok()) << fed;
    }
    const absl::Status done = check.Finish();
    ASSERT_TRUE(done.ok()) << done;
    EXPECT_EQ(check.different(), 0u) << random.json;
    EXPECT_EQ(SnapshotDifferences(plain.Snapshot(), socket->TakeSnapshot()),
              std::vector<std::string>());
    EXPECT_EQ(SnapshotDifferences(socket->TakeSnapshot(), bursts->TakeSnapshot()),
              std::vector<std::string>());
    for (const QueueSnapshot& queue : socket->TakeSnapshot().queues)
      EXPECT_EQ(Imbalance(queue.counters), 0);
  }
}

}  // namespace
}  // namespace twinpath
