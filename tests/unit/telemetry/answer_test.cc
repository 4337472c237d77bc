// SPDX-License-Identifier: BSD-3-Clause
// The telemetry commands: every answer fits into librte_telemetry, and the pages hold everything
// exactly once.

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "src/telemetry/json.h"
#include "src/telemetry/server/protocol.h"
#include "tests/unit/lib/telemetry_snapshots.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

// What an entry of rte_tel_data can hold: a short key of [A-Za-z0-9_/], and a scalar without a
// fraction.
void ExpectHoldable(const ordered_json& object, bool nested) {
  ASSERT_TRUE(object.is_object());
  EXPECT_LE(object.size(), 256u);
  for (const auto& [key, value] : object.items()) {
    EXPECT_EQ(key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789_/"),
              std::string::npos)
        << key;
    EXPECT_LT(key.size(), 128u);
    if (value.is_object() && !nested) {
      ExpectHoldable(value, true);
    } else if (value.is_string()) {
      const std::string text = value;
      EXPECT_LT(text.size(), 128u);
      for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << text;
    } else {
      EXPECT_TRUE(value.is_number_integer()) << key << " " << value;
    }
  }
}

// Follows "next" through all pages and calls `entry` for every entry. Returns the number of pages.
size_t ReadPages(const Snapshot& snapshot, const std::string& command, const std::string& before,
                 const std::function<void(size_t, const ordered_json&)>& entry) {
  size_t pages = 0, next = 0, total = 0;
  do {
    const ordered_json page = AnswerCommand(snapshot, command, before + std::to_string(next));
    ExpectHoldable(page, false);
    EXPECT_LE(page.dump().size() + command.size() + 6, kAnswerBytes);
    EXPECT_EQ(page["first"], next);
    total = page["total"];
    const size_t end = page.value("next", total);
    EXPECT_EQ(page.size(), end - next + 3 + page.contains("next"));
    for (; next < end; ++next) entry(next, page.at(std::to_string(next)));
    ++pages;
  } while (next < total && pages < 10000);
  EXPECT_EQ(next, total);
  return pages;
}

TEST(AnswerCommand, InfoSaysWhatRuns) {
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("xdp"), "/twinpath/info", "").dump(),
      R"({"path":"xdp","version":"0.1.0","seed":7,"policy_file":"policies/half \"50%25\".json",)"
      R"("policy_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",)"
      R"("duration_us":12345679,"ports":2,"queues":2,"rules":2,"lcores":1,"faults":2,"faults_active":1,)"
      R"("reloads":{"done":4,"rejected":1,"longest_switch_ns":900,"retired_matched_packets":30,"retired_matched_bytes":1920,)"
      R"("retired_lost_packets":20,"retired_lost_bytes":1280,"retired_marked_packets":10,"retired_marked_bytes":640,)"
      R"("retired_to_send_packets":7,"retired_to_send_bytes":448,"retired_to_pass_packets":2,"retired_to_pass_bytes":128,)"
      R"("retired_denied_packets":1,"retired_denied_bytes":64},)"
      R"("mempool_0_mbufs":8191,"mempool_0_free_mbufs":8000,"flow_places":800,"flow_bytes":32000})");
}

TEST(AnswerCommand, PortsCarryTheirExtraCounters) {
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/ports", "").dump(),
      R"({"total":2,"first":0,"duration_us":12345679,"0":{"name":"lan","device":"veth0","driver":"net_af_xdp",)"
      R"("mode":"copy","why":"no zero-copy","link":"down","queues":1,"from_kernel":12},)"
      R"("1":{"name":"wan","device":"net_null0","driver":"net_null","mode":"vdev","why":"",)"
      R"("queues":1}})");
}

TEST(AnswerCommand, PortsSayWhatSpreadsTheirFramesAndWhichLcoreServesEachQueue) {
  Snapshot snapshot = SmallSnapshot("dpdk");
  snapshot.ports[0].rss = {.by = "device",
                           .fields = "ip+tcp",
                           .key = std::string(104, 'a'),
                           .reta = "0,1 over 128 places"};
  snapshot.queues.push_back({.port = "lan", .queue = 1, .core = 5});
  const ordered_json answer = AnswerCommand(snapshot, "/twinpath/ports", "");
  EXPECT_EQ(answer["0"]["rss_by"], "device");
  EXPECT_EQ(answer["0"]["rss_fields"], "ip+tcp");
  EXPECT_EQ(answer["0"]["rss_key"], std::string(104, 'a'));
  EXPECT_EQ(answer["0"]["rss_reta"], "0,1 over 128 places");
  EXPECT_EQ(answer["0"]["queue_lcores"], "3,5");
  EXPECT_FALSE(answer["1"].contains("rss_by"));  // unknown
}

