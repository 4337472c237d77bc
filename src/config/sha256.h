// SPDX-License-Identifier: BSD-3-Clause
// SHA-256 (FIPS 180-4) with libcrypto. Pure function.

#ifndef TWINPATH_CONFIG_SHA256_H_
#define TWINPATH_CONFIG_SHA256_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace twinpath {

// The digest of `bytes` in lower-case hex. Internal if libcrypto fails.
absl::StatusOr<std::string> Sha256Hex(std::string_view bytes);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_SHA256_H_
