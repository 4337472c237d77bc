// SPDX-License-Identifier: BSD-3-Clause
// Compares the JSON schemas with the readers. Both accept every shipped policy and profile, and
// both reject a list of bad documents, except for mistakes that a schema cannot express.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/policy/actions.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "valijson/adapters/nlohmann_json_adapter.hpp"
#include "valijson/schema.hpp"
#include "valijson/schema_parser.hpp"
#include "valijson/validation_results.hpp"
#include "valijson/validator.hpp"

namespace twinpath {
namespace {

const std::filesystem::path kConf = std::filesystem::path(TWINPATH_SOURCE_ROOT) / "dpdk-conf";

nlohmann::json ReadJson(const std::filesystem::path& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream.good()) << path;
  return nlohmann::json::parse(stream);
}

class Schema {
 public:
  explicit Schema(const std::string& name) : json_(ReadJson(kConf / "schema" / name)) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(json_), schema_);
  }

  // Empty if the document is valid.
  std::string Refusal(const nlohmann::json& document) const {
    valijson::Validator validator;
    valijson::ValidationResults results;
    valijson::adapters::NlohmannJsonAdapter target(document);
    if (validator.validate(schema_, target, &results)) return "";
    valijson::ValidationResults::Error error;
    std::string text = "refused";
    while (results.popError(error)) absl::StrAppend(&text, "\n", error.description);
    return text;
  }

 private:
  nlohmann::json json_;
  valijson::Schema schema_;
};

// The JSON files among these entries.
template <typename Entries>
std::vector<std::filesystem::path> Files(const Entries& entries) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : entries) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  return files;
}

TEST(SchemaTest, EveryShippedPolicyIsGoodToTheSchemaAndCompiles) {
  Schema schema("policy.schema.json");
  std::vector<std::filesystem::path> files =
      Files(std::filesystem::recursive_directory_iterator(kConf / "policies"));
  EXPECT_GE(files.size(), 20u);
  for (const std::filesystem::path& file : files) {
    EXPECT_EQ(schema.Refusal(ReadJson(file)), "") << file;
    EXPECT_TRUE(ReadJson(file).contains("about")) << file;
    absl::StatusOr<Policy> policy = LoadPolicy(file);
    ASSERT_TRUE(policy.ok()) << policy.status();
    std::vector<std::string> ports = policy->ports;
    if (ports.empty()) ports.push_back("any");
    EXPECT_TRUE(CompilePolicy(*policy, ports).ok())
        << file << CompilePolicy(*policy, ports).status();
  }
}

TEST(SchemaTest, EveryShippedProfileIsGoodToTheSchemaAndTheReader) {
  Schema schema("profile.schema.json");
  std::vector<std::filesystem::path> files =
      Files(std::filesystem::directory_iterator(kConf / "profiles"));
  EXPECT_GE(files.size(), 7u);
  for (const std::filesystem::path& file : files) {
    EXPECT_EQ(schema.Refusal(ReadJson(file)), "") << file;
    absl::StatusOr<Profile> profile = LoadProfile(file);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_FALSE(profile->about.empty()) << file;
  }
}

std::string RuleDocument(const std::string& rule) {
  return absl::StrCat(R"({"version": 1, "rules": [)", rule, "]}");
}
std::string MatchDocument(const std::string& match) {
  return RuleDocument(absl::StrCat(R"({"match": {)", match, "}}"));
}
std::string LossDocument(const std::string& loss) {
  return RuleDocument(absl::StrCat(R"({"loss": {)", loss, "}}"));
}
std::string RateDocument(const std::string& rate) {
  return RuleDocument(absl::StrCat(R"({"loss": {"model": "random", "rate": )", rate, "}}"));
}

