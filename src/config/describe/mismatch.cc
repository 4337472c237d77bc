// SPDX-License-Identifier: BSD-3-Clause
// Compares field by field, by the meaning of a match and not by its masks. Pure functions.

#include "src/config/describe/mismatch.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/policy/match.h"
#include "src/config/policy/match_fields.h"
#include "src/config/policy/names.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

// Why one field does not match; empty if it does.
using Why = std::string;

bool IsIp(const tp_key& key) { return key.flags & TP_KEY_IP; }

Why NoIp(const char* field, const tp_key& key) {
  return absl::StrCat(field, key.flags & TP_KEY_UNREAD ? ": the IP header could not be read"
                                                       : ": the frame has no IP header");
}

// For fields in front of the IP header: a reason if they could not be read.
Why NoLink(const char* field, const tp_key& key) {
  if (!(key.vlan & TP_VLAN_UNREAD)) return "";
  return absl::StrCat(field, ": the Ethernet header could not be read");
}

std::string EtherTypeText(uint16_t type) {
  return EtherTypeName(type).value_or(absl::StrFormat("0x%04x", type));
}

Why OfEtherType(uint16_t wanted, const tp_key& key) {
  if (Why why = NoLink("ether_type", key); !why.empty()) return why;
  if (key.ether_type == wanted) return "";
  return absl::StrCat("ether_type ", EtherTypeText(key.ether_type), " is not ",
                      EtherTypeText(wanted));
}

Why OfVlan(const VlanMatch& vlan, const tp_key& key) {
  if (Why why = NoLink("vlan", key); !why.empty()) return why;
  std::vector<uint16_t> tags;  // as many as the parser reads
  if (key.flags & TP_KEY_VLAN) tags.push_back(key.vlan);
  if (key.flags & TP_KEY_INNER) tags.push_back(key.inner_vlan);
  static constexpr const char* kWhich[] = {"", "second "};
  for (size_t i = 0; i < vlan.tags.size(); i++) {
    if (i == tags.size()) return absl::StrCat("vlan: the frame has no ", kWhich[i], "tag");
    if (vlan.tags[i] && *vlan.tags[i] != tags[i])
      return absl::StrCat("vlan ", tags[i], " of the ", i ? "second" : "outer", " tag is not ",
                          *vlan.tags[i]);
  }
  const size_t wanted = vlan.tags.size();
  if (!vlan.whole || tags.size() <= wanted) return "";
  return absl::StrCat("vlan: the frame has a ", kWhich[wanted], "tag, ", tags[wanted]);
}

Why OfMac(const char* field, const MacMatch& wanted, const tp_key& key, const uint8_t* bytes) {
  if (Why why = NoLink(field, key); !why.empty()) return why;
  MacMatch mac, all;
  bool same = true;
  for (size_t i = 0; i < mac.address.size(); i++) {
    mac.address[i] = bytes[i];
    mac.mask[i] = all.mask[i] = 0xff;
    same &= (bytes[i] & wanted.mask[i]) == wanted.address[i];
  }
  if (same) return "";
  return absl::StrCat(field, " ", MacText(mac),
                      wanted.mask == all.mask ? " is not " : " is not in ", MacText(wanted));
}

Why OfIpVersion(int wanted, const tp_key& key) {
  if (!IsIp(key)) return NoIp("ip_version", key);
  if (key.ip_version == wanted) return "";
  return absl::StrCat("ip_version ", key.ip_version, " is not ", wanted);
}

bool StartsWith(const AddressPrefix& address, const AddressPrefix& prefix) {
  if (address.version != prefix.version) return false;
  for (int bit = 0; bit < prefix.length; bit++) {
    const auto byte = static_cast<size_t>(bit / 8);
    if ((address.bytes[byte] ^ prefix.bytes[byte]) & 0x80 >> bit % 8) return false;
  }
  return true;
}

Why OfAddress(const char* field, const AddressPrefix& wanted, const tp_key& key, bool destination) {
  if (!IsIp(key)) return NoIp(field, key);
  AddressPrefix address;
  address.version = key.ip_version;
  const size_t bytes = key.ip_version == 4 ? 4 : 16;
  address.length = static_cast<int>(bytes) * 8;
  std::memcpy(address.bytes.data(), key.address + (destination ? bytes : 0), bytes);
  if (StartsWith(address, wanted)) return "";
  const bool whole = wanted.length == (wanted.version == 4 ? 32 : 128);
  return absl::StrCat(field, " ", PrefixText(address), whole ? " is not " : " is not in ",
                      PrefixText(wanted));
}

std::string ProtoText(uint8_t proto) { return ProtoName(proto).value_or(absl::StrCat(proto)); }

Why OfProto(uint8_t wanted, const tp_key& key) {
  if (!IsIp(key)) return NoIp("proto", key);
  if (key.flags & TP_KEY_UNREAD)
    return "proto: the headers in front of it could not be read to the end";
  if (key.proto == wanted) return "";
  return absl::StrCat("proto ", ProtoText(key.proto), " is not ", ProtoText(wanted));
}

// The reason why a packet has no ports or TCP flags.
Why NoTransport(const char* field, const char* header, const tp_key& key) {
  if (!IsIp(key)) return NoIp(field, key);
  if (key.flags & TP_KEY_LATER)
    return absl::StrCat(field, ": a fragment after the first has no transport header");
  if (key.flags & TP_KEY_UNREAD)
    return absl::StrCat(field, ": the headers in front of it could not be read to the end");
  if (key.proto == TP_PROTO_TCP || (key.proto == TP_PROTO_UDP && std::strcmp(header, "TCP") != 0))
    return absl::StrCat(field, ": the ", ProtoText(key.proto), " header could not be read");
  return absl::StrCat(field, ": proto ", ProtoText(key.proto), " has no ", header, " header");
}