TEST(AnswerCommand, QueuesCountByVerdictAndOutPort) {
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/queues", "lan").dump(),
      R"({"total":1,"first":0,"duration_us":12345679,"0":{"port":"lan","queue":0,"lcore":3,"rx_packets":99,)"
      R"("rx_bytes":6400,"tx_packets":60,"tx_bytes":3840,"pass_packets":4,"pass_bytes":256,)"
      R"("lost_packets":5,"lost_bytes":320,"denied_packets":6,"denied_bytes":384,)"
      R"("malformed_packets":7,"malformed_bytes":448,"tx_full_packets":8,)"
      R"("tx_full_bytes":512,"no_port_packets":9,"no_port_bytes":576,)"
      R"("marked_packets":2,"marked_bytes":128,"flows_added":11,"flows_evicted":1,"checksums_completed":5,)"
      R"("tx_to_0_packets":20,"tx_to_0_bytes":1280,"tx_to_1_packets":40,)"
      R"("tx_to_1_bytes":2560}})");
}

TEST(AnswerCommand, RulesAndCoresAreInWholeNumbers) {
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/rules", "").dump(),
      R"({"total":2,"first":0,"duration_us":12345679,"0":{"name":"voix \"%C3%A9\" %E6%97%A5%E6%9C%AC 100%25%0A",)"
      R"("matched_packets":1000,"matched_bytes":64000,"lost_packets":10,"lost_bytes":640,)"
      R"("marked_packets":3,"marked_bytes":192,"to_send_packets":900,"to_send_bytes":57600,)"
      R"("to_pass_packets":60,"to_pass_bytes":3840,"denied_packets":30,"denied_bytes":1920,)"
      R"("loss_rate_ppb":10000000,"loss_rate_low_ppb":5440754,)"
      R"("loss_rate_high_ppb":18309469},"1":{"name":"default","matched_packets":0,)"
      R"("matched_bytes":0,"lost_packets":0,"lost_bytes":0,"marked_packets":0,)"
      R"("marked_bytes":0,"to_send_packets":0,"to_send_bytes":0,"to_pass_packets":0,"to_pass_bytes":0,)"
      R"("denied_packets":0,"denied_bytes":0,"loss_rate_ppb":0,)"
      R"("loss_rate_low_ppb":0,"loss_rate_high_ppb":1000000000}})");
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/lcores", "").dump(),
      R"({"total":1,"first":0,"duration_us":12345679,"0":{"lcore":3,"queues":1,"turns":1000,"idle_turns":900,)"
      R"("packets":100,"idle":"adaptive","sleeps":40,"slept_us":300000}})");
}

TEST(AnswerCommand, FaultsSayWhatWasWrongHowOftenAndHowLong) {
  EXPECT_EQ(
      AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/faults", "").dump(),
      R"({"total":2,"first":0,"duration_us":12345679,"0":{"subject":"port lan","fault":"link_down",)"
      R"("active":1,"times":2,"last_ms":300,"total_ms":1500},"1":{"subject":"lcore 3",)"
      R"("fault":"stalled","active":0,"times":1,"last_ms":2000,"total_ms":2000}})");
}

TEST(AnswerCommand, PagesHoldAllOfAThousandQueuesOnce) {
  const Snapshot snapshot = BigSnapshot("dpdk", 1000, 1, 1);
  size_t at = 0;
  const size_t pages =
      ReadPages(snapshot, "/twinpath/queues", ",", [&](size_t key, const ordered_json& entry) {
        EXPECT_EQ(key, at);
        EXPECT_EQ(entry["port"], snapshot.queues[at].port);
        EXPECT_EQ(entry["queue"], snapshot.queues[at].queue);
        ++at;
      });
  EXPECT_EQ(at, 1000u);
  EXPECT_GT(pages, 50u);
}

