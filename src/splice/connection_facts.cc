// SPDX-License-Identifier: BSD-3-Clause
// A connection's facts as text.

#include "src/splice/connection_facts.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace twinpath::splice {

std::string ConnectionName(uint64_t number, const Address& client) {
  return absl::StrCat("connection ", number, " from ", client.text());
}

ConnectionSnapshot ConnectionFacts::Snapshot() const {
  return {.number = number,
          .client = client.text(),
          .target = target.text(),
          .mode = mode,
          .state = state,
          .age_s = std::chrono::duration<double>(age).count(),
          .to_target_bytes = forwarded[0],
          .to_client_bytes = forwarded[1]};
}

}  // namespace twinpath::splice
