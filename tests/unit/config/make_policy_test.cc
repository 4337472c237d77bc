// SPDX-License-Identifier: BSD-3-Clause
// Tests policies made from a file and the command line: which files are read or refused, and what
// --loss, --match, --forward and --seed change.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "src/config/compile/compile.h"
#include "src/config/overrides.h"
#include "src/config/policy/match.h"
#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

class MakePolicyTest : public testing::Test {
 protected:
  MakePolicyTest() {
    std::string pattern = testing::TempDir() + "/twinpath-policy-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~MakePolicyTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& text) {
    std::ofstream(folder_ / "p.json", std::ios::binary) << text;
    return folder_ / "p.json";
  }
  static std::string Error(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  std::filesystem::path folder_;
  const std::vector<std::string> two_ = {"lan", "wan"};
};

TEST_F(MakePolicyTest, WithoutAFileEverythingPasses) {
  absl::StatusOr<Policy> p = MakePolicy("", {}, {});
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->file, "");
  EXPECT_TRUE(p->rules.empty());
  EXPECT_EQ(p->fallback.name, "default");
  EXPECT_EQ(p->fallback.forward.action, TP_ACTION_PASS);
  // sha256sum of {"default":{"forward":"pass"},"rules":[],"seed":0,"version":1}
  EXPECT_EQ(p->sha256, "cfc0e19d77da1a775062f9ec235c00289bb96bc90ac010c8db786d65f38d6b79");
}

TEST_F(MakePolicyTest, TheCommandLineReplacesTheDefaultAndTheSeed) {
  std::string path = Write(R"({"version": 1, "seed": 7,
    "rules": [{"name": "dns", "match": {"dst_port": 53}, "forward": "drop"}],
    "default": {"loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"}}})");
  absl::StatusOr<Policy> p = MakePolicy(path, {"50%", "reflect", "9"}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->seed, 9u);
  EXPECT_EQ(p->fallback.loss.parameters[0].threshold, 1ull << 63);
  EXPECT_EQ(p->fallback.forward.action, TP_ACTION_REFLECT);
  ASSERT_EQ(p->rules.size(), 1u);
  EXPECT_EQ(p->rules[0].loss.model, LossSpec::Model::kNone);
  EXPECT_EQ(p->rules[0].forward.action, TP_ACTION_DROP);
  EXPECT_TRUE(p->ports.empty());
  EXPECT_EQ(p->sha256, LoadPolicy(path)->sha256);  // of the file, even if options change the policy
}

TEST_F(MakePolicyTest, NothingOnTheCommandLineChangesNothing) {
  std::string path = Write(R"({"version": 1, "seed": 7,
    "default": {"loss": {"model": "random", "rate": "1%"}, "forward": {"port": "wan"}}})");
  absl::StatusOr<Policy> p = MakePolicy(path, {}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->seed, 7u);
  EXPECT_EQ(p->fallback.loss.parameters[0].text, "1%");
  EXPECT_EQ(p->fallback.forward.port, "wan");
  EXPECT_EQ(p->ports, std::vector<std::string>{"wan"});
}

TEST_F(MakePolicyTest, ForwardMayNameAPort) {
  absl::StatusOr<Policy> p = MakePolicy("", {{}, "wan", {}}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->fallback.forward.action, TP_ACTION_PORT);
  EXPECT_EQ(p->fallback.forward.port, "wan");
  EXPECT_EQ(
      Error(MakePolicy("", {{}, "dmz", {}}, two_).status()),
      "--forward: found \"dmz\", allowed pass, drop, reflect, reflect-flow, reflect-echo, wire, "
      "or a port: lan, wan");
  EXPECT_EQ(Error(MakePolicy("", {{}, "bridge", {}}, {}).status()),
            "--forward: found \"bridge\", allowed pass, drop, reflect, reflect-flow, reflect-echo, "
            "wire, or a port");
}

