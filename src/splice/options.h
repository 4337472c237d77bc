// SPDX-License-Identifier: BSD-3-Clause
// What a splicer is asked to do, and what it counts. Plain values.

#ifndef TWINPATH_SPLICE_OPTIONS_H_
#define TWINPATH_SPLICE_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/splice/address.h"
#include "src/splice/chaos.h"
#include "src/splice/socket.h"

namespace twinpath::splice {

enum class Mode { kCopy, kSplice, kSockmap };
// "copy", "splice", "sockmap".
const char* ModeName(Mode mode);

// What `auto` takes, and why, by what tools/bench splice measures.
// sockmap answers sooner, but streams of short messages are several times slower in it: the kernel
// queues each segment for a worker thread of its own. splice(2) is nowhere far behind, and needs no
// privilege, so there is nothing to fall back from.
inline constexpr Mode kAutoMode = Mode::kSplice;
inline constexpr char kAutoWhy[] =
    "auto: the most goodput for the least CPU time by tools/bench splice, and no privilege needed";

struct SplicerOptions {
  Address listen;
  std::vector<Address> targets;  // at least one
  std::optional<Mode> mode;      // nullopt: auto
  uint32_t workers = 1;
  uint32_t max_connections = 1;  // at once
  SocketOptions socket;          // of both sides
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds retry{5000};          // until a target that failed is tried again
  std::optional<std::chrono::milliseconds> idle;  // without an octet either way
  ChaosPlan chaos;
};

// Connections. Each one that was accepted ends in exactly one of the others, but for those open:
// accepted = refused + refused_by_chaos + failed + finished + reset + reset_by_chaos + idle +
// aborted + open.
struct SplicerCounters {
  uint64_t accepted = 0;
  uint64_t refused = 0;           // beyond max_connections, or no descriptor left: reset
  uint64_t refused_by_chaos = 0;  // reset
  uint64_t failed = 0;            // no target could be reached: reset
  uint64_t finished = 0;          // both FINs passed on
  uint64_t reset = 0;             // by either side, passed on to the other
  uint64_t reset_by_chaos = 0;
  uint64_t idle = 0;                                  // reset by the idle time-out
  uint64_t aborted = 0;                               // reset by the end of the run
  uint64_t drained = 0;                               // of `finished`, after the end was asked for
  uint64_t to_target_bytes = 0, to_client_bytes = 0;  // of connections that ended
};

// All of them, to be summed.
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
