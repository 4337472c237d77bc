// SPDX-License-Identifier: BSD-3-Clause
// Reads the headers like src/policy/parse.h, one after the other, and explains in a sentence why it
// stops. Pure functions.

#include "src/explain/unread.h"

#include "absl/strings/str_cat.h"
#include "src/policy/parse.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using Found = std::optional<Unread>;

Unread Contradiction(const std::string& about) { return {TP_PARSE_CONTRADICTION, about}; }

class Walk {
 public:
  explicit Walk(absl::Span<const uint8_t> frame) : frame_(frame) {}

  Found Run() {
    uint16_t type = 0;
    if (Found found = Link(&type)) return found;
    if (type == TP_ETH_P_IPV4) return Ipv4();
    if (type == TP_ETH_P_IPV6) return Ipv6();
    return std::nullopt;
  }

 private:
  size_t left() const { return at_ < frame_.size() ? frame_.size() - at_ : 0; }
  // Bytes left in the datagram.
  size_t left_in_it() const { return at_ < end_ ? end_ - at_ : 0; }

  // A fault if the frame does not have the next `needed` bytes.
  Found Lacks(const std::string& header, size_t needed) const {
    if (left() >= needed) return std::nullopt;
    return Unread{TP_PARSE_CUT, absl::StrCat("its ", header, " needs ", needed,
                                             " bytes, but the frame has ", left())};
  }

  Found Link(uint16_t* type) {
    if (Found found = Lacks("Ethernet header", TP_ETH_LEN)) return found;
    *type = tp_be16(&frame_[12]);
    at_ = TP_ETH_LEN;
    for (int tag = 0; tag < 2 && (*type == TP_ETH_P_VLAN || *type == TP_ETH_P_QINQ); tag++) {
      if (Found found = Lacks("VLAN tag", 4)) return found;
      *type = tp_be16(&frame_[at_ + 2]);
      at_ += 4;
    }
    return std::nullopt;
  }

  // A fault if the datagram ends after the frame.
  Found CutDatagram(const char* header, size_t announced, const char* what) const {
    if (end_ <= frame_.size()) return std::nullopt;
    return Unread{TP_PARSE_CUT, absl::StrCat("its ", header, " announces ", what,
                                             Grouped(announced), " bytes, but the frame has ",
                                             Grouped(announced - (end_ - frame_.size())))};
  }

  Found Ipv4() {
    if (Found found = Lacks("IPv4 header", 20)) return found;
    const absl::Span<const uint8_t> ip = frame_.subspan(at_);
    if (ip[0] >> 4 != 4)
      return Contradiction(absl::StrCat("its IPv4 header says version ", ip[0] >> 4));
    const size_t header = size_t{ip[0]} % 16 * 4, total = tp_be16(&ip[2]);
    if (header < 20)
      return Contradiction(absl::StrCat("its IPv4 header announces a header of ", header,
                                        " bytes; the minimum is 20"));
    if (total < header)
      return Contradiction(
          absl::StrCat("its IPv4 header has ", header, " bytes, the whole datagram ", total));
    end_ = at_ + total;
    const uint16_t fragment = tp_be16(&ip[6]);
    first_ = (fragment & 0x3fff) == 0x2000;
    at_ += header;
    if (Found found = CutDatagram("IPv4 header", total, "a datagram of ")) return found;
    if (fragment & 0x1fff) return std::nullopt;
    return Transport(ip[9]);
  }

  Found Ipv6() {
    if (Found found = Lacks("IPv6 header", 40)) return found;
    const absl::Span<const uint8_t> ip = frame_.subspan(at_);
    if (ip[0] >> 4 != 6)
      return Contradiction(absl::StrCat("its IPv6 header says version ", ip[0] >> 4));
    size_t payload = tp_be16(&ip[4]);
    at_ += 40;
    jumbo_ = payload == 0 && ip[6] == TP_PROTO_HOPOPTS;
    if (jumbo_) {
      if (Found found = Lacks("hop-by-hop options header", 8)) return found;
      payload = tp_be32(&ip[44]);
      if (ip[42] != 0xc2 || ip[43] != 4 || payload < 65536)
        return Contradiction(
            "its IPv6 header announces 0 bytes, but its next header is not that of a jumbogram "
            "(RFC 2675)");
    }
    end_ = at_ + payload;
    if (Found found = CutDatagram("IPv6 header", payload, "")) return found;
    return Extensions(ip[6]);
  }

