// SPDX-License-Identifier: BSD-3-Clause
// The parser's checks up to the IP header, in words; one sentence for all checks after it. Pure
// function.

#include "src/explain/malformed.h"

#include "absl/strings/str_cat.h"
#include "src/config/describe/words.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

constexpr char kBehind[] =
    "is valid, but a later header is cut short, too deep, or contradicts the frame";

std::string CutShort(const char* header, size_t needed, size_t left) {
  return absl::StrCat("its ", header, " needs ", needed, " bytes, but the frame has ", left);
}

std::string Ipv4(absl::Span<const uint8_t> ip) {
  if (ip.size() < 20) return CutShort("IPv4 header", 20, ip.size());
  if (ip[0] >> 4 != 4) return absl::StrCat("its IPv4 header says version ", ip[0] >> 4);
  const size_t header = size_t{ip[0]} % 16 * 4, total = tp_be16(&ip[2]);
  if (header < 20)
    return absl::StrCat("its IPv4 header announces a header of ", header,
                        " bytes; the least is 20");
  if (total < header)
    return absl::StrCat("its IPv4 header has ", header, " bytes, the whole datagram ", total);
  if (total > ip.size())
    return absl::StrCat("its IPv4 header announces a datagram of ", Grouped(total),
                        " bytes, but the frame has ", Grouped(ip.size()));
  return absl::StrCat("its IPv4 header ", kBehind);
}

std::string Ipv6(absl::Span<const uint8_t> ip) {
  if (ip.size() < 40) return CutShort("IPv6 header", 40, ip.size());
  if (ip[0] >> 4 != 6) return absl::StrCat("its IPv6 header says version ", ip[0] >> 4);
  const size_t payload = tp_be16(&ip[4]);
  if (payload > ip.size() - 40)
    return absl::StrCat("its IPv6 header announces ", Grouped(payload), " bytes, but ",
                        Grouped(ip.size() - 40), " follow");
  return absl::StrCat("its IPv6 header ", kBehind);
}

}  // namespace

std::string DescribeMalformed(absl::Span<const uint8_t> frame) {
  if (frame.size() < TP_ETH_LEN) return CutShort("Ethernet header", TP_ETH_LEN, frame.size());
  size_t at = TP_ETH_LEN;
  uint16_t type = tp_be16(&frame[12]);
  for (int tag = 0; tag < 2 && (type == TP_ETH_P_VLAN || type == TP_ETH_P_QINQ); tag++) {
    if (frame.size() < at + 4) return CutShort("VLAN tag", 4, frame.size() - at);
    type = tp_be16(&frame[at + 2]);
    at += 4;
  }
  return type == TP_ETH_P_IPV4 ? Ipv4(frame.subspan(at)) : Ipv6(frame.subspan(at));
}

}  // namespace twinpath
