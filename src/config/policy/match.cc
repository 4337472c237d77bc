// SPDX-License-Identifier: BSD-3-Clause
// Reads the fields of a match, and rejects fields that contradict each other. Control thread, at
// set-up.

#include "src/config/policy/match.h"

#include <arpa/inet.h>

#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"
#include "src/config/policy/match_fields.h"
#include "src/config/policy/names.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

absl::StatusOr<uint16_t> ReadEtherType(const JsonCursor& c) {
  std::optional<uint64_t> number;
  if (c.Is(Kind::kUnsigned) && c.value().number <= 0xffff) {
    number = c.value().number;
  } else if (c.Is(Kind::kString)) {
    std::string_view text = c.value().text;
    number = EtherTypeByName(text);
    if (text.substr(0, 2) == "0x" && text.size() <= 6)
      number = ReadNumber(text.substr(2), 0xffff, 16);
  }
  if (!number) {
    return c.WrongWord(
        absl::StrCat("0 to 65535, \"0x0\" to \"0xffff\", or a name: ", Join(EtherTypeNames())),
        EtherTypeNames());
  }
  return static_cast<uint16_t>(*number);
}

// Clears the bits after the prefix. Returns whether one was set.
bool ClearHostBits(AddressPrefix* prefix) {
  bool any = false;
  for (int bit = prefix->length; bit < (prefix->version == 4 ? 32 : 128); bit++) {
    uint8_t& byte = prefix->bytes[static_cast<size_t>(bit / 8)];
    uint8_t mask = static_cast<uint8_t>(0x80 >> bit % 8);
    any |= (byte & mask) != 0;
    byte = static_cast<uint8_t>(byte & ~mask);
  }
  return any;
}

absl::StatusOr<AddressPrefix> ReadPrefix(const JsonCursor& c) {
  static constexpr char kAllowed[] =
      "an address or network such as \"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\"";
  if (!c.Is(Kind::kString)) return c.Wrong(kAllowed);
  const std::string& text = c.value().text;
  std::string address = text.substr(0, text.find('/'));
  AddressPrefix prefix;
  prefix.version = address.find(':') == std::string::npos ? 4 : 6;
  // An escaped NUL would end the address early.
  if (address.find('\0') != std::string::npos ||
      inet_pton(prefix.version == 4 ? AF_INET : AF_INET6, address.c_str(), prefix.bytes.data()) !=
          1) {
    return c.Wrong(kAllowed);
  }
  const int full = prefix.version == 4 ? 32 : 128;
  prefix.length = full;
  if (address.size() < text.size()) {
    std::optional<uint64_t> length =
        ReadNumber(std::string_view(text).substr(address.size() + 1), static_cast<uint32_t>(full));
    if (!length) {
      return c.Wrong(absl::StrCat("a prefix length from 0 to ", full, " for IPv", prefix.version));
    }
    prefix.length = static_cast<int>(*length);
  }
  if (ClearHostBits(&prefix)) {
    return c.Error(
        absl::StrCat(Quote(text), ", which has host bits set after /", prefix.length),
        absl::StrCat(Quote(PrefixText(prefix)), ", or ", Quote(address), " for that one address"));
  }
  return prefix;
}

absl::StatusOr<int> ReadIpVersion(const JsonCursor& c) {
  if (!c.Is(Kind::kUnsigned) || (c.value().number != 4 && c.value().number != 6)) {
    return c.Wrong("4 or 6");
  }
  return static_cast<int>(c.value().number);
}

absl::StatusOr<uint8_t> ReadProto(const JsonCursor& c) {
  if (c.Is(Kind::kUnsigned) && c.value().number <= 255) {
    return static_cast<uint8_t>(c.value().number);
  }
  std::optional<uint8_t> number;
  if (c.Is(Kind::kString)) number = ProtoByName(c.value().text);
  if (!number)
    return c.WrongWord(absl::StrCat("0 to 255, or a name: ", Join(ProtoNames())), ProtoNames());
  return *number;
}

absl::StatusOr<PortRange> ReadPortRange(const JsonCursor& c) {
  absl::StatusOr<NumberRange> range =
      ReadRange(c, 65535, "a port from 0 to 65535, or a range such as \"5000-5999\"");
  if (!range.ok()) return range.status();
  return PortRange{static_cast<uint16_t>(range->first), static_cast<uint16_t>(range->last)};
}

absl::StatusOr<std::string> ReadPort(const JsonCursor& c) {
  if (!c.Is(Kind::kString) || !IsPortName(c.value().text))
    return c.Wrong(kPortNameAllowed, c.Is(Kind::kUnsigned) ? kTransportPorts : "");
  return c.value().text;
}

absl::StatusOr<bool> ReadMalformed(const JsonCursor& c) {
  if (!c.Is(Kind::kBool)) return c.Wrong("true or false");
  return c.value().boolean;
}

// Reads the member into *field if it is present.
template <typename T>
absl::Status ReadField(const JsonCursor& match, std::string_view key,
                       absl::StatusOr<T> (*read)(const JsonCursor&), std::optional<T>* field) {
  JsonCursor member = match.Member(key);
  if (!member.present()) return absl::OkStatus();
  absl::StatusOr<T> value = read(member);
  if (!value.ok()) return value.status();
  *field = *std::move(value);
  return absl::OkStatus();
}

