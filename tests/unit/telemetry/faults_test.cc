// SPDX-License-Identifier: BSD-3-Clause
// Tests the ledger of faults: the lines that are logged or held back, and the counts.

#include "src/telemetry/faults.h"

#include <gtest/gtest.h>

namespace twinpath {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FaultLedgerTest : public testing::Test {
 protected:
  std::vector<std::string> said;
  FaultLedger ledger{[this](const std::string& line) { said.push_back(line); }};
  const FaultLedger::Clock::time_point start = FaultLedger::Clock::now() - seconds(100);
};

TEST_F(FaultLedgerTest, SaysABeginningAndAnEndOnceAndHowLongItWas) {
  EXPECT_FALSE(ledger.Set("port lan", "link_down", false, "link up", start));
  EXPECT_TRUE(ledger.Set("port lan", "link_down", true, "link down", start));
  EXPECT_FALSE(ledger.Set("port lan", "link_down", true, "link down", start + seconds(1)));
  EXPECT_TRUE(ledger.Set("port lan", "link_down", false, "link up", start + milliseconds(1250)));
  EXPECT_FALSE(ledger.Set("port lan", "link_down", false, "link up", start + seconds(2)));
  EXPECT_EQ(said,
            (std::vector<std::string>{"port lan: link down", "port lan: link up, after 1.25 s"}));
  const std::vector<FaultSnapshot> list = ledger.List();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].subject, "port lan");
  EXPECT_EQ(list[0].what, "link_down");
  EXPECT_FALSE(list[0].active);
  EXPECT_EQ(list[0].times, 1u);
  EXPECT_EQ(list[0].last_ms, 1250u);
  EXPECT_EQ(list[0].total_ms, 1250u);
}

TEST_F(FaultLedgerTest, CountsFromWhenItBeganNotFromWhenItWasSeen) {
  ledger.Begin("lcore 1", "stalled", "stands still", start, start + seconds(1));
  ledger.Set("lcore 1", "stalled", false, "goes on", start + seconds(3));
  ledger.Begin("lcore 1", "stalled", "stands still", start + seconds(50), start + seconds(51));
  const std::vector<FaultSnapshot> list = ledger.List();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0].active);
  EXPECT_EQ(list[0].times, 2u);
  EXPECT_GE(list[0].last_ms, 50'000u);  // it still is
  EXPECT_EQ(list[0].total_ms, list[0].last_ms + 3000);
  EXPECT_EQ(said[1], "lcore 1: goes on, after 3.00 s");
}

TEST_F(FaultLedgerTest, HoldsBackWhatFlapsAndSaysTheLastOfIt) {
  for (int i = 0; i < 50; i++) {
    ledger.Set("port lan", "link_down", i % 2 == 0, i % 2 == 0 ? "link down" : "link up",
               start + milliseconds(100 * i));
    ledger.Tick(start + milliseconds(100 * i));
  }
  ledger.Set("port wan", "link_down", true, "link down", start);
  EXPECT_EQ(said.size(), FaultLedger::kLinesPerWindow + 1) << "another port's are not held back";
  ledger.Tick(start + FaultLedger::kWindow);
  ASSERT_EQ(said.size(), FaultLedger::kLinesPerWindow + 2);
  EXPECT_EQ(said.back(),
            "port lan: link up, after 0.10 s (the last of 44 lines held back; link_down "
            "25 times so far)");
  ledger.Tick(start + 2 * FaultLedger::kWindow);
  EXPECT_EQ(said.size(), FaultLedger::kLinesPerWindow + 2);
  EXPECT_EQ(ledger.List()[0].times, 25u);
}

TEST_F(FaultLedgerTest, NobodyNeedListen) {
  FaultLedger silent(nullptr);
  EXPECT_TRUE(silent.Set("port lan", "gone", true, "is gone", start));
  silent.Note("a line");
  silent.Tick(start + seconds(20));
  EXPECT_EQ(silent.List().size(), 1u);
}

}  // namespace
}  // namespace twinpath