TEST(SchemaTest, GoodPoliciesAreGoodToBoth) {
  Schema schema("policy.schema.json");
  std::vector<std::string> documents = {
      R"({"version": 1})",
      R"({"version": 1, "seed": 9223372036854775807, "default": {"forward": {"port": "a"}}})",
      RuleDocument(R"({"name": "a b", "about": "", "match": {}, "forward": "reflect"})"),
      MatchDocument(R"("vlan": "none", "src_mac": "02:aa:BB:00:00:01", "ether_type": "0x800")"),
      MatchDocument(R"("proto": 6, "src_port": "0-65535", "dst_port": "80")"),
      MatchDocument(R"("dst_port": 65535, "ip_version": 6, "ether_type": "ipv6")"),
      MatchDocument(R"("vlan": [], "src_mac": "02:00:00:00:00:00/8", "fragment": false)"),
      MatchDocument(R"("vlan": [1], "dst_mac": "01:00:00:00:00:00/01:00:00:00:00:00")"),
      MatchDocument(R"("vlan": [0, "any"], "tcp_flags": "syn,!ack", "dscp": "af41", "ecn": "ce")"),
      MatchDocument(R"("proto": "tcp", "tcp_flags": "!cwr", "dscp": 63, "ecn": 0)"),
      MatchDocument(R"("fragment": "later", "length": "64-127")"),
      MatchDocument(R"("malformed": true, "src": "10.0.0.0/8")"),
      R"({"version": 1, "malformed": "match"})",
      R"({"version": 1, "malformed": "drop", "rules": [{"match": {"malformed": false}}]})",
      MatchDocument(R"("fragment": true, "length": 65535, "dst_mac": "00:00:00:00:00:00/0")"),
      RuleDocument(R"({"active": {"from": "0s"}, "packets": 1, "flows": "5%"})"),
      RuleDocument(R"({"active": {"from": "10us", "for": "2m", "every": "1h"}, "flows": 1})"),
      LossDocument(R"("model": "random", "rate": 0.1, "scope": "packet", "ecn_mark": false)"),
      LossDocument(R"("model": "correlated", "rate": 0.1, "correlation": "25%", "scope": "flow")"),
      LossDocument(R"("model": "gilbert_elliott", "p": "1%")"),
      LossDocument(R"("model": "gilbert_elliott", "p": "1%", "r": 0.5, "loss_bad": 1,
                      "loss_good": 0, "scope": "flow", "flow": "bidirectional")"),
      LossDocument(R"("model": "four_state", "p13": 0.1)"),
      LossDocument(R"("model": "four_state", "p13": 0.1, "p31": 0.2, "p32": 0.3, "p23": 0.4,
                      "p14": 0.5, "ecn_mark": true)"),
      LossDocument(R"("model": "periodic", "every": 1000, "offset": 0, "burst": 1)"),
      LossDocument(R"("model": "sequence", "packets": [0, "3", "10-19"], "repeat": 20)"),
  };
  for (const char* rate :
       {"0", "1", "0.5", "1e-4", "1.0", "\"0%\"", "\"100%\"", "\"100.00%\"", "\"1.5%\"", "\".5%\"",
        "\"5.%\"", "\"007%\"", "\"0.01\"", "\"1\"", "\"1e-4\"", "\"1e2%\"", "\".5\"", "\"01.0\""}) {
    documents.push_back(RateDocument(rate));
  }
  for (const char* network :
       {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1", "255.255.255.255/32", "::", "::/0", "::1",
        "2001:db8::/32", "fe80::1/128", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "2001:DB8::"}) {
    documents.push_back(MatchDocument(absl::StrCat("\"dst\": \"", network, "\"")));
  }
  for (const std::string& document : documents) {
    EXPECT_EQ(schema.Refusal(nlohmann::json::parse(document)), "") << document;
    EXPECT_TRUE(ParsePolicy(document, "p").ok()) << ParsePolicy(document, "p").status();
  }
}

// The list of actions is the schema's, too.
TEST(SchemaTest, TheSchemaAllowsTheActionsOfTheListAndNoOthers) {
  const nlohmann::json schema = ReadJson(kConf / "schema/policy.schema.json");
  const auto allowed = schema.at(nlohmann::json::json_pointer("/definitions/forward/anyOf/0/enum"))
                           .get<std::vector<std::string>>();
  EXPECT_EQ(ActionWords(), allowed);
}

