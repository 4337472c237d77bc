// SPDX-License-Identifier: BSD-3-Clause
// Addresses of --listen and --to, and the order in which targets are tried.

#include "src/splice/connect/address.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "src/splice/connect/socket.h"
#include "src/splice/connect/targets.h"

namespace twinpath::splice {
namespace {

TEST(ParseAddress, PrintsWhatItParsed) {
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

TEST(ParseAddress, RefusesTextThatIsNotAnAddress) {
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

TEST(ParseAddress, NamesTheInterfaceThatDoesNotExist) {
  for (const char* zone : {"none0", "2", "a-name-of-more-than-15-bytes"}) {
    const std::string text = "[fe80::1%" + std::string(zone) + "]:80";
    EXPECT_EQ(ParseAddress("--to", text).status().message(),
              "--to: \"" + text + "\": interface \"" + zone +
                  "\" does not exist; the zone is an interface's name, as in %eth0");
  }
}

TEST(ParseAddress, ALinkLocalAddressNeedsItsInterface) {
  // fe80::/10
  for (const char* address : {"fe80::2", "febf:ffff::1"})
    EXPECT_EQ(ParseAddress("--to", "[" + std::string(address) + "]:81").status().message(),
              "--to: found \"[" + std::string(address) +
                  "]:81\", allowed a link-local address with its interface, as in [" + address +
                  "%eth0]:81");
  EXPECT_TRUE(ParseAddress("--to", "[fec0::2]:81").ok());
  EXPECT_TRUE(ParseAddress("--to", "[fe7f::2]:81").ok());
}

TEST(ParseAddress, KeepsTheZonesName) {
  EXPECT_EQ(ParseAddress("--to", "[fe80::1%lo]:7")->zone, "lo");
  EXPECT_EQ(ParseAddress("--to", "[::1]:7")->zone, "");
}

TEST(StartConnect, LooksUpTheZoneEachTime) {
  Address address = *ParseAddress("--to", "[fe80::1%lo]:7");
  address.zone = "none0";
  int error = 0;
  EXPECT_FALSE(StartConnect(address, &error).ok());
  EXPECT_EQ(error, ENODEV);
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

TEST_F(TargetsTest, AreTriedRoundRobin) {
  EXPECT_EQ(targets_.NextOrder(now_), (Order{0, 1, 2}));
  EXPECT_EQ(targets_.NextOrder(now_), (Order{1, 2, 0}));
  EXPECT_EQ(targets_.NextOrder(now_), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.NextOrder(now_), (Order{0, 1, 2}));
}

TEST_F(TargetsTest, ATargetThatIsDownIsTriedLastAndNoOtherGetsTwoShares) {
  EXPECT_TRUE(targets_.MarkFailed(1, now_));
  EXPECT_FALSE(targets_.MarkFailed(1, now_));  // it was down before
  EXPECT_EQ(targets_.NextOrder(now_), (Order{0, 2, 1}));
  EXPECT_EQ(targets_.NextOrder(now_), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.NextOrder(now_), (Order{0, 2, 1}));
  EXPECT_EQ(targets_.Snapshot(now_)[1].state, "down");
  EXPECT_EQ(targets_.Snapshot(now_)[1].failures, 2u);
}

TEST_F(TargetsTest, ATargetIsTriedAgainAfterTheRetryTime) {
  targets_.MarkFailed(0, now_);
  EXPECT_EQ(targets_.NextOrder(now_ + std::chrono::milliseconds(4999)).front(), 1u);
  EXPECT_EQ(targets_.NextOrder(now_ + std::chrono::seconds(5)), (Order{2, 0, 1}));
  EXPECT_EQ(targets_.NextOrder(now_ + std::chrono::seconds(5)).front(), 0u);
  EXPECT_EQ(targets_.Snapshot(now_ + std::chrono::seconds(5))[0].state, "to be tried");
  targets_.MarkReached(0);
  EXPECT_EQ(targets_.Snapshot(now_)[0].state, "up");
  EXPECT_EQ(targets_.Snapshot(now_)[0].connections, 1u);
}

TEST_F(TargetsTest, AreAllTriedIfAllAreDown) {
  for (const size_t i : {0, 1, 2}) targets_.MarkFailed(i, now_);
  EXPECT_EQ(targets_.NextOrder(now_).size(), 3u);
}

TEST(Targets, WithARetryTimeOf0AreNeverSkipped) {
  Targets targets({*ParseAddress("--to", "127.0.0.1:1"), *ParseAddress("--to", "127.0.0.1:2")},
                  std::chrono::seconds(0));
  const Clock::time_point now{std::chrono::seconds(1000)};
  targets.MarkFailed(0, now);
  EXPECT_EQ(targets.NextOrder(now), (std::vector<size_t>{0, 1}));
}

}  // namespace
}  // namespace twinpath::splice
