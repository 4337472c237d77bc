// SPDX-License-Identifier: BSD-3-Clause
// Facts about a connection for log lines and telemetry. Plain values.

#ifndef TWINPATH_SPLICE_CONNECTION_FACTS_H_
#define TWINPATH_SPLICE_CONNECTION_FACTS_H_

#include <cstdint>
#include <string>

#include "src/splice/connect/address.h"
#include "src/splice/connect/targets.h"
#include "src/splice/snapshot.h"

namespace twinpath::splice {

// The name of a connection in log lines: "connection 7 from 10.0.0.1:50123".
std::string ConnectionName(uint64_t number, const Address& client);

// Cheap to collect while the worker waits; Snapshot() formats the text later.
struct ConnectionFacts {
  uint64_t number = 0;
  Address client, target;
  const char* mode = "";
  const char* state = "";
  Clock::duration age{};
  uint64_t forwarded[2] = {};  // [side]: bytes that came from that side

  ConnectionSnapshot Snapshot() const;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECTION_FACTS_H_
