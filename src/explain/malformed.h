// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with a frame that the parser refuses. Pure function.

#ifndef TWINPATH_EXPLAIN_MALFORMED_H_
#define TWINPATH_EXPLAIN_MALFORMED_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace twinpath {

// What is wrong with the first header of a malformed frame that is not sound, in words: "its IPv6
// header says that 100 octets follow, of which 6 are there". `frame` is one that tp_parse refuses.
std::string DescribeMalformed(absl::Span<const uint8_t> frame);

}  // namespace twinpath

#endif  // TWINPATH_EXPLAIN_MALFORMED_H_