  Found Extensions(uint8_t next) {
    for (int walked = 0; tp_is_extension(next); walked++) {
      const std::string header = absl::StrCat("IPv6 extension header of type ", next);
      if (Found found = Overruns(header, 8)) return found;
      if (walked == TP_MAX_EXTENSIONS)
        return Unread{TP_PARSE_TOO_DEEP,
                      absl::StrCat("it has more than ", TP_MAX_EXTENSIONS,
                                   " IPv6 extension headers, and the rest is not read")};
      if (Found found = IsTooDeep(header)) return found;
      const uint8_t* bytes = &frame_[at_];
      size_t length = (size_t{bytes[1]} + 1) * 8;
      if (next == TP_PROTO_FRAGMENT) {
        if (jumbo_) return Contradiction("it is a fragment of a jumbogram (RFC 2675)");
        length = 8;
        first_ |= (tp_be16(bytes + 2) & 0xfff9) == 1;
        if (tp_be16(bytes + 2) & 0xfff8) return std::nullopt;  // payload follows
      } else if (next == TP_PROTO_AH) {
        length = (size_t{bytes[1]} + 2) * 4;
        if (length < 12)
          return Contradiction(absl::StrCat("its authentication header announces ", length,
                                            " bytes; the minimum is 12"));
      }
      if (Found found = Overruns(header, length)) return found;
      at_ += length;
      next = bytes[0];
    }
    return Transport(next);
  }

  // A fault if the next `needed` bytes are not all in the datagram.
  Found Overruns(const std::string& header, size_t needed) const {
    if (left_in_it() >= needed) return std::nullopt;
    return Unread{first_ ? TP_PARSE_CUT : TP_PARSE_CONTRADICTION,
                  absl::StrCat("its ", header, " needs ", Grouped(needed), " bytes, but the ",
                               first_ ? "first fragment" : "datagram", " has ",
                               Grouped(left_in_it()), " left")};
  }

  Found IsTooDeep(const std::string& header) const {
    if (at_ <= TP_PARSE_WINDOW) return std::nullopt;
    return Unread{TP_PARSE_TOO_DEEP,
                  absl::StrCat("its ", header, " begins at byte ", Grouped(at_), ", and only the ",
                               "headers that begin in the first ", Grouped(TP_PARSE_WINDOW),
                               " bytes are read")};
  }

  // A fault if the next header cannot be read.
  Found Further(const char* header, size_t needed) const {
    if (Found found = Overruns(header, needed)) return found;
    return IsTooDeep(header);
  }

  Found Transport(uint8_t proto) {
    switch (proto) {
      case TP_PROTO_ICMP:
        return Further("ICMP header", 8);
      case TP_PROTO_ICMPV6:
        return Further("ICMPv6 header", 4);
      case TP_PROTO_UDP:
        return Udp();
      case TP_PROTO_TCP:
        return Tcp();
      default:
        return std::nullopt;
    }
  }

  Found Udp() {
    if (Found found = Further("UDP header", 8)) return found;
    const size_t length = tp_be16(&frame_[at_ + 4]);
    if (length < 8 && !(jumbo_ && length == 0))
      return Contradiction(
          absl::StrCat("its UDP header announces ", length, " bytes; the minimum is 8"));
    if (length > left_in_it() && !first_)
      return Contradiction(absl::StrCat("its UDP header announces ", Grouped(length),
                                        " bytes, but the IP datagram has ", Grouped(left_in_it())));
    return std::nullopt;
  }

  Found Tcp() {
    if (Found found = Further("TCP header", 20)) return found;
    const size_t length = size_t{frame_[at_ + 12]} / 16 * 4;
    if (length < 20)
      return Contradiction(
          absl::StrCat("its TCP header announces ", length, " bytes; the minimum is 20"));
    return Overruns("TCP header", length);
  }

  const absl::Span<const uint8_t> frame_;
  size_t at_ = 0;   // offset of the next header
  size_t end_ = 0;  // offset of the end of the datagram
  bool first_ = false, jumbo_ = false;
};

}  // namespace

std::optional<Unread> FindUnread(absl::Span<const uint8_t> frame) { return Walk(frame).Run(); }

const char* UnreadReason(tp_parse_result reason) {
  switch (reason) {
    case TP_PARSED:
      break;
    case TP_PARSE_CUT:
      return "cut";
    case TP_PARSE_CONTRADICTION:
      return "contradiction";
    case TP_PARSE_TOO_DEEP:
      return "too deep";
  }
  return "";
}

}  // namespace twinpath
