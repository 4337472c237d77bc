// SPDX-License-Identifier: BSD-3-Clause
// Which packets a rule matches: the validated "match" of a policy. Plain values; no thread.

#ifndef TWINPATH_CONFIG_POLICY_MATCH_SPEC_H_
#define TWINPATH_CONFIG_POLICY_MATCH_SPEC_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twinpath {

struct MacMatch {
  std::array<uint8_t, 6> address = {};
  std::array<uint8_t, 6> mask = {};  // no bit of the address is outside the mask
  bool operator==(const MacMatch&) const = default;
};

struct VlanMatch {
  bool whole = false;  // the stack has exactly these tags; "none": whole, without tags
  std::vector<std::optional<uint16_t>> tags;  // VIDs, outer first, at most 2; nullopt: any VID
  bool operator==(const VlanMatch&) const = default;
};

struct AddressPrefix {
  int version = 4;                     // 4 or 6
  std::array<uint8_t, 16> bytes = {};  // network order; v4 in the first four
  int length = 0;                      // prefix length in bits
  bool operator==(const AddressPrefix&) const = default;
};

struct PortRange {
  uint16_t first = 0, last = 0;  // inclusive, host order
  bool operator==(const PortRange&) const = default;
};

// Bits of the TCP header's flags byte (RFC 9293: CWR ECE URG ACK PSH RST SYN FIN) that must be set,
// and bits that must be clear. No bit is in both.
struct FlagsMatch {
  uint8_t set = 0, clear = 0;
  bool operator==(const FlagsMatch&) const = default;
};

// kNone matches frames that are not fragments, kAny every fragment, kFirst first fragments, kLater
// all other fragments, which have no transport header.
enum class FragmentMatch { kNone, kAny, kFirst, kLater };

// The length of the frame in bytes, as counters count it, inclusive; 65535 means 65535 and more.
struct LengthRange {
  uint16_t first = 0, last = 0;
  bool operator==(const LengthRange&) const = default;
};

// A packet matches if every field that is set matches.
struct MatchSpec {
  std::optional<std::string> port;  // ingress
  std::optional<uint16_t> ether_type;
  std::optional<VlanMatch> vlan;
  std::optional<MacMatch> src_mac, dst_mac;
  std::optional<int> ip_version;
  std::optional<AddressPrefix> src, dst;
  std::optional<uint8_t> proto;
  std::optional<PortRange> src_port, dst_port;  // TCP and UDP
  std::optional<FlagsMatch> tcp_flags;          // TCP
  std::optional<uint8_t> dscp;                  // 0 to 63; IP
  std::optional<uint8_t> ecn;                   // 0 to 3; IP
  std::optional<FragmentMatch> fragment;
  std::optional<LengthRange> length;
  std::optional<bool> malformed;
  bool operator==(const MatchSpec&) const = default;
};

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_MATCH_SPEC_H_
