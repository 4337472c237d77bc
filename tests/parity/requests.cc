// SPDX-License-Identifier: BSD-3-Clause
// The layouts of RFC 826, 792, 4443 and 4861, each as it should be and with one odd field.

#include "tests/parity/requests.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace twinpath {
namespace {

constexpr char kArp[] = "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002";
constexpr char kEcho4[] =
    "4500002400010000400166d6 0a000001 0a000002 0800542f12340007 6162636465666768";
constexpr char kEcho6[] =
    "60000000 0010 3a 40 20010db8000000000000000000000001 20010db8000000000000000000000009"
    "8000c09c12340007 6162636465666768";
constexpr char kNeighbor[] =
    "60000000 0020 3a ff 20010db8000000000000000000000001 ff0200000000000000000001ff000009"
    "8700bbf0 00000000 20010db8000000000000000000000009 0101 020000000001";

// `bytes` replace those at `at`.
Request Make(const std::string& name, uint16_t type, const char* text, size_t at,
             const std::string& bytes) {
  std::string hex = absl::StrReplaceAll(text, {{" ", ""}});
  hex.replace(2 * at, bytes.size(), bytes);
  const std::string data = absl::HexStringToBytes(hex);
  return {name, type, {data.begin(), data.end()}};
}

}  // namespace

std::vector<Request> AllRequests() {
  const std::string nobody6(32, '0');
  return {
      Make("arp request", 0x0806, kArp, 0, ""),
      Make("arp reply", 0x0806, kArp, 6, "0002"),
      Make("arp probe", 0x0806, kArp, 14, "00000000"),
      Make("arp announcement", 0x0806, kArp, 14, "0a000002"),
      Make("arp for a group", 0x0806, kArp, 24, "e0000001"),
      Make("arp of tokens", 0x0806, kArp, 0, "0006"),
      Make("echo4", 0x0800, kEcho4, 0, ""),
      Make("echo4 with a zero checksum", 0x0800, kEcho4, 22, "0000"),
      Make("echo4 code 1", 0x0800, kEcho4, 21, "01"),
      Make("echo4 to a group", 0x0800, kEcho4, 16, "e0000001"),
      Make("echo4 from nobody", 0x0800, kEcho4, 12, "00000000"),
      Make("echo4 fragment", 0x0800, kEcho4, 6, "2000"),
      Make("echo4 beyond the frame", 0x0800, kEcho4, 2, "0025"),
      Make("echo6", 0x86dd, kEcho6, 0, ""),
      Make("echo6 of 7 bytes", 0x86dd, kEcho6, 4, "0007"),
      Make("echo6 of 4 bytes", 0x86dd, kEcho6, 4, "0004"),
      Make("echo6 to a group", 0x86dd, kEcho6, 24, "ff02"),
      Make("echo6 from nobody", 0x86dd, kEcho6, 8, nobody6),
      Make("echo6 behind options", 0x86dd, kEcho6, 6, "3c"),
      Make("neighbor", 0x86dd, kNeighbor, 0, ""),
      Make("neighbor with flags", 0x86dd, kNeighbor, 44, "ffffffff"),
      Make("neighbor by unicast", 0x86dd, kNeighbor, 24, "20010db8000000000000000000000009"),
      Make("neighbor hop limit 254", 0x86dd, kNeighbor, 7, "fe"),
      Make("neighbor from nobody", 0x86dd, kNeighbor, 8, nobody6),
      Make("neighbor with a nonce", 0x86dd, kNeighbor, 64, "0e"),
      Make("neighbor without an option", 0x86dd, kNeighbor, 4, "0018"),
  };
}

}  // namespace twinpath
