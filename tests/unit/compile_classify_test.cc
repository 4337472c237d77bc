// SPDX-License-Identifier: BSD-3-Clause
// The compiled tables, asked through tp_classify, against a linear scan over the rules as written:
// thousands of random policies over generated frames.

#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/compile.h"
#include "src/policy/host.h"
#include "tests/unit/frame_builder.h"

namespace twinpath {
namespace {

const std::vector<std::string> kPorts = {"a", "b", "c"};

// A field of the key, by the meaning that the policy gives it and nothing of how masks are made.
bool InPrefix(const AddressPrefix& prefix, const tp_key& key, bool destination) {
  if (key.ip_version != prefix.version) return false;
  const uint8_t* address = key.address + (destination ? (prefix.version == 4 ? 4 : 16) : 0);
  for (int bit = 0; bit < prefix.length; bit++) {
    int shift = 7 - bit % 8;
    if ((address[bit / 8] >> shift & 1) != (prefix.octets[bit / 8] >> shift & 1)) return false;
  }
  return true;
}

bool InRange(const PortRange& range, const tp_key& key, uint16_t network_order) {
  uint16_t port = ntohs(network_order);
  return (key.flags & TP_KEY_PORTS) && port >= range.first && port <= range.last;
}

bool IsMac(const MacMatch& match, const uint8_t* mac) {
  for (size_t i = 0; i < 6; i++) {
    if ((mac[i] ^ match.address[i]) & match.mask[i]) return false;
  }
  return true;
}

bool Matches(const MatchSpec& match, const tp_key& key) {
  if (match.port && kPorts[key.port] != *match.port) return false;
  if (match.ether_type && key.ether_type != *match.ether_type) return false;
  if (match.vlan) {
    bool tagged = key.flags & TP_KEY_VLAN;
    if (tagged == match.vlan->tags.empty()) return false;
    if (tagged && key.vlan != *match.vlan->tags[0]) return false;
  }
  if (match.src_mac && !IsMac(*match.src_mac, key.src_mac)) return false;
  if (match.dst_mac && !IsMac(*match.dst_mac, key.dst_mac)) return false;
  if (match.ip_version && key.ip_version != *match.ip_version) return false;
  if (match.src && !InPrefix(*match.src, key, false)) return false;
  if (match.dst && !InPrefix(*match.dst, key, true)) return false;
  if (match.proto && (!key.ip_version || key.proto != *match.proto)) return false;
  if (match.src_port && !InRange(*match.src_port, key, key.src_port)) return false;
  if (match.dst_port && !InRange(*match.dst_port, key, key.dst_port)) return false;
  return true;
}

uint32_t FirstMatch(const Policy& policy, const tp_key& key) {
  uint32_t rule = 0;
  while (rule < policy.rules.size() && !Matches(policy.rules[rule].match, key)) rule++;
  return rule;
}

uint32_t Classify(const CompiledPolicy& compiled, const tp_key& key) {
  const tp_plan& plan = compiled.plans[key.port];
  if (plan.n_shapes == 0) return plan.fallback;
  tp_datapath dp = {};
  dp.shapes = compiled.shapes.data() + plan.first_shape;
  dp.buckets = compiled.buckets.data();
  dp.entries = compiled.entries.data();
  dp.bucket_mask = static_cast<uint32_t>(compiled.buckets.size() - 1);
  return tp_classify(&dp, &key, plan.n_shapes, plan.fallback);
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }

  tp_key Key() {
    FrameBuilder frame;
    frame.Mac({2, 0, 0, 0, 0, Octet()}, {2, 0, 0, 0, 1, Octet()});
    for (uint32_t tags = Below(3); tags > 0; tags--) frame.Vlan(static_cast<uint16_t>(Below(3)));
    switch (Below(5)) {
      case 0:
        frame.EtherType(0x0806).Payload(28);
        break;
      case 1:
      case 2:
        frame.Ipv4().Ipv4Addresses(0x0a000000 | Below(4) << 14 | Below(4), 0x0a000000 | Below(4)
                                                                                            << 7);
        if (OneIn(4)) frame.Options(8);
        if (OneIn(8)) frame.Fragment(static_cast<uint16_t>(Below(2)), true);
        Transport(&frame);
        break;
      default:
        frame.Ipv6();
        if (OneIn(3)) frame.HopByHop();
        if (OneIn(3)) frame.DestinationOptions(1);
        Transport(&frame);
    }
    std::vector<uint8_t> bytes = frame.Build();
    tp_key key;
    EXPECT_EQ(tp_parse(bytes.data(), bytes.data() + bytes.size(),
                       static_cast<uint32_t>(bytes.size()), static_cast<uint8_t>(Below(3)), &key),
              TP_PARSED);
    return key;
  }

