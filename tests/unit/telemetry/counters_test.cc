// SPDX-License-Identifier: BSD-3-Clause
// The lists of counters, on which all readers of counters rely.

#include "src/telemetry/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "src/telemetry/fields.h"

namespace twinpath {
namespace {

// Numbers each field of a row, writes the row to JSON and reads it back.
template <typename Row, typename List>
void ExpectEveryNumberComesBack(const List& list) {
  Row row = {}, read = {};
  std::set<std::string> names;
  uint64_t next = 1;
  ForEachNumber(row, list, [&](const std::string& name, auto& number) {
    EXPECT_TRUE(names.insert(name).second) << name << " is listed twice";
    number = next++;
  });
  nlohmann::ordered_json object;
  AddCounters(row, list, &object, "p_");
  EXPECT_EQ(object.size(), names.size());
  ReadCounters(object, list, &read, "p_");
  uint64_t expected = 1;
  ForEachNumber(read, list, [&](const std::string& name, const auto& number) {
    EXPECT_EQ(number, expected++) << name;
  });
  for (const auto& counter : list) {
    EXPECT_NE(std::string(counter.unit), "") << counter.name;
    EXPECT_NE(std::string(counter.help), "") << counter.name;
  }
}

TEST(CountersTest, EveryNumberOfAListHasANameOfItsOwnAndComesBack) {
  ExpectEveryNumberComesBack<tp_queue_counters>(kQueueCounters);
  ExpectEveryNumberComesBack<tp_queue_extras>(kQueueExtras);
  ExpectEveryNumberComesBack<RuleSnapshot>(kRuleCounters);
  ExpectEveryNumberComesBack<ReloadSnapshot>(kReloadCounters);
  ExpectEveryNumberComesBack<LcoreSnapshot>(kLcoreTurns);
  ExpectEveryNumberComesBack<LcoreSnapshot>(kLcoreSleeps);
  ExpectEveryNumberComesBack<MempoolSnapshot>(kMempoolCounters);
  ExpectEveryNumberComesBack<FaultSnapshot>(kFaultCounters);
}

TEST(CountersTest, ACountIsItsPacketsAndItsBytes) {
  nlohmann::ordered_json object;
  AddCounters(
      tp_queue_extras{
          .marked = {3, 180}, .flows_added = 2, .flows_evicted = 1, .checksums_completed = 4},
      kQueueExtras, &object);
  EXPECT_EQ(
      object.dump(),
      R"({"marked_packets":3,"marked_bytes":180,"flows_added":2,"flows_evicted":1,"checksums_completed":4})");
}

TEST(CountersTest, AVerdictIsNamedOnce) {
  EXPECT_STREQ(VerdictName(TP_TX), "tx");
  EXPECT_STREQ(VerdictName(TP_NO_PORT), "no_port");
  EXPECT_STREQ(VerdictName(TP_VERDICTS), "unknown");
}

}  // namespace
}  // namespace twinpath
