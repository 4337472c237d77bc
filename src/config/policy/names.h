// SPDX-License-Identifier: BSD-3-Clause
// The words that a policy may use for numbers, and the rules for names of ports and rules. Pure
// functions.

#ifndef TWINPATH_CONFIG_POLICY_NAMES_H_
#define TWINPATH_CONFIG_POLICY_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twinpath {

// 1 to 32 of [A-Za-z0-9_.-], starting with a letter or digit.
bool IsPortName(std::string_view name);
inline constexpr char kPortNameAllowed[] =
    "a port's name: 1 to 32 letters, digits, '_', '.' or '-', starting with a letter or digit";

// A hint for a number where a port's name is expected.
inline constexpr char kTransportPorts[] = "a TCP or UDP port is dst_port or src_port";

// 1 to 64 printable ASCII characters.
bool IsRuleName(std::string_view name);

// Converts names of EtherTypes (IEEE) and IP protocols (IANA) to numbers and back.
std::optional<uint16_t> EtherTypeByName(std::string_view name);
std::optional<std::string> EtherTypeName(uint16_t ether_type);
std::vector<std::string_view> EtherTypeNames();
std::optional<uint8_t> ProtoByName(std::string_view name);
std::optional<std::string> ProtoName(uint8_t proto);
std::vector<std::string_view> ProtoNames();

// Converts names of DSCPs (RFC 2474, 2597, 3246, 5865, 8622), ECN codepoints (RFC 3168) and TCP
// flags (RFC 9293; the number is the flag's bit) to numbers and back.
std::optional<uint8_t> DscpByName(std::string_view name);
std::optional<std::string> DscpName(uint8_t dscp);
std::vector<std::string_view> DscpNames();
std::optional<uint8_t> EcnByName(std::string_view name);
std::optional<std::string> EcnName(uint8_t ecn);
std::vector<std::string_view> EcnNames();
std::optional<uint8_t> TcpFlagByName(std::string_view name);
std::optional<std::string> TcpFlagName(uint8_t bit);
std::vector<std::string_view> TcpFlagNames();

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_NAMES_H_