TEST_F(MakePolicyTest, AWireCrossesPortsInPairs) {
  absl::StatusOr<Policy> p = MakePolicy("", {"1%", "wire", {}}, {"a", "b", "c", "d"});
  ASSERT_TRUE(p.ok()) << p.status();
  const char* const crossed[] = {"b", "a", "d", "c"};
  const char* const names[] = {"wire-a", "wire-b", "wire-c", "wire-d"};
  ASSERT_EQ(p->rules.size(), 4u);
  for (size_t i = 0; i < 4; i++) {
    EXPECT_EQ(p->rules[i].name, names[i]);
    EXPECT_EQ(p->rules[i].forward.port, crossed[i]);
    EXPECT_EQ(p->rules[i].loss.parameters[0].text, "1%");
  }
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*p, {"a", "b", "c", "d"});
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  for (size_t i = 0; i < 4; i++) {
    EXPECT_EQ(compiled->plans[i].n_shapes, 0u);
    EXPECT_EQ(compiled->plans[i].fallback, i);
    EXPECT_EQ(compiled->rules[i].out_port, i ^ 1);
  }
}

TEST_F(MakePolicyTest, AWireTakesWhatTheFilesRulesLeave) {
  std::string path = Write(R"({"version": 1,
    "rules": [{"name": "dns", "match": {"dst_port": 53}, "forward": "drop"}],
    "default": {"loss": {"model": "random", "rate": "2%"}}})");
  absl::StatusOr<Policy> p = MakePolicy(path, {{}, "wire", {}}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  ASSERT_EQ(p->rules.size(), 3u);
  EXPECT_EQ(p->rules[0].name, "dns");
  EXPECT_EQ(p->rules[1].loss.parameters[0].text, "2%");
  EXPECT_EQ(p->ports, two_);
}

TEST_F(MakePolicyTest, AWireNeedsPairsAndItsNames) {
  EXPECT_EQ(Error(MakePolicy("", {{}, "wire", {}}, {"a", "b", "c"}).status()),
            "--forward: found \"wire\" with 3 ports, allowed an even number of ports, 2 or more, "
            "crossed in pairs");
  EXPECT_FALSE(MakePolicy("", {{}, "wire", {}}, {}).ok());
  std::string path = Write(R"({"version": 1, "rules": [{}, {"name": "wire-wan"}]})");
  EXPECT_EQ(Error(MakePolicy(path, {{}, "wire", {}}, two_).status()),
            absl::StrCat(path,
                         ": /rules/1/name: found \"wire-wan\", which --forward wire uses too, "
                         "allowed another name"));
}

