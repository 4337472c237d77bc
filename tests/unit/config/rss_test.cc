// SPDX-License-Identifier: BSD-3-Clause
// "rss" of a profile: the meaning of each key, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/profile/profile.h"

namespace twinpath {
namespace {

absl::StatusOr<Profile> Parse(const std::string& rss) {
  return ParseProfile(absl::StrCat(R"({"version": 1, "rss": )", rss, "}"), "p");
}

std::string ErrorOf(const std::string& rss) {
  const absl::Status status = Parse(rss).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << rss;
  return std::string(status.message());
}

constexpr char kKey[] =
    "allowed \"driver\", \"symmetric\", or 40 or 52 bytes as hexadecimal digits";
constexpr char kFields[] = "allowed an array of \"ip\", \"tcp\", \"udp\" and \"sctp\", each once";

TEST(RssTest, WithoutItTheDeviceSpreadsByItsDriversKey) {
  for (const char* text : {R"({"version": 1})", R"({"version": 1, "rss": {}})",
                           R"({"version": 1, "rss": {"key": "driver", "spread": "device"}})"}) {
    absl::StatusOr<Profile> p = ParseProfile(text, "p");
    ASSERT_TRUE(p.ok()) << p.status();
    EXPECT_EQ(RssFieldWords(p->rss.fields), "ip+tcp+udp");
    EXPECT_FALSE(p->rss.symmetric);
    EXPECT_TRUE(p->rss.key.empty());
    EXPECT_EQ(p->rss.spread, RssSpread::kDevice);
  }
}

TEST(RssTest, EveryKeyIsRead) {
  absl::StatusOr<Profile> p =
      Parse(R"({"fields": ["sctp", "ip"], "key": "symmetric", "spread": "auto"})");
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(RssFieldWords(p->rss.fields), "ip+sctp");
  EXPECT_TRUE(p->rss.symmetric);
  EXPECT_EQ(p->rss.spread, RssSpread::kAuto);
  p = Parse(R"({"spread": "software"})");
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->rss.spread, RssSpread::kSoftware);
}

TEST(RssTest, AKeyIsOfFortyOrFiftyTwoBytes) {
  for (size_t bytes : {40, 52}) {
    std::string digits;
    for (size_t i = 0; i < bytes; i++) digits += i % 2 ? "a5" : "0F";
    absl::StatusOr<Profile> p = Parse(absl::StrCat(R"({"key": ")", digits, "\"}"));
    ASSERT_TRUE(p.ok()) << p.status();
    ASSERT_EQ(p->rss.key.size(), bytes);
    EXPECT_EQ(p->rss.key[0], 0x0f);
    EXPECT_EQ(p->rss.key[1], 0xa5);
  }
  EXPECT_EQ(ErrorOf(R"({"key": "6d5a"})"), absl::StrCat("p: /rss/key: found \"6d5a\", ", kKey));
  const std::string letter = std::string(79, '0') + "g";
  EXPECT_EQ(ErrorOf(absl::StrCat(R"({"key": ")", letter, "\"}")).substr(0, 19),
            "p: /rss/key: found ");
  EXPECT_EQ(ErrorOf(R"({"key": 6})"), absl::StrCat("p: /rss/key: found 6, ", kKey));
}

TEST(RssTest, MistakesAreNamed) {
  EXPECT_EQ(ErrorOf("1"), "p: /rss: found 1, allowed an object with the keys fields, key, spread");
  EXPECT_EQ(ErrorOf(R"({"hash": []})"),
            "p: /rss/hash: found an unknown key, allowed fields, key, spread");
  EXPECT_EQ(ErrorOf(R"({"fields": []})"),
            absl::StrCat("p: /rss/fields: found an array of 0, ", kFields));
  EXPECT_EQ(ErrorOf(R"({"fields": "ip"})"),
            absl::StrCat("p: /rss/fields: found \"ip\", ", kFields));
  EXPECT_EQ(ErrorOf(R"({"fields": ["ip", "icmp"]})"),
            "p: /rss/fields/1: found \"icmp\", allowed \"ip\", \"tcp\", \"udp\" or \"sctp\"");
  EXPECT_EQ(ErrorOf(R"({"fields": ["udp", "udp"]})"),
            "p: /rss/fields/1: found \"udp\" twice, allowed each once");
  EXPECT_EQ(ErrorOf(R"({"spread": "hardware"})"),
            "p: /rss/spread: found \"hardware\", allowed \"device\", \"auto\" or \"software\"");
}

TEST(RssTest, TheSymmetricKeyIsTwoBytesOverAndOver) {
  const std::vector<uint8_t> key = SymmetricRssKey(52);
  ASSERT_EQ(key.size(), 52u);
  for (size_t i = 0; i < key.size(); i++) EXPECT_EQ(key[i], i % 2 ? 0x5a : 0x6d);
}

}  // namespace
}  // namespace twinpath
