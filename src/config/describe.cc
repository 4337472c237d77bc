// SPDX-License-Identifier: BSD-3-Clause
// A policy in a person's words. Pure functions.

#include "src/config/describe.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/match.h"
#include "src/config/names.h"

namespace twinpath {
namespace {

// As a table of protocols spells it: "UDP", "ICMPv6".
std::string Spelt(const std::string& name) {
  if (name == "ipv4") return "IPv4";
  if (name == "ipv6") return "IPv6";
  if (name == "icmpv6") return "ICMPv6";
  if (name == "udplite") return "UDP-Lite";
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return upper;
}

// What kind of packet: the innermost protocol that is asked for, over what else is.
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
  } else if (match.src_port || match.dst_port) {
    proto = "TCP or UDP";
  }
  if (!proto.empty()) return link.empty() ? proto : absl::StrCat(proto, " over ", link);
  if (!link.empty()) return link;
  if (match.src || match.dst) return "IP";
  return "everything";
}

std::string MacText(const std::array<uint8_t, 6>& mac) {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                         mac[5]);
}

std::string PortsText(const std::string& side, const PortRange& range) {
  if (range.first == range.last) return absl::StrCat(", ", side, " port ", range.first);
  return absl::StrCat(", ", side, " ports ", range.first, " to ", range.last);
}

// "1 %": as few digits as say it.
std::string PercentText(double value) { return absl::StrFormat("%.6g %%", value * 100); }

// "1 in 100" where that is plainer than the percentage.
std::string OneInText(double value) {
  if (value > 0.5) return "";
  double n = std::round(1 / value);
  bool exact = std::fabs(n * value - 1) < 1e-9;
  return absl::StrFormat(" (%s1 in %.*g)", exact ? "" : "about ", n < 1e6 ? 6 : 3, n);
}

}  // namespace

std::string DescribeMatch(const MatchSpec& match) {
  std::string text = Subject(match);
  if (match.vlan) {
    if (!match.vlan->tags.empty()) {
      absl::StrAppend(&text, " in VLAN ", *match.vlan->tags[0]);
    } else {
      text += " without a VLAN tag";
    }
  }
  if (match.src || match.dst) {
    absl::StrAppend(&text, " from ", match.src ? PrefixText(*match.src) : "anywhere");
  }
  if (match.port) absl::StrAppend(&text, " on port ", *match.port);
  if (match.src || match.dst) {
    absl::StrAppend(&text, " to ", match.dst ? PrefixText(*match.dst) : "anywhere");
  }
  if (match.src_mac) absl::StrAppend(&text, ", source MAC ", MacText(match.src_mac->address));
  if (match.dst_mac) absl::StrAppend(&text, ", destination MAC ", MacText(match.dst_mac->address));
  if (match.src_port) text += PortsText("source", *match.src_port);
  if (match.dst_port) text += PortsText("destination", *match.dst_port);
  return text;
}

std::string DescribeLoss(const LossSpec& loss) {
  if (loss.model == LossSpec::Model::kNone) return "";
  const Probability& rate = loss.parameters[0];
  if (rate.never) return "";
  if (rate.always) return "lose everything";
  std::string share = absl::StrCat(PercentText(rate.value), " at random", OneInText(rate.value));
  if (PercentText(rate.value) == PercentText(1)) {
    // So near to everything that only what is spared says it: 2^64 - threshold of 2^64.
    const double spared = std::ldexp(static_cast<double>(0 - rate.threshold), -64);
    share = absl::StrCat("all but ", PercentText(spared), " at random", OneInText(spared));
  }
  return absl::StrCat("lose ", share, ", one stream a port and queue");
}

std::string DescribeFate(const RuleSpec& rule) {
  std::string loss = DescribeLoss(rule.loss);
  if (rule.loss.model != LossSpec::Model::kNone && rule.loss.parameters[0].always) return loss;
  std::string it = loss.empty() ? "" : " the rest";
  std::string text = loss.empty() ? "" : loss + "; ";
  switch (rule.forward.action) {
    case ForwardSpec::Action::kPass:
      return absl::StrCat(text, "pass", it, " to the kernel");
    case ForwardSpec::Action::kDrop:
      return absl::StrCat(text, "drop", it);
    case ForwardSpec::Action::kReflect:
      return absl::StrCat(text, "reflect", it, " out of the same port, MAC addresses swapped");
    case ForwardSpec::Action::kPort:
      return absl::StrCat(text, "send", it, " out of ", rule.forward.port);
  }
  return text;
}

}  // namespace twinpath