  // A match that `key` meets in most of its fields, and often in all.
  MatchSpec Match(const tp_key& key) {
    MatchSpec match;
    const bool exact = !OneIn(4);
    auto ask = [&] { return OneIn(4); };
    if (ask()) match.port = kPorts[exact ? key.port : Below(3)];
    if (ask()) match.ether_type = exact ? key.ether_type : uint16_t{0x0806};
    if (ask()) {
      match.vlan = VlanMatch{true, {}};
      if (exact ? key.flags & TP_KEY_VLAN : OneIn(2)) match.vlan = VlanMatch{false, {key.vlan}};
    }
    if (ask()) match.src_mac = Mac(key.src_mac);
    if (ask()) match.dst_mac = Mac(exact ? key.dst_mac : key.src_mac);
    if (ask()) match.ip_version = exact && key.ip_version ? key.ip_version : 6;
    if (ask()) match.src = Prefix(key, false);
    if (ask()) match.dst = Prefix(key, true);
    // The two contradicting each other is an error of the policy, found before it is compiled.
    if (match.ip_version && match.src) match.ip_version = match.src->version;
    if (match.ip_version && match.dst) match.ip_version = match.dst->version;
    if (ask()) match.proto = exact ? key.proto : uint8_t{17};
    if (ask()) match.src_port = Range(key.src_port);
    if (ask()) match.dst_port = Range(key.dst_port);
    return match;
  }

 private:
  MacMatch Mac(const uint8_t* address) {
    MacMatch mac;
    for (size_t i = 0; i < 6; i++) {
      mac.mask[i] = OneIn(8) ? uint8_t{0xfe} : uint8_t{0xff};
      mac.address[i] = address[i] & mac.mask[i];
    }
    return mac;
  }
  uint8_t Octet() { return static_cast<uint8_t>(Below(3)); }
  uint16_t Port() { return static_cast<uint16_t>(OneIn(5) ? 65535 - Below(3) : Below(3) * 1000); }

  void Transport(FrameBuilder* frame) {
    switch (Below(4)) {
      case 0:
        frame->Udp(Port(), Port());
        break;
      case 1:
        frame->Tcp(Port(), Port());
        break;
      case 2:
        frame->Icmp();
        break;
      default:
        break;
    }
    frame->Payload(40);
  }

  AddressPrefix Prefix(const tp_key& key, bool destination) {
    AddressPrefix prefix;
    prefix.version = key.ip_version == 6 ? 6 : 4;
    const int full = prefix.version == 4 ? 32 : 128;
    prefix.length = OneIn(3) ? full : static_cast<int>(Below(static_cast<uint32_t>(full) + 1));
    size_t octets = static_cast<size_t>(full) / 8;
    std::memcpy(prefix.octets.data(), key.address + (destination ? octets : 0), octets);
    for (int bit = prefix.length; bit < full; bit++) {
      prefix.octets[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
    }
    return prefix;
  }

  PortRange Range(uint16_t network_order) {
    uint32_t port = ntohs(network_order);
    if (OneIn(2)) return {static_cast<uint16_t>(port), static_cast<uint16_t>(port)};
    uint32_t first = port - Below(std::min(port, 1200u) + 1);
    return {static_cast<uint16_t>(first),
            static_cast<uint16_t>(std::min(65535u, port + Below(1200)))};
  }

  std::mt19937_64 random_;
};

TEST(CompileClassifyTest, RandomPoliciesAnswerAsALinearScanOfTheirRules) {
  Generator generate(20260718);
  std::vector<tp_key> keys;
  for (int i = 0; i < 400; i++) keys.push_back(generate.Key());
  uint64_t by_rule = 0, asked = 0;
  for (int i = 0; i < 3000; i++) {
    Policy policy;
    policy.fallback.name = "default";
    for (uint32_t n = generate.Below(30); n > 0; n--) {
      RuleSpec& rule = policy.rules.emplace_back();
      rule.name = absl::StrCat("r", n);
      rule.match = generate.Match(keys[generate.Below(400)]);
    }
    absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(policy, kPorts);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    for (int j = 0; j < 100; j++) {
      tp_key key = keys[generate.Below(400)];
      key.port = static_cast<uint8_t>(generate.Below(3));
      uint32_t expected = FirstMatch(policy, key);
      ASSERT_EQ(Classify(*compiled, key), expected)
          << "policy " << i << " of " << policy.rules.size();
      by_rule += expected < policy.rules.size();
      asked++;
    }
  }
  // The comparison means something: neither everything nor nothing is taken by a rule.
  EXPECT_GT(by_rule * 10, asked * 4);
  EXPECT_LT(by_rule * 10, asked * 9);
}

TEST(CompileClassifyTest, ManyRulesOfManyShapesAnswerAsALinearScan) {
  Generator generate(1);
  std::vector<tp_key> keys;
  for (int i = 0; i < 400; i++) keys.push_back(generate.Key());
  Policy policy;
  policy.fallback.name = "default";
  for (int r = 0; r < 4000; r++) {
    // Five-tuples that nothing meets, and one rule in forty that something does.
    RuleSpec& rule = policy.rules.emplace_back();
    rule.name = absl::StrCat("r", r);
    rule.match.src =
        AddressPrefix{4, {192, 168, static_cast<uint8_t>(r >> 8), static_cast<uint8_t>(r)}, 32};
    rule.match.dst_port = PortRange{443, 443};
    if (r % 40 == 0) {
      rule.match = generate.Match(keys[generate.Below(400)]);
      rule.match.proto = uint8_t{17};
      rule.match.src_port = PortRange{0, 0};
    }
  }
  absl::StatusOr<CompiledPolicy> compiled = CompilePolicy(policy, kPorts);
  ASSERT_TRUE(compiled.ok()) << compiled.status();
  for (tp_key key : keys) {
    for (key.port = 0; key.port < 3; key.port++) {
      ASSERT_EQ(Classify(*compiled, key), FirstMatch(policy, key));
    }
  }
}

}  // namespace
}  // namespace twinpath
