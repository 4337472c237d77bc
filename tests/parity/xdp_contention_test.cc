// SPDX-License-Identifier: BSD-3-Clause
// Two CPUs serve two ports, and take packets of the same flow at the same time. The XDP program
// takes every number of the flow once, and draws each block of its fates once. Needs root.

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/xdp/program/run.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

constexpr uint32_t kPackets = 1000000;

struct Lost {
  uint64_t received = 0, lost = 0, flows_added = 0;
};

// Feeds this frame `packets` times to the program of each port. Each port has its own CPU.
void Feed(const std::vector<int>& programs, const std::vector<uint8_t>& frame,
          const std::vector<uint32_t>& packets) {
  std::vector<int> errors(programs.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < programs.size(); i++) {
    threads.emplace_back([&, i] {
      cpu_set_t cpu;
      CPU_ZERO(&cpu);
      CPU_SET(i % std::thread::hardware_concurrency(), &cpu);
      sched_setaffinity(0, sizeof(cpu), &cpu);
      bpf_test_run_opts options = {};
      options.sz = sizeof(options);
      options.data_in = frame.data();
      options.data_size_in = static_cast<uint32_t>(frame.size());
      options.repeat = static_cast<int>(packets[i]);
      if (packets[i] != 0) errors[i] = bpf_prog_test_run_opts(programs[i], &options);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int error : errors) ASSERT_EQ(error, 0) << std::strerror(-error);
}

void Count(const std::string& loss, const std::vector<uint32_t>& packets, Lost* counted) {
  auto policy = ParsePolicy(
      R"({"version": 1, "seed": 7, "default": {"forward": "drop", "loss": )" + loss + "}}", "test");
  ASSERT_TRUE(policy.ok()) << policy.status();
  auto compiled = CompilePolicy(*policy, {"lan", "wan"});
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  auto run = XdpRun::Create(*compiled, OutPorts({"lan", "wan"}),
                            {.queues = {1, 1}, .flow_memory = kMinFlowMemory});
  ASSERT_TRUE(run.ok()) << run.status();
  std::vector<int> programs;
  for (size_t port = 0; port < packets.size(); port++) {
    auto program = (*run)->Program(port, XdpFrames::kPlain);
    ASSERT_TRUE(program.ok()) << program.status();
    programs.push_back(*program);
  }
  const FrameBuilder frame = FrameBuilder().Ipv4().Udp(5000, 6000).Payload(40);
  ASSERT_NO_FATAL_FAILURE(Feed(programs, frame.Build(), packets));
  *counted = {};
  for (size_t port = 0; port < packets.size(); port++) {
    const tp_queue_counters counters = (*run)->counters().Of(port, 0);
    EXPECT_EQ(counters.rx.packets, packets[port]);
    counted->received += counters.rx.packets;
    counted->lost += counters.verdict[TP_LOST].packets;
    counted->flows_added += (*run)->counters().Extras(port, 0).flows_added;
  }
}

// With `loss`, two CPUs that share the packets lose as many as one CPU that takes all of them.
void ExpectAsAlone(const std::string& loss) {
  Lost alone, together;
  ASSERT_NO_FATAL_FAILURE(Count(loss, {2 * kPackets, 0}, &alone));
  ASSERT_NO_FATAL_FAILURE(Count(loss, {kPackets, kPackets}, &together));
  EXPECT_EQ(together.received, alone.received);
  EXPECT_EQ(together.lost, alone.lost);
  EXPECT_GT(alone.lost, kPackets / 10);
  EXPECT_EQ(alone.flows_added, 1u);
  EXPECT_EQ(together.flows_added, 1u);
}

TEST(XdpContention, TwoCpusTakeEveryNumberOfAFlowOnce) {
  ExpectAsAlone(R"({"model": "random", "rate": "50%", "scope": "flow"})");
}

TEST(XdpContention, AChainOfAFlowGoesOnWhicheverCpuDraws) {
  ExpectAsAlone(R"({"model": "gilbert_elliott", "p": 0.2, "r": 0.3, "scope": "flow"})");
}

}  // namespace
}  // namespace twinpath
