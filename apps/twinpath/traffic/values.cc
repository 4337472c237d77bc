// SPDX-License-Identifier: BSD-3-Clause
// Reads values strictly: the whole text, in range.

#include "apps/twinpath/traffic/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/config/json/json_document.h"

namespace twinpath {
namespace {

absl::Status Wrong(const std::string& option, std::string_view found, const std::string& allowed) {
  return FoundError(option, "", Quote(found), allowed);
}

template <typename Number>
std::optional<Number> Whole(std::string_view text) {
  Number number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Unit {
  const char* name;
  RateUnit unit;
  int power;  // of ten
};
constexpr Unit kUnits[] = {
    {"kpps", RateUnit::kPackets, 3}, {"Mpps", RateUnit::kPackets, 6},
    {"pps", RateUnit::kPackets, 0},  {"kbit", RateUnit::kBits, 3},
    {"Mbit", RateUnit::kBits, 6},    {"Gbit", RateUnit::kBits, 9},
    {"kbit/s", RateUnit::kBits, 3},  {"Mbit/s", RateUnit::kBits, 6},
    {"Gbit/s", RateUnit::kBits, 9},  {"bit/s", RateUnit::kBits, 0},
    {"bit", RateUnit::kBits, 0},
};

// A decimal number, times 10^power; nullopt where that is no whole number, or too large.
std::optional<uint64_t> Scaled(std::string_view text, int power) {
  const size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  if (digits.empty()) return std::nullopt;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty()) return std::nullopt;
    digits += decimals;
    power -= static_cast<int>(decimals.size());
  }
  for (; power < 0 && digits.size() > 1 && digits.back() == '0'; power++) digits.pop_back();
  if (power < 0) return std::nullopt;
  digits.append(static_cast<size_t>(power), '0');
  return Whole<uint64_t>(digits);
}

}  // namespace

absl::StatusOr<Rate> ParseRate(const std::string& text) {
  if (text == "max") return Rate();
  const size_t digits = text.find_first_not_of("0123456789.");
  const std::string number = text.substr(0, digits);
  const std::string name = digits == std::string::npos ? "" : text.substr(digits);
  for (const Unit& unit : kUnits) {
    if (name != unit.name) continue;
    const auto thousandths = Scaled(number, unit.power + 3);
    if (thousandths.has_value() && *thousandths > 0 && *thousandths <= 1'000'000'000'000'000'000)
      return Rate{unit.unit, *thousandths};
  }
  return Wrong("--rate", text,
               "a number with a unit, pps, kpps, Mpps, bit, kbit, Mbit or Gbit (0.001pps to "
               "1000000Gbit), or max");
}

absl::StatusOr<Sizes> ParseSizes(const std::string& text, uint32_t shortest) {
  const auto size = [shortest](std::string_view part) -> std::optional<uint16_t> {
    const auto number = Whole<uint16_t>(part);
    return number.has_value() && *number >= shortest ? number : std::nullopt;
  };
  Sizes sizes;
  if (text == "imix") {
    const uint16_t small = static_cast<uint16_t>(std::max(60U, shortest));
    // As evenly as 7, 4 and 1 go.
    sizes.in_turn = {small, 590, small, small, 590, small, 1514, small, 590, small, 590, small};
    return sizes;
  }
  const std::string allowed =
      absl::StrCat("bytes of a frame without its FCS, ", shortest, " to ", kLongestTagged,
                   ": one size (64), up to ", TP_TRAFFIC_SIZES,
                   " in turn (64,1514), a range (64-1514), or imix");
  const std::vector<std::string> ends = absl::StrSplit(text, '-');
  if (ends.size() == 2) {
    const auto low = size(ends[0]), high = size(ends[1]);
    if (!low.has_value() || !high.has_value() || *low > *high)
      return Wrong("--size", text, allowed);
    sizes.range = {*low, *high};
    return sizes;
  }
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, ','))) {
    const auto one = size(part);
    if (!one.has_value()) return Wrong("--size", text, allowed);
    sizes.in_turn.push_back(*one);
  }
  if (sizes.in_turn.size() > TP_TRAFFIC_SIZES) return Wrong("--size", text, allowed);
  return sizes;
}

absl::StatusOr<Spread> ParseSpread(const std::string& text) {
  if (text == "turn") return Spread();
  if (text == "uniform") return Spread{TP_SPREAD_UNIFORM, 1};
  if (text == "zipf") return Spread{TP_SPREAD_ZIPF, 1};
  if (absl::StartsWith(text, "zipf:")) {
    const auto exponent = Whole<double>(std::string_view(text).substr(5));
    if (exponent.has_value() && *exponent > 0 && *exponent <= 10)
      return Spread{TP_SPREAD_ZIPF, *exponent};
  }
  return Wrong("--spread", text, "turn, uniform, zipf, or zipf:S with S above 0 and up to 10");
}

absl::StatusOr<MacAddress> ParseMac(const std::string& option, const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  MacAddress mac = {};
  bool right = parts.size() == mac.size();
  for (size_t i = 0; right && i < mac.size(); i++) {
    const char* end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, mac[i], 16);
    right = error == std::errc() && stop == end && parts[i].size() <= 2;
  }
  if (!right) return Wrong(option, text, "a MAC address (02:00:00:00:00:02)");
  return mac;
}

absl::StatusOr<IpAddress> ParseIp(const std::string& option, const std::string& text,
                                  uint32_t ip_version) {
  IpAddress address = {};
  if (inet_pton(ip_version == 4 ? AF_INET : AF_INET6, text.c_str(), address.data()) != 1)
    return Wrong(option, text,
                 ip_version == 4 ? "an IPv4 address (--ip 6 for IPv6)" : "an IPv6 address");
  return address;
}

absl::StatusOr<std::pair<int, uint64_t>> ParseExpected(const std::string& text) {
  const size_t equals = text.find('=');
  const auto packets =
      Whole<uint64_t>(std::string_view(text).substr(equals == std::string::npos ? 0 : equals + 1));
  std::optional<uint8_t> stream;
  if (equals != std::string::npos)
    stream = Whole<uint8_t>(std::string_view(text).substr(0, equals));
  if (!packets.has_value() || *packets == 0 || *packets >> 48 ||
      (equals != std::string::npos && !stream.has_value()))
    return Wrong("--expect", text,
                 "the packets that each stream has (1000), or STREAM=PACKETS (3=1000)");
  return std::pair(stream.has_value() ? int{*stream} : -1, *packets);
}

}  // namespace twinpath
