// SPDX-License-Identifier: BSD-3-Clause
// Explains why the parser could not read a frame completely. Pure functions.

#ifndef TWINPATH_EXPLAIN_UNREAD_H_
#define TWINPATH_EXPLAIN_UNREAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "src/policy/types.h"

namespace twinpath {

struct Unread {
  tp_parse_result reason = TP_PARSE_CUT;
  std::string about;  // "its IPv6 header announces 100 bytes, but 6 follow"
};

// The first fault in `frame` that stops tp_parse; nullopt if tp_parse reads the frame completely.
// `frame` is in one piece. This is a second implementation of the parser's checks, with words.
std::optional<Unread> FindUnread(absl::Span<const uint8_t> frame);

// "cut", "contradiction" or "too deep".
const char* UnreadReason(tp_parse_result reason);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_UNREAD_H_
