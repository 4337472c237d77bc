// SPDX-License-Identifier: BSD-3-Clause
// The hash in software equals the hash of NICs: the verification suite of Microsoft's "RSS hashing
// functions". With the symmetric key, both directions of a flow have the same hash.

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "src/dpdk/port/rss.h"
#include "src/dpdk/port/toeplitz.h"

namespace twinpath {
namespace {

const std::vector<uint8_t> kMicrosoftKey = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint32_t kUsual = kRssIp | kRssTcp | kRssUdp;

struct End {
  const char* address;
  uint16_t port;
};

tp_key KeyOf(const End& from, const End& to, uint8_t proto) {
  tp_key key = {};
  key.ip_version = std::string(from.address).find(':') == std::string::npos ? 4 : 6;
  const int family = key.ip_version == 4 ? AF_INET : AF_INET6;
  EXPECT_EQ(inet_pton(family, from.address, key.address), 1);
  EXPECT_EQ(inet_pton(family, to.address, key.address + (key.ip_version == 4 ? 4 : 16)), 1);
  key.flags = TP_KEY_IP | TP_KEY_PORTS;
  key.proto = proto;
  key.src_port = htons(from.port);
  key.dst_port = htons(to.port);
  return key;
}

struct Case {
  End from, to;
  uint32_t by_addresses, by_ports;
};
const Case kCases[] = {
    {{"66.9.149.187", 2794}, {"161.142.100.80", 1766}, 0x323e8fc2, 0x51ccc178},
    {{"199.92.111.2", 14230}, {"65.69.140.83", 4739}, 0xd718262a, 0xc626b0ea},
    {{"24.19.198.95", 12898}, {"12.22.207.184", 38024}, 0xd2d0a5de, 0x5c2b394a},
    {{"38.27.205.30", 48228}, {"209.142.163.6", 2217}, 0x82989176, 0xafc7327f},
    {{"153.39.163.191", 44251}, {"202.188.127.2", 1303}, 0x5d1809c5, 0x10e828a2},
    {{"3ffe:2501:200:1fff::7", 2794}, {"3ffe:2501:200:3::1", 1766}, 0x2cc18cd5, 0x40207d3d},
    {{"3ffe:501:8::260:97ff:fe40:efab", 14230}, {"ff02::1", 4739}, 0x0f0c461c, 0xdde51bbf},
    {{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251},
     {"fe80::200:f8ff:fe21:67cf", 38024},
     0x4b61e985,
     0x02d1feef},
};

TEST(SoftRssTest, IsMicrosoftsHash) {
  const SoftRss all(kUsual, kMicrosoftKey), addresses(kRssIp, kMicrosoftKey);
  for (const Case& c : kCases) {
    for (uint8_t proto : {kTcp, kUdp}) {
      EXPECT_EQ(all.Hash(KeyOf(c.from, c.to, proto)), c.by_ports) << c.from.address;
      EXPECT_EQ(addresses.Hash(KeyOf(c.from, c.to, proto)), c.by_addresses) << c.from.address;
    }
  }
}

TEST(SoftRssTest, FragmentsAndOtherProtocolsGoByTheirAddresses) {
  const SoftRss hash(kUsual, kMicrosoftKey);
  tp_key fragment = KeyOf(kCases[0].from, kCases[0].to, kUdp);
  fragment.flags |= TP_KEY_FRAGMENT;
  EXPECT_EQ(hash.Hash(fragment), kCases[0].by_addresses);
  tp_key icmp = KeyOf(kCases[0].from, kCases[0].to, 1);
  icmp.flags = TP_KEY_IP;
  EXPECT_EQ(hash.Hash(icmp), kCases[0].by_addresses);
  EXPECT_EQ(hash.Hash(tp_key{}), 0u);
}

TEST(SoftRssTest, WhatIsNotAmongTheFieldsIsNotHashed) {
  const SoftRss tcp(kRssTcp, kMicrosoftKey);
  EXPECT_EQ(tcp.Hash(KeyOf(kCases[0].from, kCases[0].to, kTcp)), kCases[0].by_ports);
  EXPECT_EQ(tcp.Hash(KeyOf(kCases[0].from, kCases[0].to, kUdp)), 0u);
}

TEST(RssTest, ATableIsSaidAsFarAsItDoesNotBeginAgain) {
  EXPECT_EQ(RetaWords({}), "");
  EXPECT_EQ(RetaWords({0, 1, 0, 1}), "0,1 over 4 places");
  EXPECT_EQ(RetaWords({0, 1, 2, 0, 1}), "0,1,2 over 5 places");
  EXPECT_EQ(RetaWords({0, 1, 1, 0}), "0,1,1 over 4 places");
  EXPECT_EQ(RetaWords({0, 1, 1, 1}), "0,1,1,1 over 4 places");
}

TEST(SoftRssTest, TheSymmetricKeyMakesBothDirectionsOne) {
  const std::vector<uint8_t> key = SymmetricRssKey(40);
  EXPECT_TRUE(IsSymmetricRssKey(key));
  EXPECT_FALSE(IsSymmetricRssKey(kMicrosoftKey));
  const SoftRss symmetric(kUsual, key), common(kUsual, kMicrosoftKey);
  for (const Case& c : kCases) {
    const tp_key forth = KeyOf(c.from, c.to, kTcp), back = KeyOf(c.to, c.from, kTcp);
    EXPECT_EQ(symmetric.Hash(forth), symmetric.Hash(back)) << c.from.address;
    EXPECT_NE(common.Hash(forth), common.Hash(back)) << c.from.address;
  }
}

}  // namespace
}  // namespace twinpath
