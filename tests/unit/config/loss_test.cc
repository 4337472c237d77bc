// SPDX-License-Identifier: BSD-3-Clause
// The loss of a rule: the meaning of each model's keys, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

using Model = LossSpec::Model;
using Scope = LossSpec::Scope;

absl::StatusOr<Policy> ParseDefault(const std::string& loss) {
  return ParsePolicy(absl::StrCat(R"({"version": 1, "default": {"loss": {)", loss, "}}}"), "p");
}

LossSpec Loss(const std::string& loss) {
  absl::StatusOr<Policy> policy = ParseDefault(loss);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? policy->fallback.loss : LossSpec();
}

// Returns the error without the prefix that all errors share.
std::string LossError(const std::string& loss) {
  absl::Status status = ParseDefault(loss).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << loss;
  const std::string error(status.message()), start = "p: /default/loss";
  EXPECT_EQ(error.substr(0, start.size()), start);
  return error.size() < start.size() ? error : error.substr(start.size());
}

std::vector<double> Values(const LossSpec& loss) {
  std::vector<double> values;
  for (const Probability& p : loss.parameters) values.push_back(p.value);
  return values;
}

constexpr char kRate[] = "allowed a fraction from 0 to 1 or a percentage from \"0%\" to \"100%\"";

TEST(LossTest, EachModelHasItsParametersInOrder) {
  LossSpec random = Loss(R"("model": "random", "rate": "1%")");
  EXPECT_EQ(random.model, Model::kRandom);
  EXPECT_EQ(Values(random), std::vector<double>{0.01});
  LossSpec correlated = Loss(R"("model": "correlated", "correlation": 0.25, "rate": 0.5)");
  EXPECT_EQ(correlated.model, Model::kCorrelated);
  EXPECT_EQ(Values(correlated), (std::vector<double>{0.5, 0.25}));
  LossSpec ge =
      Loss(R"("model": "gilbert_elliott", "loss_good": 0.125, "loss_bad": 0.5, "r": 1, "p": 0.25)");
  EXPECT_EQ(ge.model, Model::kGilbertElliott);
  EXPECT_EQ(Values(ge), (std::vector<double>{0.25, 1, 0.5, 0.125}));
  LossSpec four = Loss(
      R"("model": "four_state", "p14": 0.5, "p23": 0.75, "p32": 0.125, "p31": 0.25, "p13": 0.5)");
  EXPECT_EQ(four.model, Model::kFourState);
  EXPECT_EQ(Values(four), (std::vector<double>{0.5, 0.25, 0.125, 0.75, 0.5}));
}

TEST(LossTest, WhatIsLeftOutIsAsNetemHasIt) {
  LossSpec ge = Loss(R"("model": "gilbert_elliott", "p": "12.5%")");
  EXPECT_EQ(Values(ge), (std::vector<double>{0.125, 0.875, 1, 0}));
  EXPECT_EQ(ge.parameters[1].threshold, 7ull << 61);
  EXPECT_TRUE(ge.parameters[2].always);
  EXPECT_TRUE(ge.parameters[3].never);
  LossSpec four = Loss(R"("model": "four_state", "p13": 0.25)");
  EXPECT_EQ(Values(four), (std::vector<double>{0.25, 0.75, 0, 1, 0}));
  EXPECT_TRUE(Loss(R"("model": "gilbert_elliott", "p": 0)").parameters[1].always);
  EXPECT_TRUE(Loss(R"("model": "gilbert_elliott", "p": 1)").parameters[1].never);
}

TEST(LossTest, TheComplementIsExact) {
  const Probability tiny = *ParseProbability("1e-30");
  EXPECT_EQ(Complement(tiny).threshold, UINT64_MAX);
  EXPECT_EQ(Complement(Complement(tiny)), tiny);
  EXPECT_EQ(Complement(*ParseProbability("50%")), *ParseProbability("0.5"));
  EXPECT_TRUE(Complement(*ParseProbability("0")).always);
  EXPECT_TRUE(Complement(*ParseProbability("1")).never);
}

TEST(LossTest, WaysOutOfAStateAreAtMostOneTogether) {
  EXPECT_EQ(LossError(R"("model": "four_state", "p13": "60%", "p14": "41%")"),
            "/p14: found p13 + p14 = 60% + 41%, which is above 1, allowed probabilities of "
            "leaving a state that sum to at most 1");
  EXPECT_EQ(LossError(R"("model": "four_state", "p13": "1%", "p32": "5%")"),
            "/p32: found p31 + p32 = 99% + 5%, which is above 1, allowed probabilities of "
            "leaving a state that sum to at most 1");
  EXPECT_EQ(LossError(R"("model": "four_state", "p13": 1, "p14": 1e-30)").substr(0, 10),
            "/p14: foun");
  EXPECT_EQ(Values(Loss(R"("model": "four_state", "p13": 0.6, "p14": 0.4)")).size(), 5u);
  EXPECT_EQ(Values(Loss(R"("model": "four_state", "p13": 1, "p14": 0)")).size(), 5u);
  // Each is rounded up by up to 2^-64, so their sum exceeds 1.
  const LossSpec rounded = Loss(
      absl::StrCat(R"("model": "four_state", "p13": "0.)", std::string(25, '3'), R"(", "p31": "0.)",
                   std::string(24, '6'), R"(7", "p32": "0.)", std::string(25, '3'), "\""));
  EXPECT_EQ(rounded.parameters[1].threshold + rounded.parameters[2].threshold, 0u);
  const LossSpec over = Loss(R"("model": "four_state", "p13": 0.2, "p31": 0.1, "p32": 0.9)");
  EXPECT_LE(over.parameters[1].threshold + over.parameters[2].threshold, 1u);
}

