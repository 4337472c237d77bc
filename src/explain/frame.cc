// SPDX-License-Identifier: BSD-3-Clause
// Makes frames from hex and five-tuples. Pure functions.

#include "src/explain/frame.h"

#include <arpa/inet.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/config/json/values.h"
#include "src/config/policy/names.h"
#include "src/engine/frame_effects.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

constexpr size_t kLeastFrame = 60;  // IEEE 802.3, without the checksum

absl::Status Wrong(const std::string& option, std::string_view found, const std::string& allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": found ", Quote(found), ", allowed ", allowed));
}

struct Endpoint {
  int version = 4;
  std::vector<uint8_t> address;  // network order
  std::optional<uint16_t> port;
};

std::optional<Endpoint> ReadEndpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view address = text, port;
  const size_t colon = text.rfind(':');
  if (!text.empty() && text[0] == '[') {
    const size_t close = text.find(']');
    if (close == text.npos || close + 1 != colon) return std::nullopt;
    address = text.substr(1, close - 1);
    port = text.substr(colon + 1);
    endpoint.version = 6;
  } else if (text.find(':') != colon) {
    endpoint.version = 6;
  } else if (colon != text.npos) {
    address = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (address.size() != text.size()) {
    const std::optional<uint64_t> number = ReadNumber(port, 65535);
    if (!number) return std::nullopt;
    endpoint.port = static_cast<uint16_t>(*number);
  }
  endpoint.address.resize(endpoint.version == 4 ? 4 : 16);
  if (inet_pton(endpoint.version == 4 ? AF_INET : AF_INET6, std::string(address).c_str(),
                endpoint.address.data()) != 1)
    return std::nullopt;
  return endpoint;
}

// The words of `text`. Stops after `most` + 1 words.
std::vector<std::string_view> Words(std::string_view text, size_t most) {
  std::vector<std::string_view> words;
  while (words.size() <= most) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == text.npos) break;
    text.remove_prefix(begin);
    words.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(words.back().size());
  }
  return words;
}

using Bytes = std::vector<uint8_t>;

void Put16(size_t at, uint32_t number, Bytes* bytes) {
  (*bytes)[at] = static_cast<uint8_t>(number >> 8);
  (*bytes)[at + 1] = static_cast<uint8_t>(number);
}

// The folded sum of the bytes' 16-bit words: RFC 1071.
uint32_t Sum(const Bytes& bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); i++) sum += uint32_t{bytes[i]} << (i % 2 ? 0 : 8);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

// The transport header, without its checksum.
Bytes Transport(uint8_t proto, const Endpoint& src, const Endpoint& dst) {
  Bytes header;
  if (proto == TP_PROTO_TCP) {
    header.resize(20);
    header[12] = 5 << 4;  // words of header
    header[13] = 0x02;    // SYN
    Put16(14, 65535, &header);
  } else if (proto == TP_PROTO_UDP) {
    header.resize(8);
    Put16(4, 8, &header);
  } else if (proto == TP_PROTO_ICMP || proto == TP_PROTO_ICMPV6) {
    header.resize(8);
    header[0] = proto == TP_PROTO_ICMP ? 8 : 128;  // echo request
  }
  if (src.port) Put16(0, *src.port, &header);
  if (dst.port) Put16(2, *dst.port, &header);
  return header;
}

void PutTransportChecksum(uint8_t proto, const Endpoint& src, const Endpoint& dst, Bytes* header) {
  const size_t at = proto == TP_PROTO_TCP ? 16 : proto == TP_PROTO_UDP ? 6 : 2;
  if (header->empty()) return;
  uint32_t sum = 0;
  if (proto != TP_PROTO_ICMP)
    sum = Sum(dst.address, Sum(src.address, static_cast<uint32_t>(header->size() + proto)));
  const uint32_t checksum = ~Sum(*header, sum) & 0xffff;
  // RFC 768: 0 means "no checksum".
  Put16(at, checksum || proto != TP_PROTO_UDP ? checksum : 0xffff, header);
}

