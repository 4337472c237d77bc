// SPDX-License-Identifier: BSD-3-Clause
// Describes a match in words. Pure functions.

#include "src/config/describe/describe.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/policy/match.h"
#include "src/config/policy/match_fields.h"
#include "src/config/policy/names.h"

namespace twinpath {
namespace {

// The usual spelling: "UDP", "ICMPv6".
std::string Spelt(const std::string& name) {
  if (name == "ipv4") return "IPv4";
  if (name == "ipv6") return "IPv6";
  if (name == "icmpv6") return "ICMPv6";
  if (name == "udplite") return "UDP-Lite";
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return upper;
}

// The kind of packet: the innermost protocol that is matched, then the outer one ("UDP over IPv4").
std::string Subject(const MatchSpec& match) {
  std::string link;
  if (match.ether_type) {
    std::optional<std::string> name = EtherTypeName(*match.ether_type);
    link = name ? Spelt(*name) : absl::StrFormat("EtherType 0x%04x", *match.ether_type);
  } else if (match.ip_version) {
    link = absl::StrCat("IPv", *match.ip_version);
  }
  std::string proto;
  if (match.proto) {
    std::optional<std::string> name = ProtoName(*match.proto);
    proto = name ? Spelt(*name) : absl::StrCat("IP protocol ", *match.proto);
  } else if (match.tcp_flags) {
    proto = "TCP";
  } else if (match.src_port || match.dst_port) {
    proto = "TCP or UDP";
  }
  if (!proto.empty()) return link.empty() ? proto : absl::StrCat(proto, " over ", link);
  if (!link.empty()) return link;
  const bool of_ip = match.fragment && *match.fragment != FragmentMatch::kNone;
  if (match.src || match.dst || match.dscp || match.ecn || of_ip) return "IP";
  return "everything";
}

std::string PortsText(const std::string& side, const PortRange& range) {
  if (range.first == range.last) return absl::StrCat(", ", side, " port ", range.first);
  return absl::StrCat(", ", side, " ports ", range.first, " to ", range.last);
}

std::string LengthText(const LengthRange& length) {
  if (length.first == length.last && length.last < 65535) {
    return absl::StrCat(", ", length.first, " bytes long");
  }
  if (length.last == 65535) return absl::StrCat(", ", length.first, " bytes and longer");
  return absl::StrCat(", ", length.first, " to ", length.last, " bytes long");
}

std::string VidText(const std::optional<uint16_t>& vid) {
  return vid ? absl::StrCat("VLAN ", *vid) : "any VLAN";
}

std::string VlanText(const VlanMatch& vlan) {
  if (vlan.tags.empty()) return " without a VLAN tag";
  std::string text = absl::StrCat(" in ", VidText(vlan.tags[0]));
  if (vlan.tags.size() > 1) return absl::StrCat(text, " with ", VidText(vlan.tags[1]), " inside");
  return vlan.whole ? text + " with none inside" : text;
}

// "SYN set, ACK clear"
std::string FlagsText(const FlagsMatch& flags) {
  std::string text;
  for (const auto& [bits, state] : {std::pair(flags.set, "set"), std::pair(flags.clear, "clear")}) {
    for (int bit = 0; bit < 8; bit++) {
      if (!(bits >> bit & 1)) continue;
      absl::StrAppend(&text, ", ", Spelt(*TcpFlagName(static_cast<uint8_t>(1 << bit))), " ", state);
    }
  }
  return text;
}

const char* FragmentText(FragmentMatch fragment) {
  switch (fragment) {
    case FragmentMatch::kNone:
      return ", no fragments";
    case FragmentMatch::kAny:
      return ", fragments only";
    case FragmentMatch::kFirst:
      return ", first fragments only";
    case FragmentMatch::kLater:
      return ", fragments after the first only";
  }
  return "";
}

}  // namespace

std::string DescribeMatch(const MatchSpec& match) {
  std::string text = Subject(match);
  if (match.vlan) text += VlanText(*match.vlan);
  if (match.src || match.dst) {
    absl::StrAppend(&text, " from ", match.src ? PrefixText(*match.src) : "anywhere");
  }
  if (match.port) absl::StrAppend(&text, " on port ", *match.port);
  if (match.src || match.dst) {
    absl::StrAppend(&text, " to ", match.dst ? PrefixText(*match.dst) : "anywhere");
  }
  if (match.src_mac) absl::StrAppend(&text, ", source MAC ", MacText(*match.src_mac));
  if (match.dst_mac) absl::StrAppend(&text, ", destination MAC ", MacText(*match.dst_mac));
  if (match.src_port) text += PortsText("source", *match.src_port);
  if (match.dst_port) text += PortsText("destination", *match.dst_port);
  if (match.tcp_flags) text += FlagsText(*match.tcp_flags);
  if (match.dscp) {
    std::optional<std::string> name = DscpName(*match.dscp);
    absl::StrAppend(&text, ", DSCP ", name ? Spelt(*name) : absl::StrCat(*match.dscp));
  }
  if (match.ecn) absl::StrAppend(&text, ", ECN ", Spelt(*EcnName(*match.ecn)));
  if (match.fragment) text += FragmentText(*match.fragment);
  if (match.length) text += LengthText(*match.length);
  if (match.malformed) text += *match.malformed ? ", malformed" : ", not malformed";
  return text;
}

}  // namespace twinpath