TEST(AnswerCommand, PagesHoldAllQueuesOfOnePortOnce) {
  const Snapshot snapshot = BigSnapshot("xdp", 1000, 1, 1);
  uint32_t at = 0;
  ReadPages(snapshot, "/twinpath/queues", "port3,", [&](size_t, const ordered_json& entry) {
    EXPECT_EQ(entry["port"], "port3");
    EXPECT_EQ(entry["queue"], at++);
  });
  EXPECT_EQ(at, 63u);  // 3, 19, ... 995 of 1,000
}

TEST(AnswerCommand, PagesHoldAllRulesOnceHoweverManyAndLong) {
  for (const auto& [rules, name_length] :
       {std::pair(10000, 1), {1000, 119}, {1000, 120}, {1000, 121}, {1000, 1500}}) {
    size_t at = 0;
    ReadPages(BigSnapshot("dpdk", 1, static_cast<size_t>(rules), static_cast<size_t>(name_length)),
              "/twinpath/rules", "", [&](size_t, const ordered_json& entry) {
                const std::string name = entry["name"];
                const std::string number = "rule" + std::to_string(at);
                EXPECT_EQ(name.substr(0, number.size()), number);
                EXPECT_EQ(entry["lost_bytes"], at++);
              });
    EXPECT_EQ(at, static_cast<size_t>(rules));
  }
}

TEST(AnswerCommand, PagesHoldAllPortsAndCoresOnce) {
  Snapshot snapshot = BigSnapshot("dpdk", 1, 1, 1);
  for (PortSnapshot& port : snapshot.ports) port.device = port.why = std::string(6000, '"');
  for (uint32_t i = 0; i < 1000; ++i) snapshot.lcores.push_back({.lcore = i});
  size_t ports = 0, lcores = 0;
  ReadPages(snapshot, "/twinpath/ports", "", [&](size_t, const ordered_json&) { ++ports; });
  ReadPages(snapshot, "/twinpath/lcores", "", [&](size_t, const ordered_json&) { ++lcores; });
  EXPECT_EQ(ports, 16u);
  EXPECT_EQ(lcores, 1000u);
}

TEST(AnswerCommand, LongTextGoesOnInFurtherKeys) {
  Snapshot snapshot = SmallSnapshot("dpdk");
  snapshot.policy_file = std::string(250, 'x') + "end";
  const ordered_json info = AnswerCommand(snapshot, "/twinpath/info", "");
  EXPECT_EQ(info["policy_file"], std::string(120, 'x'));
  EXPECT_EQ(info["policy_file_2"], std::string(120, 'x'));
  EXPECT_EQ(info["policy_file_3"], "xxxxxxxxxxend");
}

TEST(AnswerCommand, MistakesInParametersSayWhatIsAllowed) {
  const Snapshot snapshot = SmallSnapshot("dpdk");
  const struct {
    const char *command, *parameters, *error;
  } cases[] = {
      {"/twinpath/info", "x", "/twinpath/info takes no parameters"},
      {"/twinpath/queues", "lam",
       "PORT: found \"lam\", allowed nothing (all ports) or one of lan, wan"},
      {"/twinpath/queues", "lan,2", "FIRST: found \"2\", allowed 0 to 1"},
      {"/twinpath/queues", ",3", "FIRST: found \"3\", allowed 0 to 2"},
      {"/twinpath/queues", "lan,1,1", "FIRST: found \"1,1\", allowed 0 to 1"},
      {"/twinpath/rules", "-1", "FIRST: found \"-1\", allowed 0 to 2"},
      {"/twinpath/rules", "99999999999999999999",
       "FIRST: found \"99999999999999999999\", allowed 0 to 2"},
      {"/twinpath/rules", "1x", "FIRST: found \"1x\", allowed 0 to 2"},
      {"/twinpath/ports", "\xff", "FIRST: found \"%FF\", allowed 0 to 2"},
      {"/twinpath/lcores", " 0", "FIRST: found \" 0\", allowed 0 to 1"},
      {"/twinpath/nothing", "", "no such command: /twinpath/nothing"},
  };
  for (const auto& c : cases) {
    const ordered_json answer = AnswerCommand(snapshot, c.command, c.parameters);
    EXPECT_EQ(answer, ordered_json({{"error", c.error}}));
  }
}