Bytes Ip(uint8_t proto, const Endpoint& src, const Endpoint& dst, size_t payload) {
  Bytes header(src.version == 4 ? 12 : 8);
  if (src.version == 4) {
    header[0] = 0x45;
    Put16(2, static_cast<uint32_t>(20 + payload), &header);
    header[8] = 64;
    header[9] = proto;
  } else {
    header[0] = 0x60;
    Put16(4, static_cast<uint32_t>(payload), &header);
    header[6] = proto;
    header[7] = 64;
  }
  header.insert(header.end(), src.address.begin(), src.address.end());
  header.insert(header.end(), dst.address.begin(), dst.address.end());
  if (src.version == 4) Put16(10, ~Sum(header) & 0xffff, &header);
  return header;
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> FrameOfHex(std::string_view hex) {
  std::vector<uint8_t> frame;
  size_t at = 0;
  while (at < hex.size() && frame.size() < kLongestFrame) {
    if (hex[at] == ' ' || hex[at] == ':' || hex[at] == '\n' || hex[at] == '\t') {
      at++;
      continue;
    }
    const std::optional<uint64_t> byte = ReadNumber(hex.substr(at, 2), 0xff, 16);
    if (!byte || at + 1 == hex.size()) break;
    frame.push_back(static_cast<uint8_t>(*byte));
    at += 2;
  }
  if (at >= hex.size() && !frame.empty()) return frame;
  const std::string allowed = absl::StrCat("1 to ", kLongestFrame, " bytes of two hex digits");
  if (at == 0 || at >= hex.size()) return Wrong("--frame", hex.substr(0, 80), allowed);
  return Wrong(absl::StrCat("--frame: character ", at + 1), hex.substr(at, 16), allowed);
}

absl::StatusOr<std::vector<uint8_t>> FrameOfFiveTuple(std::string_view five_tuple) {
  const std::vector<std::string_view> words = Words(five_tuple, 3);
  std::optional<uint8_t> proto;
  std::optional<Endpoint> src, dst;
  if (words.size() == 3) {
    proto = ProtoByName(words[0]);
    if (const std::optional<uint64_t> number = ReadNumber(words[0], 255))
      proto = static_cast<uint8_t>(*number);
    src = ReadEndpoint(words[1]);
    dst = ReadEndpoint(words[2]);
  }
  if (!proto || !src || !dst) {
    return Wrong("--five-tuple", five_tuple,
                 "\"tcp 10.0.0.1:1234 192.0.2.1:80\", \"udp [2001:db8::1]:5000 [2001:db8::2]:53\" "
                 "or \"icmp 10.0.0.1 192.0.2.1\"");
  }
  const bool ported = *proto == TP_PROTO_TCP || *proto == TP_PROTO_UDP;
  if (src->port.has_value() != ported || dst->port.has_value() != ported) {
    return Wrong("--five-tuple", five_tuple,
                 "ports at both ends with tcp and udp, and no ports with other protocols");
  }
  if (src->version != dst->version)
    return Wrong("--five-tuple", five_tuple, "two addresses of one IP version");
  if (src->version == 6 && tp_is_extension(*proto)) {
    return Wrong("--five-tuple", five_tuple,
                 "a protocol that is not an IPv6 extension header (use --frame for those)");
  }
  Bytes frame = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0, 0};
  Put16(12, src->version == 4 ? TP_ETH_P_IPV4 : TP_ETH_P_IPV6, &frame);
  Bytes transport = Transport(*proto, *src, *dst);
  PutTransportChecksum(*proto, *src, *dst, &transport);
  const Bytes ip = Ip(*proto, *src, *dst, transport.size());
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), transport.begin(), transport.end());
  if (frame.size() < kLeastFrame) frame.resize(kLeastFrame);
  return frame;
}

}  // namespace twinpath
