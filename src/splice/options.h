// SPDX-License-Identifier: BSD-3-Clause
// The options of a splicer, and its counters. Plain values.

#ifndef TWINPATH_SPLICE_OPTIONS_H_
#define TWINPATH_SPLICE_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/splice/chaos.h"
#include "src/splice/connect/address.h"
#include "src/splice/connect/socket.h"

namespace twinpath::splice {

enum class Mode { kCopy, kSplice, kSockmap };
// "copy", "splice", "sockmap".
const char* ModeName(Mode mode);

// The mode that `auto` selects, and the printed reason. The choice follows the measurements of
// tools/bench splice: sockmap answers sooner, but its streams of short messages are several times
// slower, because the kernel queues each segment for a kernel thread. splice(2) is never much
// slower than the best mode. It needs no privilege, so no other mode is needed as a fallback.
inline constexpr Mode kAutoMode = Mode::kSplice;
inline constexpr char kAutoWhy[] = "auto: the default; needs no privileges";

struct SplicerOptions {
  Address listen;
  std::vector<Address> targets;  // at least one
  std::optional<Mode> mode;      // nullopt: auto
  uint32_t workers = 1;
  uint32_t max_connections = 1;  // open at the same time
  SocketOptions socket;          // of the sockets on both sides
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds retry{5000};  // a target that failed is skipped for so long; 0: never
  std::optional<std::chrono::milliseconds> idle;  // reset after so long without traffic
  ChaosPlan chaos;
};

// Counters of connections. Each accepted connection is open, or has ended in exactly one way:
// accepted = refused + refused_by_chaos + failed + finished + reset + reset_by_chaos + idle +
// aborted + open.
struct SplicerCounters {
  uint64_t accepted = 0;
  uint64_t refused = 0;  // reset: beyond max_connections
  uint64_t refused_by_chaos = 0;
  uint64_t failed = 0;    // reset: no target could be reached
  uint64_t finished = 0;  // the FINs of both sides were forwarded
  uint64_t reset = 0;     // by one side; the reset was forwarded to the other
  uint64_t reset_by_chaos = 0;
  uint64_t idle = 0;     // reset by the idle timeout
  uint64_t aborted = 0;  // reset at the end of the run
  uint64_t drained = 0;  // those of `finished` that ended while draining
  uint64_t to_target_bytes = 0, to_client_bytes = 0;  // of connections that ended
};

// All counters, for sums.
inline constexpr uint64_t SplicerCounters::*kSplicerCounters[] = {
    &SplicerCounters::accepted,         &SplicerCounters::refused,
    &SplicerCounters::refused_by_chaos, &SplicerCounters::failed,
    &SplicerCounters::finished,         &SplicerCounters::reset,
    &SplicerCounters::reset_by_chaos,   &SplicerCounters::idle,
    &SplicerCounters::aborted,          &SplicerCounters::drained,
    &SplicerCounters::to_target_bytes,  &SplicerCounters::to_client_bytes};
static_assert(sizeof(SplicerCounters) ==
              sizeof(kSplicerCounters) / sizeof(kSplicerCounters[0]) * 8);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_OPTIONS_H_
