// SPDX-License-Identifier: BSD-3-Clause
// Where a trial's packets went, and what they cost.

#include "src/compare/measure/counts.h"

#include <gtest/gtest.h>

#include "src/compare/measure/cpu.h"

namespace twinpath {
namespace {

TEST(CountsTest, AnEngineWithCountersIsConservedByPlace) {
  const TrialCounts counts = CountsOf({.sent = 1000,
                                       .lan_in = 900,
                                       .lan_ring_full = 100,
                                       .out_ring_full = 5,
                                       .received = 700,
                                       .engine_counts = true,
                                       .engine_in = 850,
                                       .lost = 80,
                                       .denied = 7,
                                       .malformed = 1,
                                       .pass = 2,
                                       .no_port = 15,
                                       .tx_full = 40});
  EXPECT_EQ(counts.policy, 90u);
  EXPECT_EQ(counts.drop(DropPlace::kRxRing), 100u);
  EXPECT_EQ(counts.drop(DropPlace::kSocket), 50u);
  EXPECT_EQ(counts.drop(DropPlace::kNoPort), 15u);
  EXPECT_EQ(counts.drop(DropPlace::kTxFull), 40u);
  EXPECT_EQ(counts.drop(DropPlace::kTxRing), 5u);
  EXPECT_EQ(counts.drop(DropPlace::kEngine), 0u);
  EXPECT_EQ(counts.dropped(), 210u);
  EXPECT_EQ(counts.unexplained(), 0);
  EXPECT_DOUBLE_EQ(counts.unintended_loss(), 0.21);
}

TEST(CountsTest, AnEngineWithoutCountersHasOnePlace) {
  const TrialCounts counts = CountsOf(
      {.sent = 100, .lan_in = 90, .lan_ring_full = 10, .received = 50, .dropped_on_purpose = 30});
  EXPECT_EQ(counts.policy, 30u);
  EXPECT_EQ(counts.drop(DropPlace::kEngine), 10u);
  EXPECT_EQ(counts.unexplained(), 0);
}

TEST(CountsTest, APacketThatNoCounterHasIsUnexplained) {
  EXPECT_EQ(CountsOf({.sent = 10, .lan_in = 9, .received = 9}).unexplained(), 1);
  EXPECT_EQ(CountsOf({.sent = 9, .lan_in = 10, .received = 10}).unexplained(), -1);
}

TEST(CountsTest, NothingSentIsNoLoss) { EXPECT_EQ(CountsOf({}).unintended_loss(), 0); }

constexpr char kBefore[] =
    "cpu  100 0 100 1000 0 0 10 0 0 0\n"
    "cpu0 50 0 50 500 0 0 5 0 0 0\n"
    "cpu1 50 0 50 500 0 0 5 0 0 0\n"
    "intr 1 2 3\nctxt 1000\n";
constexpr char kAfter[] =
    "cpu0 150 0 50 500 0 1 24 0 0 0\n"
    "cpu1 70 10 60 550 0 0 5 2 0 0\n"
    "ctxt 1250\n";

TEST(CpuTest, OnTheGeneratorsCpuOnlySoftirqsCount) {
  const CpuAccounts before = ParseProcStat(kBefore, 100), after = ParseProcStat(kAfter, 100);
  ASSERT_EQ(before.cpus.size(), 2u);
  const EngineCpu cpu = EngineCpuOf(before, after, 0, {}, 1);
  EXPECT_DOUBLE_EQ(cpu.user, 0.3);
  EXPECT_DOUBLE_EQ(cpu.system, 0.1);
  EXPECT_DOUBLE_EQ(cpu.softirq, 0.2);
  EXPECT_DOUBLE_EQ(cpu.steal, 0.02);
  EXPECT_EQ(cpu.context_switches, 250u);
}

TEST(CpuTest, WhatTheIdleMachineUsesIsSubtracted) {
  const CpuAccounts before = ParseProcStat(kBefore, 100), after = ParseProcStat(kAfter, 100);
  const EngineCpu cpu = EngineCpuOf(before, after, 0, {.user = 0.05, .system = 1}, 2);
  EXPECT_DOUBLE_EQ(cpu.user, 0.2);
  EXPECT_DOUBLE_EQ(cpu.system, 0);
}

TEST(CpuTest, AProcessNameMayHaveParenthesesAndBlanks) {
  int pid = 0;
  ProcessTime time;
  ASSERT_TRUE(ParseProcessStat("42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 5", 100,
                               &pid, &time));
  EXPECT_EQ(pid, 42);
  EXPECT_EQ(time.parent, 7);
  EXPECT_EQ(time.name, "a) b (c");
  EXPECT_DOUBLE_EQ(time.seconds, 2);
  EXPECT_FALSE(ParseProcessStat("", 100, &pid, &time));
}

TEST(CpuTest, OthersAreNeitherOursNorKernelThreads) {
  const ProcessTimes before = {{1, {0, 1, "init"}},    {2, {0, 0, "kthreadd"}},
                               {9, {2, 0, "kworker"}}, {10, {1, 0, "compare"}},
                               {11, {10, 0, "dpdk"}},  {20, {1, 5, "cc1"}}};
  const ProcessTimes after = {{1, {0, 1, "init"}},    {2, {0, 0, "kthreadd"}},
                              {9, {2, 3, "kworker"}}, {10, {1, 1, "compare"}},
                              {11, {10, 4, "dpdk"}},  {20, {1, 7, "cc1"}},
                              {21, {20, 0.5, "as"}}};
  const Disturbance others = OthersBetween(before, after, 10);
  EXPECT_DOUBLE_EQ(others.seconds, 2.5);
  EXPECT_EQ(others.name, "cc1");
}

TEST(CpuTest, NoiseNamesWhatItWas) {
  EXPECT_EQ(NoiseOf({}, {}, 1, 2), "");
  EXPECT_EQ(NoiseOf({.steal = 0.1}, {}, 1, 2), "5 % of the machine's CPU time was stolen");
  EXPECT_EQ(NoiseOf({}, {"cc1", 0.5}, 1, 2), "other processes used 50 % of a CPU, most of it cc1");
}

}  // namespace
}  // namespace twinpath