TEST_F(MakePolicyTest, AMatchMakesARuleBeforeAllOthers) {
  absl::StatusOr<Policy> p = MakePolicy(
      "", {"5%", "reflect", {}, "src=10.0.0.0/8,proto=tcp,dst_port=80,tcp_flags=syn,!ack"}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  ASSERT_EQ(p->rules.size(), 1u);
  EXPECT_EQ(p->rules[0].name, "match");
  EXPECT_EQ(p->rules[0].loss.parameters[0].text, "5%");
  EXPECT_EQ(p->rules[0].forward.action, TP_ACTION_REFLECT);
  const MatchSpec& match = p->rules[0].match;
  EXPECT_EQ(PrefixText(*match.src), "10.0.0.0/8");
  EXPECT_EQ(match.dst_port, (PortRange{80, 80}));
  EXPECT_EQ(match.tcp_flags, (FlagsMatch{0x02, 0x10}));
  EXPECT_EQ(p->fallback.loss.model, LossSpec::Model::kNone);
  EXPECT_EQ(p->fallback.forward.action, TP_ACTION_REFLECT);
  EXPECT_NE(p->sha256, MakePolicy("", {"5%", "reflect", {}, "proto=udp"}, two_)->sha256);
}

TEST_F(MakePolicyTest, AMatchMayBeOfMalformedFrames) {
  absl::StatusOr<Policy> p = MakePolicy("", {"100%", "reflect", {}, "malformed=true"}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->rules[0].match.malformed, true);
  EXPECT_FALSE(p->drops_malformed);
  EXPECT_EQ(Error(MakePolicy("", {"100%", "reflect", {}, "malformed=drop"}, two_).status()),
            "--match: /malformed: found \"drop\", allowed true or false");
}

TEST_F(MakePolicyTest, AMatchOnAWireIsARuleForEachPort) {
  absl::StatusOr<Policy> p =
      MakePolicy("", {"5%", "wire", {}, "vlan=[100],fragment=true,length=64-127"}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  ASSERT_EQ(p->rules.size(), 4u);
  EXPECT_EQ(p->rules[0].name, "match-lan");
  EXPECT_EQ(p->rules[1].name, "match-wan");
  EXPECT_EQ(p->rules[2].name, "wire-lan");
  for (size_t i = 0; i < 2; i++) {
    EXPECT_EQ(p->rules[i].match.port, two_[i]);
    EXPECT_EQ(p->rules[i].match.fragment, FragmentMatch::kAny);
    EXPECT_EQ(p->rules[i].forward.port, two_[1 - i]);
    EXPECT_EQ(p->rules[i + 2].loss.model, LossSpec::Model::kNone);
  }
  p = MakePolicy("", {"5%", "wire", {}, "port=wan"}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->rules.size(), 3u);
  EXPECT_EQ(p->rules[0].name, "match-wan");
}

TEST_F(MakePolicyTest, AWrongMatchIsRefused) {
  const auto error = [&](const std::string& match) {
    return Error(MakePolicy("", {"5%", {}, {}, match}, two_).status());
  };
  for (const char* text : {"", "udp", "=udp", ",proto=udp"})
    EXPECT_EQ(error(text),
              absl::StrCat("--match: found \"", text,
                           "\", allowed FIELD=VALUE,... such as "
                           "\"src=10.0.0.0/8,proto=udp\": the fields of a policy's match"));
  EXPECT_EQ(error("proto=udp,proto=tcp"), "--match: /proto: found the key twice, allowed once");
  EXPECT_EQ(error("dst_port=65536").substr(0, 40), "--match: /dst_port: found 65536, allowed");
  EXPECT_EQ(error("port=dmz"),
            "--match: /port: found \"dmz\", allowed one of the program's ports: lan, wan");
  EXPECT_EQ(error("sport=1").substr(0, 38), "--match: /sport: found an unknown key,");
}

// Returns the error for options that have no effect on a policy of these rules; "" if they have
// one.
std::string NoEffect(const std::string& rules, const PolicyOverrides& overrides,
                     const std::vector<std::string>& ports) {
  absl::StatusOr<Policy> policy = MakePolicyOf(
      absl::StrCat(R"({"version": 1, "rules": [)", rules, "]}"), "p.json", overrides, ports);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return std::string(CheckOverridesReach(*policy, overrides, ports).message());
}

TEST_F(MakePolicyTest, AnOptionForPacketsThatRulesTakeIsToldWithTheRules) {
  const std::string wire = R"({"name": "out", "match": {"port": "lan"}, "forward": {"port": "wan"}},
      {"name": "back", "match": {"port": "wan"}, "forward": {"port": "lan"}})";
  EXPECT_EQ(NoEffect(wire, {"5%", {}, {}}, two_),
            "--loss 5% does nothing with p.json: it is for the default rule, and earlier rules "
            "match all its packets: /rules/0 (out), /rules/1 (back); put it into the policy");
  EXPECT_EQ(
      NoEffect(wire, {{}, "drop", {}}, two_),
      "--forward drop does nothing with p.json: it is for the default rule, and earlier rules "
      "match all its packets: /rules/0 (out), /rules/1 (back); put it into the policy");
  EXPECT_EQ(NoEffect(R"({"name": "all"})", {"5%", "wire", {}}, two_),
            "--loss 5% does nothing with p.json: it is for packets that no other rule takes, and "
            "/rules/0 (all) takes everything; put it into the policy");
  EXPECT_EQ(NoEffect(wire, {{}, {}, "7"}, two_), "");
  EXPECT_EQ(NoEffect(wire, {"5%", {}, {}, "proto=udp"}, two_), "");
  EXPECT_EQ(NoEffect(R"({"match": {"port": "lan"}})", {"5%", {}, {}}, two_), "");
  EXPECT_EQ(NoEffect(R"({"match": {"dst_port": 53}})", {"5%", "wire", {}}, two_), "");
  EXPECT_EQ(NoEffect("", {"5%", "wire", {}}, two_), "");
}

TEST_F(MakePolicyTest, ABadRateOnTheCommandLineIsRefused) {
  EXPECT_EQ(Error(MakePolicy("", {"101%", {}, {}}, {}).status()),
            "--loss: found \"101%\", allowed a fraction from 0 to 1 or a percentage from \"0%\" to "
            "\"100%\"");
}

TEST_F(MakePolicyTest, ASeedIsExactOrRefused) {
  absl::StatusOr<Policy> p = MakePolicy("", {{}, {}, "18446744073709551615"}, {});
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->seed, UINT64_MAX);
  for (const char* seed : {"-1", "18446744073709551616", "0x10", "1e3", "7 ", ""})
    EXPECT_EQ(Error(MakePolicy("", {{}, {}, seed}, {}).status()),
              absl::StrCat("--seed: found \"", seed,
                           "\", allowed an integer from 0 to 18446744073709551615"));
}

