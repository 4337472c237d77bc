// SPDX-License-Identifier: BSD-3-Clause
// The data that the connections of one worker share. The worker owns it; it outlives the
// connections. The worker's thread.

#ifndef TWINPATH_SPLICE_WORKER_CONTEXT_H_
#define TWINPATH_SPLICE_WORKER_CONTEXT_H_

#include "src/splice/connect/targets.h"
#include "src/splice/forward/pump.h"
#include "src/splice/forward/sockmap.h"
#include "src/splice/options.h"
#include "src/splice/rate_limited_log.h"

namespace twinpath::splice {

struct WorkerContext {
  const SplicerOptions& options;
  const Mode mode;
  Targets& targets;
  RateLimitedLog& log;
  Sockmap* const sockmap;  // nullptr unless in mode sockmap
  const int epoll;
  PumpPool pool;
  SplicerCounters counters;
  bool draining = false;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_WORKER_CONTEXT_H_
