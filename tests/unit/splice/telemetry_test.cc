// SPDX-License-Identifier: BSD-3-Clause
// The telemetry of twinpath-splice: the summary, the commands and the tables.

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "src/splice/snapshot.h"
#include "src/splice/table.h"
#include "src/telemetry/json.h"
#include "src/telemetry/server/protocol.h"

namespace twinpath::splice {
namespace {

using nlohmann::ordered_json;

Snapshot Example(uint64_t connections, double seconds) {
  Snapshot snapshot = {.path = "splice", .version = "0.1.0", .seed = 7, .duration_s = seconds};
  SpliceSnapshot splice;
  splice.listen = "[::]:8080";
  splice.mode = "copy";
  splice.why = "as asked";
  splice.workers = 2;
  splice.max_connections = 10000;
  uint64_t up = 0, down = 0;
  for (uint64_t n = 0; n < connections; n++) {
    const auto moved = static_cast<uint64_t>(seconds * 1000.0 * static_cast<double>(n));
    splice.connections.push_back(
        {.number = n,
         .client = "[2001:db8:1111:2222:3333:4444:5555:6666]:" + std::to_string(n),
         .target = "127.0.0.1:80",
         .mode = "copy",
         .state = "half-closed",
         .age_s = seconds,
         .to_target_bytes = moved,
         .to_client_bytes = 3 * moved});
    up += moved;
    down += 3 * moved;
  }
  splice.targets = {{"127.0.0.1:80", "up", connections, 0}, {"[::1]:80", "down", 0, 3}};
  splice.counters = {{"accepted", connections},
                     {"open", connections},
                     {"to_target_bytes", up},
                     {"to_client_bytes", down}};
  snapshot.sections = MakeSections(splice);
  return snapshot;
}

TEST(SpliceTelemetry, TheSummaryIsAsTheSnapshot) {
  const ordered_json summary = SummaryJson(Example(3, 2));
  EXPECT_EQ(summary["path"], "splice");
  EXPECT_EQ(summary["totals"]["to_target_bytes"], 6000);
  EXPECT_EQ(summary["connections"][2]["to_client_bytes"], 12000);
  EXPECT_EQ(summary["targets"][1],
            (ordered_json{
                {"address", "[::1]:80"}, {"state", "down"}, {"connections", 0}, {"failures", 3}}));
  EXPECT_FALSE(summary.contains("queues"));
}

TEST(SpliceTelemetry, ConnectionsComeInPagesThatFit) {
  const Snapshot snapshot = Example(1000, 2);
  uint64_t next = 0, pages = 0;
  while (next < 1000) {
    const ordered_json page =
        AnswerCommand(snapshot, "/twinpath/connections", std::to_string(next));
    ASSERT_LE(page.dump().size(), kAnswerBytes);
    EXPECT_EQ(page["total"], 1000);
    EXPECT_EQ(page[std::to_string(next)]["number"], next);
    next = page.value("next", uint64_t{1000});
    pages++;
  }
  EXPECT_GT(pages, 10u);
}

TEST(SpliceTelemetry, ServesItsOwnCommandsAndNoQueues) {
  const auto answer = [](const std::string& request) {
    return ordered_json::parse(
        AnswerRequest(request, "twinpath 0.1.0", [] { return Example(2, 1); }));
  };
  const std::string commands = answer("/").dump();
  for (const TelemetryCommand& command : TelemetryCommandsOf(Example(2, 1)))
    EXPECT_NE(commands.find(command.name), std::string::npos) << command.name;
  EXPECT_EQ(commands.find("/twinpath/queues"), std::string::npos);
  EXPECT_TRUE(answer("/twinpath/queues")["/twinpath/queues"].is_null());
  EXPECT_EQ(answer("/twinpath/splice")["/twinpath/splice"]["max_connections"], 10000);
  EXPECT_EQ(answer("/twinpath/targets")["/twinpath/targets"]["1"]["state"], "down");
  EXPECT_TRUE(answer("/twinpath/targets,9")["/twinpath/targets"].contains("error"));
}

TEST(SpliceTelemetry, TablesTellTheBusiestWithinAHundredColumns) {
  const ordered_json before = SummaryJson(Example(100, 1)), now = SummaryJson(Example(100, 3));
  const std::string rates = RateTable(before, now, 100);
  // Connection 99 moved 198,000 bytes up in two seconds, and is the first row.
  std::istringstream lines(rates);
  std::string line;
  for (int i = 0; i < 3; i++) std::getline(lines, line);
  EXPECT_NE(line.find(" 99 ["), std::string::npos) << rates;
  EXPECT_NE(line.find("792.0k"), std::string::npos) << rates;
  EXPECT_NE(line.find("2.376M"), std::string::npos) << rates;
  const std::string table = SummaryTable(now, 100);
  EXPECT_NE(table.find("(the busiest 40 of 100 connections"), std::string::npos);
  EXPECT_EQ(RateTable(now, now, 100), "");
  EXPECT_NE(table.find("listening on [::]:8080, mode copy (as asked)"), std::string::npos);
}

}  // namespace
}  // namespace twinpath::splice
