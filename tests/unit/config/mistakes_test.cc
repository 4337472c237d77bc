// SPDX-License-Identifier: BSD-3-Clause
// All mistakes of a policy at once, their places and hints.

#include "src/config/json/mistakes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/config/policy/policy.h"

namespace twinpath {
namespace {

TEST(MistakesTest, AllMistakesOfAPolicyAreFoundAtOnce) {
  const std::string text = R"({"version": 1, "sed": 7,
  "rules": [
    {"name": "a", "match": {"prot": "udp", "dst_port": 65536, "src": "10.0.0.1/8"}},
    {"name": "a"},
    {"name": "b", "packets": 0, "flows": "200%", "active": {"for": "1", "until": "2s"},
     "loss": {"model": "gilbert_elliott", "p": 2, "r": -1, "ecn_mark": 1}, "forward": "dorp"}],
  "default": {"loss": {"model": "rondom"}, "match": {}}})";
  const absl::Status status = ParsePolicy(text, "p").status();
  std::vector<std::string> pointers;
  for (const Mistake& mistake : MistakesOf(status)) {
    pointers.push_back(mistake.pointer);
    EXPECT_EQ(mistake.message.rfind("p: " + mistake.pointer + ": found ", 0), 0u)
        << mistake.message;
  }
  EXPECT_EQ(pointers,
            (std::vector<std::string>{
                "/sed", "/rules/0/match/prot", "/rules/0/match/src", "/rules/0/match/dst_port",
                "/rules/2/active/until", "/rules/2/active/for", "/rules/2/packets",
                "/rules/2/flows", "/rules/2/loss/p", "/rules/2/loss/r", "/rules/2/loss/ecn_mark",
                "/rules/2/forward", "/default/match", "/default/loss/model"}));
  EXPECT_EQ(
      status.message(),
      "p: /sed: found an unknown key, allowed version, about, seed, malformed, rules, default");
  EXPECT_EQ(InOneLine(status, text, "twinpath check").message(),
            "p: /sed: found an unknown key, allowed version, about, seed, malformed, rules, "
            "default; did you "
            "mean \"seed\"? (line 1, column 16) (and 13 more mistakes: twinpath check)");
}

TEST(MistakesTest, TheVersionComesFirstBecauseAllElseDependsOnIt) {
  EXPECT_EQ(MistakesOf(ParsePolicy(R"({"version": 2, "more": 1})", "p").status()).size(), 1u);
}

TEST(MistakesTest, AStatusOfAnotherKindIsOneMistakeAsItIs) {
  const absl::Status other = absl::NotFoundError("gone");
  ASSERT_EQ(MistakesOf(other).size(), 1u);
  EXPECT_EQ(MistakesOf(other)[0].message, "gone");
  EXPECT_EQ(InOneLine(other, "{}"), other);
  EXPECT_TRUE(MistakesOf(absl::OkStatus()).empty());
  Mistakes mistakes;
  EXPECT_TRUE(mistakes.status().ok());
  mistakes.Add(other);
  EXPECT_EQ(mistakes.status(), other);
}

TEST(PositionTest, IsWhereAKeyOrAnItemBegins) {
  const std::string text =
      "{\n  \"a/b\": [1, {\"x\": \"]}\\\"\",\n    \"y\": {}}, [[]], 4],\n\t\"z\":5}\n";
  const auto at = [&](const char* pointer) {
    const TextPosition position = PositionOf(text, pointer);
    return std::vector<size_t>{position.line, position.column};
  };
  using At = std::vector<size_t>;
  EXPECT_EQ(at(""), (At{1, 1}));
  EXPECT_EQ(at("/a~1b"), (At{2, 3}));
  EXPECT_EQ(at("/a~1b/0"), (At{2, 11}));
  EXPECT_EQ(at("/a~1b/1/x"), (At{2, 15}));
  EXPECT_EQ(at("/a~1b/1/y"), (At{3, 5}));
  EXPECT_EQ(at("/a~1b/3"), (At{3, 21}));
  EXPECT_EQ(at("/z"), (At{4, 2}));
  // The place of a missing key is that of its object.
  EXPECT_EQ(at("/a~1b/1/none/7"), (At{2, 14}));
  EXPECT_EQ(at("/none"), (At{1, 1}));
}

TEST(DidYouMeanTest, FindsTheMostSimilarWord) {
  const std::vector<std::string_view> keys = {"port",     "proto",    "src", "dst",
                                              "src_port", "dst_port", "ecn", "ip_version"};
  EXPECT_EQ(DidYouMean("protocol", keys), "did you mean \"proto\"?");
  EXPECT_EQ(DidYouMean("sport", keys), "did you mean \"src_port\"?");
  EXPECT_EQ(DidYouMean("dport", keys), "did you mean \"dst_port\"?");
  EXPECT_EQ(DidYouMean("srcport", keys), "did you mean \"src_port\"?");
  EXPECT_EQ(DidYouMean("dst-port", keys), "did you mean \"dst_port\"?");
  EXPECT_EQ(DidYouMean("Src", keys), "did you mean \"src\"?");
  EXPECT_EQ(DidYouMean("upd", {"tcp", "udp"}), "did you mean \"udp\"?");
  for (const char* unlike : {"", "x", "wan", "until", "queue"})
    EXPECT_EQ(DidYouMean(unlike, keys), "") << unlike;
  EXPECT_EQ(DidYouMean(std::string(1000000, 'p'), keys), "");
  EXPECT_EQ(DidYouMean("wan", {"lan"}), "");
}

TEST(DidYouMeanTest, ANumberForAPortOfTheProgramMeansATransportPort) {
  const auto mistakes = MistakesOf(
      ParsePolicy(R"({"version": 1, "rules": [{"match": {"port": 80}}]})", "p").status());
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_EQ(mistakes[0].hint, "a TCP or UDP port is dst_port or src_port");
}

}  // namespace
}  // namespace twinpath
