// SPDX-License-Identifier: BSD-3-Clause
// SHA-256 with libcrypto's EVP interface. Pure function.

#include "src/config/sha256.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"

namespace twinpath {

absl::StatusOr<std::string> Sha256Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("EVP_Digest(SHA-256) failed");
  }
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), length));
}

}  // namespace twinpath