Why OfRange(const char* field, uint32_t number, uint32_t first, uint32_t last) {
  if (number >= first && number <= last) return "";
  if (first == last) return absl::StrCat(field, " ", number, " is not ", first);
  return absl::StrCat(field, " ", number, " is not in ", first, "-", last);
}

Why OfPorts(const char* field, const PortRange& wanted, const tp_key& key, uint16_t network_order) {
  if (!(key.flags & TP_KEY_PORTS)) return NoTransport(field, "TCP or UDP", key);
  return OfRange(field, ntohs(network_order), wanted.first, wanted.last);
}

Why OfTcpFlags(const FlagsMatch& wanted, const tp_key& key) {
  if (!(key.flags & TP_KEY_PORTS) || key.proto != TP_PROTO_TCP)
    return NoTransport("tcp_flags", "TCP", key);
  for (int i = 0; i < 8; i++) {
    const auto bit = static_cast<uint8_t>(1 << i);
    const bool set = key.tcp_flags & bit;
    if ((set ? wanted.clear : wanted.set) & bit)
      return absl::StrCat("tcp_flags: ", *TcpFlagName(bit), set ? " is set" : " is clear");
  }
  return "";
}

Why OfDscp(uint8_t wanted, const tp_key& key) {
  if (!IsIp(key)) return NoIp("dscp", key);
  const auto dscp = static_cast<uint8_t>(key.dscp_ecn >> 2);
  if (dscp == wanted) return "";
  auto text = [](uint8_t d) { return DscpName(d).value_or(absl::StrCat(d)); };
  return absl::StrCat("dscp ", text(dscp), " is not ", text(wanted));
}

Why OfEcn(uint8_t wanted, const tp_key& key) {
  if (!IsIp(key)) return NoIp("ecn", key);
  const uint8_t ecn = key.dscp_ecn & 3;
  if (ecn == wanted) return "";
  return absl::StrCat("ecn ", *EcnName(ecn), " is not ", *EcnName(wanted));
}

Why OfFragment(FragmentMatch wanted, const tp_key& key) {
  const bool any = key.flags & TP_KEY_FRAGMENT, later = key.flags & TP_KEY_LATER;
  if (!any && key.flags & TP_KEY_UNREAD)
    return "fragment: the headers could not be read to the end";
  if (wanted == FragmentMatch::kNone) return any ? "fragment: the packet is a fragment" : "";
  if (!any) return "fragment: the packet is not a fragment";
  if (wanted == FragmentMatch::kFirst && later) return "fragment: it is not the first";
  if (wanted == FragmentMatch::kLater && !later) return "fragment: it is the first";
  return "";
}

Why OfMalformed(bool wanted, const tp_key& key) {
  const bool malformed = key.flags & TP_KEY_MALFORMED;
  if (malformed == wanted) return "";
  return malformed ? "malformed: the frame is malformed" : "malformed: the frame is not malformed";
}

}  // namespace

std::optional<Mismatch> FindMismatch(const MatchSpec& match, const tp_key& key,
                                     const std::vector<std::string>& ports) {
  std::optional<Mismatch> found;
  auto ask = [&found](const char* field, const auto& wanted, auto why) {
    if (found || !wanted) return;
    if (Why reason = why(*wanted); !reason.empty()) found = Mismatch{field, std::move(reason)};
  };
  ask("port", match.port, [&](const std::string& port) {
    return ports[key.port] == port ? "" : absl::StrCat("port ", ports[key.port], " is not ", port);
  });
  ask("ether_type", match.ether_type, [&](uint16_t type) { return OfEtherType(type, key); });
  ask("vlan", match.vlan, [&](const VlanMatch& vlan) { return OfVlan(vlan, key); });
  ask("src_mac", match.src_mac,
      [&](const MacMatch& m) { return OfMac("src_mac", m, key, key.src_mac); });
  ask("dst_mac", match.dst_mac,
      [&](const MacMatch& m) { return OfMac("dst_mac", m, key, key.dst_mac); });
  ask("ip_version", match.ip_version, [&](int version) { return OfIpVersion(version, key); });
  ask("src", match.src, [&](const AddressPrefix& p) { return OfAddress("src", p, key, false); });
  ask("dst", match.dst, [&](const AddressPrefix& p) { return OfAddress("dst", p, key, true); });
  ask("proto", match.proto, [&](uint8_t proto) { return OfProto(proto, key); });
  ask("src_port", match.src_port,
      [&](const PortRange& r) { return OfPorts("src_port", r, key, key.src_port); });
  ask("dst_port", match.dst_port,
      [&](const PortRange& r) { return OfPorts("dst_port", r, key, key.dst_port); });
  ask("tcp_flags", match.tcp_flags, [&](const FlagsMatch& f) { return OfTcpFlags(f, key); });
  ask("dscp", match.dscp, [&](uint8_t dscp) { return OfDscp(dscp, key); });
  ask("ecn", match.ecn, [&](uint8_t ecn) { return OfEcn(ecn, key); });
  ask("fragment", match.fragment, [&](FragmentMatch f) { return OfFragment(f, key); });
  ask("length", match.length,
      [&](const LengthRange& r) { return OfRange("length", key.length, r.first, r.last); });
  ask("malformed", match.malformed, [&](bool m) { return OfMalformed(m, key); });
  return found;
}

}  // namespace twinpath