TEST_F(MakePolicyTest, SetChangesTheLossOfOneRule) {
  absl::StatusOr<Policy> p = MakePolicy(Write(R"({"version": 1, "rules": [
        {"name": "dns", "match": {"dst_port": 53}, "loss": {"model": "periodic", "every": 3,
         "scope": "flow", "flow": "bidirectional", "ecn_mark": true}, "forward": "drop"},
        {"name": "web", "match": {"dst_port": 80}, "forward": "drop"}]})"),
                                        {}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  p->sha256 = "0";
  ASSERT_TRUE(SetLoss("dns", "5%", &*p).ok());
  const LossSpec& dns = p->rules[0].loss;
  EXPECT_EQ(dns.model, LossSpec::Model::kRandom);
  ASSERT_EQ(dns.parameters.size(), 1u);
  EXPECT_EQ(dns.parameters[0].value, 0.05);
  EXPECT_TRUE(dns.scope == LossSpec::Scope::kFlow && dns.bidirectional && dns.ecn_mark);
  EXPECT_EQ(dns.every, 0u);
  EXPECT_EQ(p->rules[0].forward.action, TP_ACTION_DROP);
  EXPECT_EQ(p->rules[1].loss.model, LossSpec::Model::kNone);
  // printf '0\ndns\n5%%' | sha256sum
  EXPECT_EQ(p->sha256, "874f72718fba23eb2c2e96f907d542faa4c4b4765631732936d2927406228e2e");
  ASSERT_TRUE(SetLoss("default", "1", &*p).ok());
  EXPECT_TRUE(p->fallback.loss.parameters[0].always);
  EXPECT_EQ(Error(SetLoss("dsn", "5%", &*p)),
            "--rule: found \"dsn\", allowed a rule's name: dns, web, default");
  EXPECT_EQ(Error(SetLoss("web", "200%", &*p)).substr(0, 28), "--loss: found \"200%\", allowe");
}

TEST_F(MakePolicyTest, ARuleThatNoPacketReachesIsNotSet) {
  const auto p = MakePolicy(Write(R"({"version": 1, "rules": [
        {"name": "udp", "match": {"proto": "udp"}}, {"name": "all"}]})"),
                            {}, two_);
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_TRUE(CheckReached("udp", *p, two_).ok());
  EXPECT_EQ(Error(CheckReached("default", *p, two_)),
            "--rule default takes no packet: /rules/1 (all) takes everything");
}

TEST(WrongSecondsTest, OnlyNumbersInRangePass) {
  for (const char* good : {"0.001", "1", "2.5", "1e9"}) EXPECT_EQ(WrongSeconds(good), "") << good;
  for (const char* bad : {"0", "-1", "0.0009", "1.1e9", "nan", "inf", "1s", ""})
    EXPECT_EQ(
        WrongSeconds(bad),
        absl::StrCat("found \"", bad, "\", allowed a number of seconds from 0.001 to 1000000000"));
}

