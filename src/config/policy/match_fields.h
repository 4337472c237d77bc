// SPDX-License-Identifier: BSD-3-Clause
// Reads the fields of a match that have a special notation: tags, MAC addresses, DSCP, ECN, TCP
// flags, fragments, lengths. Errors are InvalidArgument and name the pointer, what was found and
// what is allowed. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_POLICY_MATCH_FIELDS_H_
#define TWINPATH_CONFIG_POLICY_MATCH_FIELDS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "src/config/json/json_document.h"
#include "src/config/policy/match_spec.h"

namespace twinpath {

// 100 (the outer tag, with any tags inside), "none", or an array: the whole stack, outer first.
absl::StatusOr<VlanMatch> ReadVlan(const JsonCursor& c);

// "02:00:00:00:00:01"; with "/8" only the first eight bits, with "/ff:00:00:00:00:00" a mask.
absl::StatusOr<MacMatch> ReadMac(const JsonCursor& c);

// 46 or "ef".
absl::StatusOr<uint8_t> ReadDscp(const JsonCursor& c);

// 3 or "ce".
absl::StatusOr<uint8_t> ReadEcn(const JsonCursor& c);

// "syn,!ack": SYN set and ACK clear.
absl::StatusOr<FlagsMatch> ReadTcpFlags(const JsonCursor& c);

// true, false, "first" or "later".
absl::StatusOr<FragmentMatch> ReadFragment(const JsonCursor& c);

// 60 or "64-127".
absl::StatusOr<LengthRange> ReadLength(const JsonCursor& c);

// The match in ReadMac's notation, with the shortest mask.
std::string MacText(const MacMatch& mac);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_MATCH_FIELDS_H_
