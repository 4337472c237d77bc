// SPDX-License-Identifier: BSD-3-Clause
// Reads tags, MAC addresses, DSCP, ECN, TCP flags, fragments and lengths. Control thread, at
// set-up.

#include "src/config/policy/match_fields.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"
#include "src/config/policy/names.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;
using Mac = std::array<uint8_t, 6>;

constexpr uint64_t kMaxVid = 4094;  // IEEE 802.1Q reserves 4095
constexpr size_t kMaxTags = 2;      // the parser reads no more

bool IsVid(const JsonCursor& c) { return c.Is(Kind::kUnsigned) && c.value().number <= kMaxVid; }

std::optional<Mac> ReadMacText(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  Mac mac = {};
  for (size_t i = 0; i < mac.size(); i++) {
    std::optional<uint64_t> byte = ReadNumber(text.substr(i * 3, 2), 0xff, 16);
    if (!byte || (i < 5 && text[i * 3 + 2] != ':')) return std::nullopt;
    mac[i] = static_cast<uint8_t>(*byte);
  }
  return mac;
}

// Reads the mask after the slash: a number of bits, or bytes.
std::optional<Mac> ReadMacMask(std::string_view text) {
  std::optional<uint64_t> bits = ReadNumber(text, 48);
  if (!bits) return ReadMacText(text);
  Mac mask = {};
  for (size_t i = 0; i < mask.size(); i++) {
    const uint64_t left = *bits < i * 8 ? 0 : *bits - i * 8;
    mask[i] = static_cast<uint8_t>(left >= 8 ? 0xff : 0xff00 >> left);
  }
  return mask;
}

// Reads a number up to `max`, or one of the names.
absl::StatusOr<uint8_t> ReadNamed(const JsonCursor& c, uint64_t max,
                                  std::optional<uint8_t> (*by_name)(std::string_view),
                                  const std::vector<std::string_view>& names) {
  if (c.Is(Kind::kUnsigned) && c.value().number <= max) {
    return static_cast<uint8_t>(c.value().number);
  }
  std::optional<uint8_t> number;
  if (c.Is(Kind::kString)) number = by_name(c.value().text);
  if (!number) return c.WrongWord(absl::StrCat("0 to ", max, ", or a name: ", Join(names)), names);
  return *number;
}

}  // namespace

absl::StatusOr<VlanMatch> ReadVlan(const JsonCursor& c) {
  VlanMatch vlan;
  if (IsVid(c)) {
    vlan.tags.push_back(static_cast<uint16_t>(c.value().number));
    return vlan;
  }
  vlan.whole = true;
  if (c.Is(Kind::kString) && c.value().text == "none") return vlan;
  if (!c.Is(Kind::kArray) || c.size() > kMaxTags) {
    return c.Wrong(absl::StrCat("the outer tag's VID from 0 to ", kMaxVid,
                                ", \"none\", or an array of all tags, outer first, at most ",
                                kMaxTags));
  }
  for (size_t i = 0; i < c.size(); i++) {
    const JsonCursor tag = c.Item(i);
    const bool any = tag.Is(Kind::kString) && tag.value().text == "any";
    if (!any && !IsVid(tag))
      return tag.Wrong(absl::StrCat("a VID from 0 to ", kMaxVid, ", or \"any\""));
    vlan.tags.push_back(any ? std::nullopt
                            : std::optional<uint16_t>(static_cast<uint16_t>(tag.value().number)));
  }
  return vlan;
}

absl::StatusOr<MacMatch> ReadMac(const JsonCursor& c) {
  static constexpr char kAllowed[] =
      "a MAC address such as \"02:00:00:00:00:01\", or some of its bits, such as "
      "\"02:00:00:00:00:00/8\" or \"01:00:00:00:00:00/01:00:00:00:00:00\"";
  if (!c.Is(Kind::kString)) return c.Wrong(kAllowed);
  const std::string_view text = c.value().text;
  const size_t slash = text.find('/');
  std::optional<Mac> address = ReadMacText(text.substr(0, slash));
  std::optional<Mac> mask = ReadMacMask("48");
  if (slash != text.npos) mask = ReadMacMask(text.substr(slash + 1));
  if (!address || !mask) return c.Wrong(kAllowed);
  MacMatch mac = {*address, *mask};
  for (size_t i = 0; i < mac.address.size(); i++) mac.address[i] &= mac.mask[i];
  if (mac.address != *address) {
    return c.Error(absl::StrCat(Quote(text), ", which has bits set outside its mask"),
                   absl::StrCat(Quote(MacText(mac)), ", or ", Quote(text.substr(0, slash)),
                                " for that one address"));
  }
  return mac;
}

absl::StatusOr<uint8_t> ReadDscp(const JsonCursor& c) {
  return ReadNamed(c, 63, DscpByName, DscpNames());
}

absl::StatusOr<uint8_t> ReadEcn(const JsonCursor& c) {
  return ReadNamed(c, 3, EcnByName, EcnNames());
}

absl::StatusOr<FlagsMatch> ReadTcpFlags(const JsonCursor& c) {
  const std::string allowed = absl::StrCat(
      "flags separated by commas, with '!' before a clear flag, such as \"syn,!ack\": ",
      Join(TcpFlagNames()));
  if (!c.Is(Kind::kString)) return c.Wrong(allowed);
  FlagsMatch flags;
  for (std::string_view rest = c.value().text;;) {
    const size_t comma = rest.find(',');
    std::string_view name = rest.substr(0, comma);
    const bool clear = !name.empty() && name[0] == '!';
    if (clear) name.remove_prefix(1);
    const std::optional<uint8_t> bit = TcpFlagByName(name);
    if (!bit) return c.Wrong(allowed, DidYouMean(name, TcpFlagNames()));
    if ((flags.set | flags.clear) & *bit) {
      return c.Error(absl::StrCat(Quote(c.value().text), ", with ", std::string(name), " twice"),
                     "each flag once: it is set or it is clear");
    }
    (clear ? flags.clear : flags.set) |= *bit;
    if (comma == rest.npos) return flags;
    rest.remove_prefix(comma + 1);
  }
}

absl::StatusOr<FragmentMatch> ReadFragment(const JsonCursor& c) {
  if (c.Is(Kind::kBool)) return c.value().boolean ? FragmentMatch::kAny : FragmentMatch::kNone;
  if (c.Is(Kind::kString) && c.value().text == "first") return FragmentMatch::kFirst;
  if (c.Is(Kind::kString) && c.value().text == "later") return FragmentMatch::kLater;
  return c.WrongWord("true, false, \"first\" or \"later\"", {"first", "later"});
}

absl::StatusOr<LengthRange> ReadLength(const JsonCursor& c) {
  absl::StatusOr<NumberRange> range = ReadRange(
      c, 65535, "a frame's bytes from 0 to 65535 (that and more), or a range such as \"64-127\"");
  if (!range.ok()) return range.status();
  return LengthRange{static_cast<uint16_t>(range->first), static_cast<uint16_t>(range->last)};
}

std::string MacText(const MacMatch& mac) {
  auto bytes = [](const Mac& m) {
    return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
  };
  for (int bits = 0; bits <= 48; bits++) {
    if (mac.mask != *ReadMacMask(absl::StrCat(bits))) continue;
    return absl::StrCat(bytes(mac.address), bits == 48 ? "" : absl::StrCat("/", bits));
  }
  return absl::StrCat(bytes(mac.address), "/", bytes(mac.mask));
}

}  // namespace twinpath