TEST(SchemaTest, BadPoliciesAreBadToBoth) {
  Schema schema("policy.schema.json");
  std::vector<std::string> documents = {
      "[]",
      "{}",
      R"({"version": 2})",
      R"({"version": "1"})",
      R"({"version": 1, "seed": -1})",
      R"({"version": 1, "seed": 1.5})",
      R"({"version": 1, "seed": "7"})",
      R"({"version": 1, "sed": 7})",
      R"({"version": 1, "about": 7})",
      R"({"version": 1, "rules": {}})",
      R"({"version": 1, "rules": [7]})",
      R"({"version": 1, "default": {"match": {}}})",
      R"({"version": 1, "default": "drop"})",
      RuleDocument(R"({"name": "default"})"),
      RuleDocument(R"({"name": ""})"),
      RuleDocument(absl::StrCat("{\"name\": \"", std::string(65, 'a'), "\"}")),
      RuleDocument(R"({"name": "a\nb"})"),
      RuleDocument(R"({"match": 7})"),
      RuleDocument(R"({"loss": "1%"})"),
      RuleDocument(R"({"loss": {"rate": 0.1}})"),
      RuleDocument(R"({"loss": {"model": "random"}})"),
      RuleDocument(R"({"loss": {"model": "periodic", "rate": 0.1}})"),
      RuleDocument(R"({"loss": {"model": "random", "rate": 0.1, "scope": "Flow"}})"),
      LossDocument(R"("model": "random", "rate": 0.1, "flow": "bidirectional")"),
      LossDocument(R"("model": "random", "rate": 0.1, "scope": "packet", "flow": "bidirectional")"),
      LossDocument(R"("model": "random", "rate": 0.1, "scope": "flow", "flow": "both")"),
      LossDocument(R"("model": "random", "rate": 0.1, "ecn_mark": 1)"),
      LossDocument(R"("model": "correlated", "rate": 0.1)"),
      LossDocument(R"("model": "gilbert_elliott", "r": 0.1)"),
      LossDocument(R"("model": "gilbert_elliott", "p": 0.1, "rate": 0.1)"),
      LossDocument(R"("model": "gilbert_elliott", "p": 0.1, "scope": "packet")"),
      LossDocument(R"("model": "four_state", "p13": 0.1, "p24": 0.1)"),
      LossDocument(R"("model": "four_state", "p31": 0.1)"),
      LossDocument(R"("model": "periodic", "every": 0)"),
      LossDocument(R"("model": "periodic", "every": 10, "burst": 0)"),
      LossDocument(R"("model": "periodic", "every": 10, "offset": -1)"),
      LossDocument(R"("model": "periodic", "every": 10, "offset": 4294967296)"),
      LossDocument(R"("model": "sequence", "packets": [])"),
      LossDocument(R"("model": "sequence", "packets": 3)"),
      LossDocument(R"("model": "sequence", "packets": ["03"])"),
      LossDocument(R"("model": "sequence", "packets": [-1])"),
      LossDocument(R"("model": "sequence", "packets": [1], "repeat": 0)"),
      RuleDocument(R"({"packets": 0})"),
      RuleDocument(R"({"packets": "5"})"),
      RuleDocument(R"({"flows": "101%"})"),
      RuleDocument(R"({"active": "10s"})"),
      RuleDocument(R"({"active": {}})"),
      RuleDocument(R"({"active": {"for": "0s"}})"),
      RuleDocument(R"({"active": {"for": 10}})"),
      RuleDocument(R"({"active": {"for": "10"}})"),
      RuleDocument(R"({"active": {"for": "1.5s"}})"),
      RuleDocument(R"({"active": {"from": "1s", "every": "2s"}})"),
      RuleDocument(R"({"active": {"from": "1s", "until": "2s"}})"),
      R"({"version": 1, "default": {"flows": "5%"}})",
      RuleDocument(R"({"loss": {"model": "random", "rate": 0.1, "p": 1}})"),
      RuleDocument(R"({"forward": "bridge"})"),
      RuleDocument(R"({"forward": {}})"),
      RuleDocument(R"({"forward": {"port": "-a"}})"),
      RuleDocument(R"({"forward": {"port": "a", "x": 1}})"),
  };
  for (const char* rate :
       {"-0.1", "1.1", "2", "null", "\"101%\"", "\"1%%\"", "\"\"", "\"abc\"", "\"-1%\"", "\"nan\"",
        "\"1.1\"", "\"%\"", "\"100.1%\"", "\"2\"", "\".\""}) {
    documents.push_back(RateDocument(rate));
  }
  for (const char* match : {R"("port": "")",
                            R"("port": "a b")",
                            R"("port": 1)",
                            R"("ether_type": 65536)",
                            R"("ether_type": "0x10000")",
                            R"("ether_type": "vlan")",
                            R"("vlan": 4095)",
                            R"("vlan": "any")",
                            R"("src_mac": "02:00:00:00:00")",
                            R"("dst_mac": 1)",
                            R"("ip_version": 5)",
                            R"("src": "10.0.0.256")",
                            R"("src": "10.0.0")",
                            R"("dst": "10.0.0.0/33")",
                            R"("dst": "::/129")",
                            R"("dst": "host")",
                            R"("dst": 1)",
                            R"("dst": "10.0.0.0/08")",
                            R"("proto": 256)",
                            R"("proto": "TCP")",
                            R"("src_port": 65536)",
                            R"("dst_port": "1-65536")",
                            R"("dst_port": "-1")",
                            R"("dst_port": "http")",
                            R"("dst_port": "0080")",
                            R"("proto": "sctp", "dst_port": 80)",
                            R"("proto": 1, "src_port": 80)",
                            R"("vlan": [1, 2, 3])",
                            R"("vlan": [4095])",
                            R"("vlan": ["none"])",
                            R"("src_mac": "02:00:00:00:00:00/49")",
                            R"("src_mac": "02:00:00:00:00:00/")",
                            R"("dscp": 64)",
                            R"("dscp": "cs8")",
                            R"("ecn": 4)",
                            R"("ecn": "CE")",
                            R"("tcp_flags": "SYN")",
                            R"("tcp_flags": "syn,")",
                            R"("tcp_flags": 2)",
                            R"("tcp_flags": "syn", "proto": "udp")",
                            R"("tcp_flags": "syn", "fragment": "later")",
                            R"("dst_port": 80, "fragment": "later")",
                            R"("fragment": 1)",
                            R"("fragment": "any")",
                            R"("length": 65536)",
                            R"("length": "60-")"}) {
    documents.push_back(MatchDocument(match));
  }
  for (const std::string& document : documents) {
    EXPECT_NE(schema.Refusal(nlohmann::json::parse(document)), "") << document;
    EXPECT_FALSE(ParsePolicy(document, "p").ok()) << document;
  }
}