TEST(WrongCountTest, OnlyWholeNumbersFromOnePass) {
  for (const char* good : {"1", "18446744073709551615"}) EXPECT_EQ(WrongCount(good), "") << good;
  for (const char* bad : {"0", "-1", "18446744073709551616", "1.5", "1e3", "nan", ""})
    EXPECT_EQ(WrongCount(bad), absl::StrCat("found \"", bad,
                                            "\", allowed an integer from 1 to "
                                            "18446744073709551615"));
}

TEST_F(MakePolicyTest, APortThatTheProgramHasNotIsNamedWhereItIsFirstUsed) {
  std::string path = Write(R"({"version": 1, "rules": [{"match": {"port": "lan"}},
    {"match": {"port": "dmz"}, "forward": {"port": "wan"}}], "default": {"forward": {"port": "x"}}})");
  EXPECT_EQ(
      Error(MakePolicy(path, {}, {"lan", "wan"}).status()),
      absl::StrCat(path,
                   ": /rules/1/match/port: found \"dmz\", allowed one of the program's "
                   "ports: lan, wan (line 2, column 16) (and 1 more mistake: twinpath check)"));
  EXPECT_EQ(Error(MakePolicy(path, {}, {"lan", "dmz", "wan"}).status()),
            absl::StrCat(path,
                         ": /default/forward/port: found \"x\", allowed one of the program's "
                         "ports: lan, dmz, wan (line 2, column 86)"));
  EXPECT_EQ(Error(MakePolicy(path, {}, {}).status()),
            absl::StrCat(path,
                         ": /rules/0/match/port: found \"lan\", allowed no port: the program "
                         "has none (line 1, column 37) (and 3 more mistakes: twinpath check)"));
}

TEST_F(MakePolicyTest, WhatCannotBeReadIsRefused) {
  std::string missing = folder_ / "missing.json";
  EXPECT_EQ(Error(LoadPolicy(missing).status()),
            absl::StrCat(missing, ": cannot be opened: No such file or directory"));
  EXPECT_EQ(Error(LoadPolicy(folder_).status()),
            absl::StrCat(folder_.string(), ": found a directory, allowed a file"));
  std::string path = Write("");
  EXPECT_EQ(Error(LoadPolicy(path).status()),
            absl::StrCat(path, ": found an empty file, allowed a JSON object"));
}

TEST_F(MakePolicyTest, AHugeFileIsRefusedByItsSizeUnread) {
  std::string path = Write("");
  std::filesystem::resize_file(path, 100'000'000);  // sparse: reading it would fail on its NULs
  EXPECT_EQ(Error(LoadPolicy(path).status()),
            absl::StrCat(path, ": found 100000000 bytes, allowed 33554432"));
  // A file without a size is not read beyond the limit.
  EXPECT_EQ(Error(LoadPolicy("/dev/zero").status()),
            "/dev/zero: found more than 33554432 bytes, allowed 33554432");
}

TEST_F(MakePolicyTest, FiftyThousandRulesLoadAtOnce) {
  std::string rules;
  for (int i = 0; i < 50000; i++) {
    absl::StrAppend(&rules, i ? "," : "", R"({"name": "customer )", i,
                    R"(", "match": {"proto": "tcp", "src": "10.0.)", i / 256, ".", i % 256,
                    R"(", "dst": "192.0.2.1", "src_port": )", i, R"(, "dst_port": 443},)",
                    R"("loss": {"model": "random", "rate": "0.1%"}, "forward": "drop"})");
  }
  std::string path = Write(absl::StrCat(R"({"version": 1, "rules": [)", rules, "]}"));
  // Takes about 0.3 s. With a quadratic step anywhere, the test would time out.
  absl::StatusOr<Policy> p = MakePolicy(path, {}, {"a"});
  ASSERT_TRUE(p.ok()) << p.status();
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(*p, {"a"});
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  EXPECT_EQ(compiled->entries.size(), 50000u);
  EXPECT_EQ(compiled->shapes.size(), 1u);
}

}  // namespace
}  // namespace twinpath