TEST(LossTest, AFirstPacketThatDecidesAllIsRefused) {
  EXPECT_EQ(LossError(R"("model": "correlated", "rate": 0.5, "correlation": "100%")"),
            "/correlation: found 1, with which the first packet of a stream decides for all "
            "others, allowed "
            "less than 1, or a rate of 0 or 1");
  EXPECT_TRUE(Loss(R"("model": "correlated", "rate": 1, "correlation": 1)").parameters[1].always);
  EXPECT_TRUE(Loss(R"("model": "correlated", "rate": 0, "correlation": 1)").parameters[0].never);
}

TEST(LossTest, APeriodIsNumbers) {
  LossSpec loss = Loss(R"("model": "periodic", "every": 1000)");
  EXPECT_EQ(loss.model, Model::kPeriodic);
  EXPECT_EQ(std::vector({loss.every, loss.offset, loss.burst}),
            (std::vector<uint64_t>{1000, 0, 1}));
  loss = Loss(
      R"("model": "periodic", "every": 4294967296, "offset": 4294967295, "burst": 4294967296)");
  EXPECT_EQ(std::vector({loss.every, loss.offset, loss.burst}),
            (std::vector<uint64_t>{1ull << 32, (1ull << 32) - 1, 1ull << 32}));
  EXPECT_EQ(LossError(R"("model": "periodic")"),
            "/every: found nothing, allowed an integer from 1 to 4294967296");
  EXPECT_EQ(LossError(R"("model": "periodic", "every": 0)"),
            "/every: found 0, allowed an integer from 1 to 4294967296");
  EXPECT_EQ(LossError(R"("model": "periodic", "every": 10, "offset": 4294967296)"),
            "/offset: found 4294967296, allowed an integer from 0 to 4294967295");
  EXPECT_EQ(LossError(R"("model": "periodic", "every": 10, "burst": 11)"),
            "/burst: found 11, allowed an integer from 1 to 10");
  EXPECT_EQ(LossError(R"("model": "periodic", "every": 10, "burst": 0)"),
            "/burst: found 0, allowed an integer from 1 to 10");
  EXPECT_EQ(LossError(R"("model": "periodic", "every": "10")"),
            "/every: found \"10\", allowed an integer from 1 to 4294967296");
}

TEST(LossTest, ASequenceIsSortedAndJoined) {
  LossSpec loss = Loss(
      R"("model": "sequence", "packets": ["30-39", 3, "10-19", 20, "15-25", 4, 281474976710656])");
  EXPECT_EQ(loss.model, Model::kSequence);
  EXPECT_EQ(loss.packets,
            (std::vector<PacketRange>{{3, 4}, {10, 25}, {30, 39}, {1ull << 48, 1ull << 48}}));
  EXPECT_EQ(loss.repeat, 0u);
  loss = Loss(R"("model": "sequence", "packets": ["0-9", "2-3"], "repeat": 10)");
  EXPECT_EQ(loss.packets, (std::vector<PacketRange>{{0, 9}}));
  EXPECT_EQ(loss.repeat, 10u);
}

TEST(LossTest, WhatIsNoSequenceIsRefused) {
  for (const char* packets : {"[]", "3", "\"3-4\"", "{}", "null"}) {
    EXPECT_NE(LossError(absl::StrCat(R"("model": "sequence", "packets": )", packets))
                  .find(", allowed an array of packets' numbers and ranges, such as [3, "
                        "\"10-19\"]"),
              std::string::npos)
        << packets;
  }
  for (const char* item : {"-1", "1.5", "\"\"", "\"1-\"", "\"01\"", "281474976710657",
                           "\"0-281474976710657\"", "null", "[1]"}) {
    EXPECT_NE(LossError(absl::StrCat(R"("model": "sequence", "packets": [1, )", item, "]"))
                  .find("/packets/1: found "),
              std::string::npos)
        << item;
  }
  EXPECT_EQ(LossError(R"("model": "sequence", "packets": ["9-3"])"),
            "/packets/0: found \"9-3\", a range that runs backwards, allowed \"3-9\"");
  EXPECT_EQ(LossError(R"("model": "sequence", "packets": [3, "10-19"], "repeat": 19)"),
            "/repeat: found 19, allowed an integer from 20 to 562949953421312");
}

