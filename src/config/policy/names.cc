// SPDX-License-Identifier: BSD-3-Clause
// Names and numbers. Pure functions with constant tables.

#include "src/config/policy/names.h"

#include <algorithm>

namespace twinpath {
namespace {

struct NamedNumber {
  std::string_view name;
  uint16_t number;
};

// The VLAN types are missing, because `vlan` matches tags and `ether_type` the type after them.
constexpr NamedNumber kEtherTypes[] = {
    {"ipv4", 0x0800}, {"ipv6", 0x86dd},  {"arp", 0x0806},  {"rarp", 0x8035},
    {"mpls", 0x8847}, {"eapol", 0x888e}, {"lldp", 0x88cc}, {"ptp", 0x88f7},
};

constexpr NamedNumber kProtos[] = {
    {"icmp", 1}, {"igmp", 2},    {"tcp", 6},   {"udp", 17},   {"dccp", 33},  {"gre", 47},
    {"esp", 50}, {"icmpv6", 58}, {"ospf", 89}, {"vrrp", 112}, {"sctp", 132}, {"udplite", 136},
};

// Output uses the first name of a number.
constexpr NamedNumber kDscps[] = {
    {"cs0", 0},   {"le", 1},    {"cs1", 8},   {"af11", 10}, {"af12", 12}, {"af13", 14},
    {"cs2", 16},  {"af21", 18}, {"af22", 20}, {"af23", 22}, {"cs3", 24},  {"af31", 26},
    {"af32", 28}, {"af33", 30}, {"cs4", 32},  {"af41", 34}, {"af42", 36}, {"af43", 38},
    {"cs5", 40},  {"va", 44},   {"ef", 46},   {"cs6", 48},  {"cs7", 56},  {"be", 0},
};

constexpr NamedNumber kEcns[] = {{"not-ect", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}};

constexpr NamedNumber kTcpFlags[] = {
    {"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08},
    {"ack", 0x10}, {"urg", 0x20}, {"ece", 0x40}, {"cwr", 0x80},
};

template <typename Table>
const NamedNumber* ByName(const Table& table, std::string_view name) {
  auto it = std::find_if(std::begin(table), std::end(table),
                         [&](const NamedNumber& n) { return n.name == name; });
  return it == std::end(table) ? nullptr : &*it;
}

template <typename Table>
std::optional<uint8_t> ByteByName(const Table& table, std::string_view name) {
  const NamedNumber* named = ByName(table, name);
  if (!named) return std::nullopt;
  return static_cast<uint8_t>(named->number);
}

template <typename Table>
std::optional<std::string> ByNumber(const Table& table, uint16_t number) {
  auto it = std::find_if(std::begin(table), std::end(table),
                         [&](const NamedNumber& n) { return n.number == number; });
  if (it == std::end(table)) return std::nullopt;
  return std::string(it->name);
}

template <typename Table>
std::vector<std::string_view> Names(const Table& table) {
  std::vector<std::string_view> names;
  for (const NamedNumber& n : table) names.push_back(n.name);
  return names;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

bool IsPortName(std::string_view name) {
  return !name.empty() && name.size() <= 32 && IsAlphanumeric(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsRuleName(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<uint16_t> EtherTypeByName(std::string_view name) {
  const NamedNumber* named = ByName(kEtherTypes, name);
  if (!named) return std::nullopt;
  return named->number;
}

std::optional<std::string> EtherTypeName(uint16_t ether_type) {
  return ByNumber(kEtherTypes, ether_type);
}

std::vector<std::string_view> EtherTypeNames() { return Names(kEtherTypes); }

std::optional<uint8_t> ProtoByName(std::string_view name) { return ByteByName(kProtos, name); }

std::optional<std::string> ProtoName(uint8_t proto) { return ByNumber(kProtos, proto); }

std::vector<std::string_view> ProtoNames() { return Names(kProtos); }

std::optional<uint8_t> DscpByName(std::string_view name) { return ByteByName(kDscps, name); }

std::optional<std::string> DscpName(uint8_t dscp) { return ByNumber(kDscps, dscp); }

std::vector<std::string_view> DscpNames() { return Names(kDscps); }

std::optional<uint8_t> EcnByName(std::string_view name) { return ByteByName(kEcns, name); }

std::optional<std::string> EcnName(uint8_t ecn) { return ByNumber(kEcns, ecn); }

std::vector<std::string_view> EcnNames() { return Names(kEcns); }

std::optional<uint8_t> TcpFlagByName(std::string_view name) { return ByteByName(kTcpFlags, name); }

std::optional<std::string> TcpFlagName(uint8_t bit) { return ByNumber(kTcpFlags, bit); }

std::vector<std::string_view> TcpFlagNames() { return Names(kTcpFlags); }

}  // namespace twinpath
