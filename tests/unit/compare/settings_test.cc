// SPDX-License-Identifier: BSD-3-Clause
// Profiles of comparisons, and the policies that are derived from the given one.

#include "src/compare/plan/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "nlohmann/json.hpp"
#include "src/config/policy/policy.h"
#include "valijson/adapters/nlohmann_json_adapter.hpp"
#include "valijson/schema.hpp"
#include "valijson/schema_parser.hpp"
#include "valijson/validator.hpp"

namespace twinpath {
namespace {

namespace fs = std::filesystem;
const fs::path kConf = fs::path(TWINPATH_SOURCE_ROOT) / "dpdk-conf";

bool SchemaAccepts(const nlohmann::json& document) {
  std::ifstream stream(kConf / "schema" / "compare.schema.json");
  const nlohmann::json json = nlohmann::json::parse(stream);
  valijson::Schema schema;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(valijson::adapters::NlohmannJsonAdapter(json), schema);
  valijson::Validator validator;
  valijson::adapters::NlohmannJsonAdapter target(document);
  return validator.validate(schema, target, nullptr);
}

std::string Refusal(const std::string& text) {
  const auto settings = ParseCompareProfile(text, "c.json");
  return settings.ok() ? "" : std::string(settings.status().message());
}

TEST(CompareProfileTest, AnEmptyProfileIsTheDefaults) {
  const auto settings = ParseCompareProfile(R"({"version": 1})", "c.json");
  ASSERT_TRUE(settings.ok()) << settings.status();
  CompareSettings defaults;
  defaults.profile = "c.json";
  EXPECT_EQ(settings->Json(), defaults.Json());
}

TEST(CompareProfileTest, EveryKeyIsRead) {
  const auto settings = ParseCompareProfile(
      R"({"version": 1, "about": "x", "engines": ["dpdk"], "sizes": [64, 1500],
          "loss": ["policy", "1%"], "loads": ["10%", 0.5], "rates": [1000], "repetitions": 3, "load_repetitions": 2,
          "trial": "2s", "load_trial": "500ms", "tolerate": "0.1%", "resolution": "2%",
          "flows": 100, "rules": 10, "queues": 2, "budget": "5m"})",
      "c.json");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->engines, std::vector<std::string>{"dpdk"});
  EXPECT_EQ(settings->sizes, (std::vector<uint32_t>{64, 1500}));
  EXPECT_EQ(settings->losses, (std::vector<std::string>{"", "1%"}));
  EXPECT_EQ(settings->loads, (std::vector<double>{0.1, 0.5}));
  EXPECT_EQ(settings->rates, std::vector<double>{1000});
  EXPECT_EQ(settings->repetitions, 3u);
  EXPECT_EQ(settings->load_repetitions, 2u);
  EXPECT_EQ(settings->trial, 2);
  EXPECT_EQ(settings->load_trial, 0.5);
  EXPECT_EQ(settings->tolerate, 0.001);
  EXPECT_EQ(settings->resolution, 0.02);
  EXPECT_EQ(settings->flows, 100u);
  EXPECT_EQ(settings->rules, 10u);
  EXPECT_EQ(settings->queues, 2u);
  EXPECT_EQ(settings->budget, 300);
}

TEST(CompareProfileTest, SchemaAndReaderRefuseTheSame) {
  for (const char* text :
       {R"({})", R"({"version": 2})", R"({"version": 1, "size": [64]})",
        R"({"version": 1, "sizes": []})", R"({"version": 1, "sizes": [59]})",
        R"({"version": 1, "sizes": 64})", R"({"version": 1, "loss": []})",
        R"({"version": 1, "repetitions": 0})", R"({"version": 1, "load_repetitions": -1})",
        R"({"version": 1, "trial": 1})", R"({"version": 1, "queues": 65})",
        R"({"version": 1, "rates": [0]})", R"({"version": 1, "loss": [true]})"}) {
    EXPECT_NE(Refusal(text), "") << text;
    EXPECT_FALSE(SchemaAccepts(nlohmann::json::parse(text))) << text;
  }
  EXPECT_EQ(Refusal(R"({"version": 1, "sizes": [59]})"),
            "c.json: /sizes/0: found 59, allowed an integer from 60 to 3000");
}

TEST(CompareProfileTest, ShippedProfilesAreGood) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kConf / "profiles" / "compare")) {
    if (entry.path().extension() != ".json") continue;
    count++;
    const auto settings = LoadCompareProfile(entry.path());
    EXPECT_TRUE(settings.ok()) << settings.status();
    std::ifstream stream(entry.path());
    const nlohmann::json json = nlohmann::json::parse(stream);
    EXPECT_TRUE(SchemaAccepts(json)) << entry.path();
    EXPECT_TRUE(json.contains("about"));
  }
  EXPECT_EQ(count, 5u);
}

constexpr char kPolicy[] = R"({"version": 1, "rules": [
  {"name": "out", "match": {"port": "lan"}, "loss": {"model": "periodic", "every": 3},
   "forward": {"port": "wan"}}], "default": {"forward": "drop"}})";

TEST(DerivePolicyTest, WithoutChangesItIsTheSameText) {
  EXPECT_EQ(*DerivePolicy(kPolicy, "", 0), kPolicy);
}

TEST(DerivePolicyTest, LossAndRulesMakeAValidPolicy) {
  const auto text = DerivePolicy(kPolicy, "2%", 300);
  ASSERT_TRUE(text.ok()) << text.status();
  const auto policy = ParsePolicy(*text, "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ(policy->rules.size(), 301u);
  EXPECT_EQ(policy->rules[0].name, "compare-1");
  EXPECT_EQ(policy->rules[300].name, "out");
  ASSERT_EQ(policy->rules[300].loss.model, LossSpec::Model::kRandom);
  EXPECT_EQ(policy->rules[300].loss.parameters[0].value, 0.02);
  EXPECT_EQ(policy->fallback.loss.parameters[0].value, 0.02);
  EXPECT_EQ(policy->rules[0].loss.model, LossSpec::Model::kNone);
}

TEST(DerivePolicyTest, APolicyWithoutRulesGetsThem) {
  const auto text = DerivePolicy(R"({"version": 1})", "1%", 1);
  ASSERT_TRUE(text.ok());
  const auto policy = ParsePolicy(*text, "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->rules.size(), 1u);
}

}  // namespace
}  // namespace twinpath