TEST(LossTest, ASequenceHasABoundedNumberOfRanges) {
  auto sequence = [](int ranges, int step) {
    std::string packets;
    for (int i = 0; i < ranges; i++) absl::StrAppend(&packets, i ? "," : "", i * step);
    return absl::StrCat(R"("model": "sequence", "packets": [)", packets, "]");
  };
  EXPECT_EQ(Loss(sequence(65'536, 2)).packets.size(), 65'536u);
  EXPECT_EQ(LossError(sequence(65'537, 2)),
            "/packets: found 65537 ranges after joining those that touch, allowed at most 65536");
  EXPECT_EQ(Loss(sequence(100'000, 1)).packets, (std::vector<PacketRange>{{0, 99'999}}));
}

TEST(LossTest, AScopeSaysWhosePacketsAreNumbered) {
  const std::string random = R"("model": "random", "rate": 0.5, "scope": )";
  EXPECT_EQ(Loss(R"("model": "random", "rate": 0.5)").scope, Scope::kQueue);
  EXPECT_EQ(Loss(random + "\"queue\"").scope, Scope::kQueue);
  EXPECT_EQ(Loss(random + "\"flow\"").scope, Scope::kFlow);
  EXPECT_FALSE(Loss(random + "\"flow\"").bidirectional);
  EXPECT_FALSE(Loss(random + "\"flow\", \"flow\": \"unidirectional\"").bidirectional);
  EXPECT_TRUE(Loss(random + "\"flow\", \"flow\": \"bidirectional\"").bidirectional);
  EXPECT_EQ(Loss(random + "\"packet\"").scope, Scope::kPacket);
  for (const char* scope : {"\"Flow\"", "\"\"", "1", "null"}) {
    EXPECT_EQ(LossError(random + scope), absl::StrCat("/scope: found ", scope,
                                                      ", allowed \"queue\", \"flow\" or "
                                                      "\"packet\""));
  }
  EXPECT_EQ(LossError(R"("model": "periodic", "every": 3, "scope": "packet")"),
            "/scope: found \"packet\" with the model periodic, which needs the state of a "
            "stream, allowed \"queue\" or \"flow\", or the model random: scope packet keeps no "
            "state");
  EXPECT_EQ(LossError(random + "\"flow\", \"flow\": \"both\""),
            "/flow: found \"both\", allowed \"unidirectional\" or \"bidirectional\"");
  EXPECT_EQ(LossError(random + "\"packet\", \"flow\": \"bidirectional\""),
            "/flow: found \"bidirectional\" with scope packet, allowed only with scope flow");
}

TEST(LossTest, MarkingIsAskedForWithTrue) {
  EXPECT_FALSE(Loss(R"("model": "random", "rate": 0.5)").ecn_mark);
  EXPECT_FALSE(Loss(R"("model": "random", "rate": 0.5, "ecn_mark": false)").ecn_mark);
  EXPECT_TRUE(Loss(R"("model": "periodic", "every": 2, "ecn_mark": true)").ecn_mark);
  EXPECT_EQ(LossError(R"("model": "random", "rate": 0.5, "ecn_mark": 1)"),
            "/ecn_mark: found 1, allowed true or false");
}

TEST(LossTest, ModelsAndTheirKeysAreTheirOwn) {
  const char kModels[] =
      "allowed \"random\", \"correlated\", \"gilbert_elliott\", \"four_state\", \"periodic\" or "
      "\"sequence\"";
  EXPECT_EQ(LossError(""), absl::StrCat("/model: found nothing, ", kModels));
  EXPECT_EQ(LossError(R"("model": "gemodel")"),
            absl::StrCat("/model: found \"gemodel\", ", kModels));
  EXPECT_EQ(LossError(R"("model": 1)"), absl::StrCat("/model: found 1, ", kModels));
  EXPECT_EQ(LossError(R"("model": "random", "rate": 0.1, "correlation": "1%")"),
            "/correlation: found an unknown key, allowed model, rate, scope, flow, ecn_mark");
  EXPECT_EQ(LossError(R"("model": "gilbert_elliott", "p": 0.1, "rate": "1%")"),
            "/rate: found an unknown key, allowed model, p, r, loss_bad, loss_good, scope, flow, "
            "ecn_mark");
  for (const auto& [model, key] :
       {std::pair("random", "rate"), std::pair("correlated", "rate"),
        std::pair("gilbert_elliott", "p"), std::pair("four_state", "p13")}) {
    EXPECT_EQ(LossError(absl::StrCat("\"model\": \"", model, "\"")),
              absl::StrCat("/", key, ": found nothing, ", kRate));
  }
  EXPECT_EQ(LossError(R"("model": "correlated", "rate": 0.1)"),
            absl::StrCat("/correlation: found nothing, ", kRate));
  for (const char* key : {"p", "r", "loss_bad", "loss_good"}) {
    const std::string p = key == std::string("p") ? "" : R"("p": 0.1, )";
    for (const char* bad : {"-0.1", "1.1", "\"101%\"", "true", "null", "[]"}) {
      EXPECT_NE(
          LossError(absl::StrCat(R"("model": "gilbert_elliott", )", p, "\"", key, "\": ", bad))
              .find(kRate),
          std::string::npos)
          << key << bad;
    }
  }
}

}  // namespace
}  // namespace twinpath