TEST(SchemaTest, WhatASchemaCannotSayTheReaderRefuses) {
  Schema schema("policy.schema.json");
  for (const std::string& document :
       {MatchDocument(R"("dst": "10.0.0.1/8")"), MatchDocument(R"("dst_port": "2-1")"),
        MatchDocument(R"("src": "10.0.0.1", "dst": "::1")"),
        MatchDocument(R"("src": "10.0.0.1", "ip_version": 6)"),
        MatchDocument(R"("ether_type": "arp", "proto": 6)"), MatchDocument(R"("dst": "1::2::3")"),
        MatchDocument(R"("src_mac": "02:00:00:00:00:01/8")"),
        MatchDocument(R"("tcp_flags": "syn,!syn")"), MatchDocument(R"("length": "2-1")"),
        MatchDocument(R"("ether_type": "arp", "dscp": 1)"),
        LossDocument(R"("model": "correlated", "rate": 0.5, "correlation": 1)"),
        LossDocument(R"("model": "four_state", "p13": 0.6, "p14": 0.6)"),
        LossDocument(R"("model": "periodic", "every": 10, "burst": 11)"),
        LossDocument(R"("model": "sequence", "packets": [10], "repeat": 10)"),
        LossDocument(R"("model": "sequence", "packets": ["0-999999999999999"])"),
        RuleDocument(R"({"active": {"for": "2s", "every": "2s"}})"),
        RuleDocument(R"({"active": {"for": "99999h"}})"), RateDocument("\"2e0\""),
        RuleDocument(R"({"name": "a"}, {"name": "a"})")}) {
    EXPECT_EQ(schema.Refusal(nlohmann::json::parse(document)), "") << document;
    EXPECT_FALSE(ParsePolicy(document, "p").ok()) << document;
  }
}

TEST(SchemaTest, BadProfilesAreBadToBoth) {
  Schema schema("profile.schema.json");
  for (const char* members : {R"("queue": 1)",
                              R"("about": 1)",
                              R"("eal": "-m 256")",
                              R"("eal": [256])",
                              R"("eal": [""])",
                              R"("ports": {})",
                              R"("ports": [{"name": "a"}])",
                              R"("ports": [{"device": "x"}])",
                              R"("ports": [{"name": "a b", "device": "x"}])",
                              R"("ports": [{"name": "a", "device": ""}])",
                              R"("ports": [{"name": "a", "device": "x y"}])",
                              R"("ports": [{"name": "a", "device": "x", "mtu": 1}])",
                              R"("queues": 0)",
                              R"("queues": 65)",
                              R"("queues": "1")",
                              R"("lcores": 1)",
                              R"("lcores": [1, 1])",
                              R"("lcores": [1024])",
                              R"("lcores": "a")",
                              R"("lcores": "")",
                              R"("lcores": "1,")",
                              R"("rx_descriptors": 31)",
                              R"("tx_descriptors": 32769)",
                              R"("mbufs": -1)",
                              R"("mempool_cache": 513)",
                              R"("burst": 65)",
                              R"("mtu": 67)",
                              R"("promiscuous": 1)",
                              R"("rss": 1)",
                              R"("rss": {"hash": []})",
                              R"("rss": {"fields": []})",
                              R"("rss": {"fields": ["icmp"]})",
                              R"("rss": {"fields": ["ip", "ip"]})",
                              R"("rss": {"key": "6d5a"})",
                              R"("rss": {"spread": "hardware"})",
                              R"("exception": "kni")",
                              R"("telemetry": "yes")",
                              R"("idle": "lazy")"}) {
    std::string document = absl::StrCat(R"({"version": 1, )", members, "}");
    EXPECT_NE(schema.Refusal(nlohmann::json::parse(document)), "") << document;
    EXPECT_FALSE(ParseProfile(document, "p").ok()) << document;
  }
  EXPECT_NE(schema.Refusal(nlohmann::json::parse("{}")), "");
  EXPECT_EQ(schema.Refusal(nlohmann::json::parse(R"({"version": 1, "lcores": "0-3,6"})")), "");
}

}  // namespace
}  // namespace twinpath
