// SPDX-License-Identifier: BSD-3-Clause
// Addresses of --listen and --to, and the turn that targets take.

#include "src/splice/address.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/splice/targets.h"

namespace twinpath::splice {
namespace {

TEST(ParseAddress, WhatItReadsItWrites) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:1", "255.255.255.255:65535", "[::]:8080",
                           "[::1]:80", "[2001:db8::1:2]:443", "[fe80::1%lo]:7"}) {
    const auto address = ParseAddress("--to", text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(address->family(), text[0] == '[' ? AF_INET6 : AF_INET);
    EXPECT_EQ(address->size,
              text[0] == '[' ? 28u : 16u);  // sizeof(sockaddr_in6), sizeof(sockaddr_in)
  }
  EXPECT_EQ(ParseAddress("--to", "[0:0::0001]:080")->text(), "[::1]:80");
  EXPECT_EQ(ParseAddress("--to", "[::ffff:10.0.0.1]:80")->text(), "10.0.0.1:80");
}

TEST(ParseAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:-1",
                           "127.0.0.1:65536",
                           "127.0.0.1:99999999999",
                           "127.0.0.1:80 ",
                           " 127.0.0.1:80",
                           "1.2.3:80",
                           "1.2.3.4.5:80",
                           "256.0.0.1:80",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::1:80",
                           "::1]:80",
                           "[]:80",
                           "[::1%]:80",
                           "[::1%none0]:80",
                           "[127.0.0.1]:80",
                           "localhost:80",
                           "[localhost]:80",
                           "127.0.0.1:0",
                           "[::1]:0",
                           "127.0.0.1:0x50",
                           "127.0.0.1:+80"}) {
    const auto address = ParseAddress("--to", text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(std::string(address.status().message()).find("--to: found "), 0u) << address.status();
    EXPECT_NE(std::string(address.status().message()).find(", allowed "), std::string::npos);
  }
  EXPECT_FALSE(ParseAddress("--to", std::string("127.0.0.1\0:80", 13)).ok());
}

TEST(ParseAddress, Port0IsForListenersOnly) {
  EXPECT_TRUE(ParseAddress("--listen", "127.0.0.1:0", true).ok());
  EXPECT_FALSE(ParseAddress("--listen", "127.0.0.1:65536", true).ok());
}

class TargetsTest : public ::testing::Test {
 protected:
  static std::vector<Address> Three() {
    std::vector<Address> addresses;
    for (const char* text : {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"})
      addresses.push_back(*ParseAddress("--to", text));
    return addresses;
  }
  using Order = std::vector<size_t>;
  Clock::time_point now_ = Clock::time_point(std::chrono::seconds(1000));
  Targets targets_{Three(), std::chrono::seconds(5)};
};

TEST_F(TargetsTest, TakeTurns) {
  EXPECT_EQ(targets_.Order(now_), (Order{0, 1, 2}));
  EXPECT_EQ(targets_.Order(now_), (Order{1, 2, 0}));
  EXPECT_EQ(targets_.Order(now_), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.Order(now_), (Order{0, 1, 2}));
}

TEST_F(TargetsTest, OneThatIsDownComesLastAndNobodysShareIsDoubled) {
  EXPECT_TRUE(targets_.Failed(1, now_));
  EXPECT_FALSE(targets_.Failed(1, now_));  // it was down already
  EXPECT_EQ(targets_.Order(now_), (Order{0, 2, 1}));
  EXPECT_EQ(targets_.Order(now_), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.Order(now_), (Order{0, 2, 1}));
  EXPECT_EQ(targets_.Snapshot(now_)[1].state, "down");
  EXPECT_EQ(targets_.Snapshot(now_)[1].failures, 2u);
}

TEST_F(TargetsTest, OneThatWasDownIsTriedAgainInItsTurn) {
  targets_.Failed(0, now_);
  EXPECT_EQ(targets_.Order(now_ + std::chrono::milliseconds(4999)).front(), 1u);
  EXPECT_EQ(targets_.Order(now_ + std::chrono::seconds(5)), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.Order(now_ + std::chrono::seconds(5)).front(), 0u);
  EXPECT_EQ(targets_.Snapshot(now_ + std::chrono::seconds(5))[0].state, "to be tried");
  targets_.Reached(0);
  EXPECT_EQ(targets_.Snapshot(now_)[0].state, "up");
  EXPECT_EQ(targets_.Snapshot(now_)[0].connections, 1u);
}

TEST_F(TargetsTest, WhereAllAreDownAllAreTried) {
  for (const size_t i : {0, 1, 2}) targets_.Failed(i, now_);
  EXPECT_EQ(targets_.Order(now_).size(), 3u);
}

}  // namespace
}  // namespace twinpath::splice
