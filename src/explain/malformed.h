// SPDX-License-Identifier: BSD-3-Clause
// Why the parser rejects a frame. Pure function.

#ifndef TWINPATH_EXPLAIN_MALFORMED_H_
#define TWINPATH_EXPLAIN_MALFORMED_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace twinpath {

// What is wrong with the first bad header of a malformed frame, in words: "its IPv6 header
// announces 100 bytes, but 6 follow". `frame` is one that tp_parse rejects.
std::string DescribeMalformed(absl::Span<const uint8_t> frame);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_MALFORMED_H_