TEST(AnswerCommand, APageBehindTheLastEntryIsEmpty) {
  EXPECT_EQ(AnswerCommand(SmallSnapshot("dpdk"), "/twinpath/rules", "2").dump(),
            R"({"total":2,"first":2,"duration_us":12345679})");
}

TEST(TelemetryCommands, CanAllBeRegisteredWithLibrteTelemetry) {
  std::set<std::string> names;
  for (const TelemetryCommand& command : TelemetryCommands()) {
    EXPECT_LT(std::string(command.name).size(), 56u);
    EXPECT_LT(std::string(command.help).size(), 64u);
    names.insert(command.name);
    EXPECT_FALSE(AnswerCommand(SmallSnapshot("dpdk"), command.name, "").contains("error"));
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"/twinpath/info", "/twinpath/ports", "/twinpath/queues",
                                   "/twinpath/rules", "/twinpath/lcores", "/twinpath/faults"}));
}

TEST(AnswerRequest, AnswersAsDpdkDoes) {
  const auto snapshot = [] { return SmallSnapshot("xdp"); };
  const auto answer = [&](std::string_view request) {
    return AnswerRequest(request, "twinpath 0.1.0", snapshot);
  };
  EXPECT_EQ(
      answer("/"),
      R"({"/":["/","/help","/info","/twinpath/faults","/twinpath/info","/twinpath/lcores","/twinpath/ports",)"
      R"("/twinpath/queues","/twinpath/rules"]})");
  EXPECT_EQ(answer("/info"), "{\"/info\":" + Greeting("twinpath 0.1.0") + "}");
  EXPECT_EQ(answer("/info,whatever"), answer("/info"));
  EXPECT_EQ(
      answer("/help,/twinpath/rules"),
      R"({"/help":{"/twinpath/rules":"Matched and lost packets by rule. Parameters: [FIRST]"}})");
  EXPECT_EQ(answer("/help"), R"({"/help":null})");
  EXPECT_EQ(answer("/help,/nope"), R"({"/help":null})");
  EXPECT_EQ(answer("/nope"), R"({"/nope":null})");
  EXPECT_EQ(answer("/nope,with,more"), R"({"/nope":null})");
  EXPECT_EQ(answer(std::string_view("/nope\0,x", 8)), R"({"/nope":null})");
  EXPECT_EQ(answer(",,/nope,x"), R"({"/nope":null})");
  EXPECT_EQ(answer(std::string(1000, 'y')), "{\"" + std::string(56, 'y') + "\":null}");
  EXPECT_EQ(answer(",,,"), R"({"":null})");
  EXPECT_EQ(answer("/twinpath/rules,2"),
            R"({"/twinpath/rules":{"total":2,"first":2,"duration_us":12345679}})");
  EXPECT_EQ(answer("/twinpath/rules,"), answer("/twinpath/rules"));
  EXPECT_EQ(answer("/twinpath/queues,,1"),
            "{\"/twinpath/queues\":" +
                AnswerCommand(SmallSnapshot("xdp"), "/twinpath/queues", ",1").dump() + "}");
}

TEST(AnswerRequest, AnswersGarbageWithOneShortJsonObject) {
  const Snapshot big = BigSnapshot("xdp", 300, 300, 300);
  const std::string pieces[] = {"/twinpath/queues",
                                "/twinpath/rules",
                                "/twinpath/ports",
                                "/help",
                                ",",
                                ",0",
                                ",port3",
                                "18446744073709551615",
                                "%00",
                                "\xc3",
                                "\"",
                                "\n",
                                std::string(1, '\0'),
                                "/",
                                "\\",
                                std::string(300, ','),
                                "999",
                                "-",
                                "null"};
  uint64_t state = 1;
  const auto draw = [&](uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  for (int i = 0; i < 3000; ++i) {
    std::string request;
    for (uint64_t n = draw(6); n > 0; --n)
      request +=
          draw(4) ? pieces[draw(std::size(pieces))] : std::string(1, static_cast<char>(draw(256)));
    const std::string answer = AnswerRequest(request, "v", [&] { return big; });
    EXPECT_LE(answer.size(), kMaxAnswer);
    const ordered_json document = ordered_json::parse(answer, nullptr, false);
    ASSERT_TRUE(document.is_object()) << answer;
    EXPECT_EQ(document.size(), 1u);
  }
}

}  // namespace
}  // namespace twinpath