// Checks the IP version of the field `key` against the match's other fields.
absl::Status CheckVersion(const JsonCursor& match, const MatchSpec& spec, std::string_view key,
                          int version) {
  auto contradiction = [&](const std::string& other) {
    return match.Member(key).Error(
        absl::StrCat("an IPv", version, " ", std::string(key), " with ", other),
        "fields that one packet can match");
  };
  if (spec.ip_version && *spec.ip_version != version) {
    return contradiction(absl::StrCat("ip_version ", *spec.ip_version));
  }
  if (spec.ether_type && *spec.ether_type != (version == 4 ? TP_ETH_P_IPV4 : TP_ETH_P_IPV6)) {
    return contradiction(absl::StrCat("ether_type 0x", absl::Hex(*spec.ether_type)));
  }
  return absl::OkStatus();
}

// Checks fields that exist only in IP packets, and fields that exist only in a TCP or UDP header.
absl::Status CheckHeaders(const JsonCursor& match, const MatchSpec& spec) {
  const bool ip =
      !spec.ether_type || *spec.ether_type == TP_ETH_P_IPV4 || *spec.ether_type == TP_ETH_P_IPV6;
  for (const char* key :
       {"proto", "src_port", "dst_port", "tcp_flags", "dscp", "ecn", "fragment"}) {
    const JsonCursor member = match.Member(key);
    const std::string_view field = key;
    const bool of_transport = field.substr(3) == "_port" || field == "tcp_flags";
    if (!member.present()) continue;
    if (!ip && !(field == "fragment" && spec.fragment == FragmentMatch::kNone)) {
      return member.Error(absl::StrCat(key, " with ether_type 0x", absl::Hex(*spec.ether_type)),
                          "ether_type ipv4, ipv6 or none");
    }
    const bool flags = field == "tcp_flags";
    if (of_transport && spec.proto && *spec.proto != TP_PROTO_TCP &&
        (flags || *spec.proto != TP_PROTO_UDP)) {
      return member.Error(absl::StrCat(key, " with proto ", *spec.proto),
                          flags ? "proto tcp or none" : "proto tcp, udp or none");
    }
    if (of_transport && spec.fragment == FragmentMatch::kLater) {
      return member.Error(absl::StrCat(key, " with fragment \"later\""),
                          "another fragment: only a first fragment has a transport header");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckContradictions(const JsonCursor& match, const MatchSpec& spec) {
  if (spec.ip_version) {
    if (absl::Status s = CheckVersion(match, spec, "ip_version", *spec.ip_version); !s.ok()) {
      return s;
    }
  }
  for (const auto& [key, prefix] : {std::pair("src", &spec.src), std::pair("dst", &spec.dst)}) {
    if (!*prefix) continue;
    if (absl::Status s = CheckVersion(match, spec, key, (*prefix)->version); !s.ok()) return s;
  }
  if (spec.src && spec.dst && spec.src->version != spec.dst->version) {
    return match.Member("dst").Error(
        absl::StrCat("an IPv", spec.dst->version, " dst with an IPv", spec.src->version, " src"),
        "addresses of one version");
  }
  return CheckHeaders(match, spec);
}

}  // namespace

absl::StatusOr<MatchSpec> ParseMatch(const JsonCursor& match) {
  MatchSpec spec;
  if (!match.present()) return spec;
  Mistakes mistakes;
  mistakes.Add(match.CheckKeys({"port", "ether_type", "vlan", "src_mac", "dst_mac", "ip_version",
                                "src", "dst", "proto", "src_port", "dst_port", "tcp_flags", "dscp",
                                "ecn", "fragment", "length", "malformed"}));
  if (!match.Is(Kind::kObject)) return mistakes.status();
  auto read = [&](auto key, auto reader, auto* field) {
    mistakes.Add(ReadField(match, key, reader, field));
  };
  read("port", ReadPort, &spec.port);
  read("ether_type", ReadEtherType, &spec.ether_type);
  read("vlan", ReadVlan, &spec.vlan);
  read("src_mac", ReadMac, &spec.src_mac);
  read("dst_mac", ReadMac, &spec.dst_mac);
  read("ip_version", ReadIpVersion, &spec.ip_version);
  read("src", ReadPrefix, &spec.src);
  read("dst", ReadPrefix, &spec.dst);
  read("proto", ReadProto, &spec.proto);
  read("src_port", ReadPortRange, &spec.src_port);
  read("dst_port", ReadPortRange, &spec.dst_port);
  read("tcp_flags", ReadTcpFlags, &spec.tcp_flags);
  read("dscp", ReadDscp, &spec.dscp);
  read("ecn", ReadEcn, &spec.ecn);
  read("fragment", ReadFragment, &spec.fragment);
  read("length", ReadLength, &spec.length);
  read("malformed", ReadMalformed, &spec.malformed);
  if (mistakes.none()) mistakes.Add(CheckContradictions(match, spec));
  if (!mistakes.none()) return mistakes.status();
  return spec;
}

std::string PrefixText(const AddressPrefix& prefix) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(prefix.version == 4 ? AF_INET : AF_INET6, prefix.bytes.data(), text, sizeof(text));
  if (prefix.length == (prefix.version == 4 ? 32 : 128)) return text;
  return absl::StrCat(text, "/", prefix.length);
}

}  // namespace twinpath
