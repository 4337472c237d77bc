// SPDX-License-Identifier: BSD-3-Clause
// The counters of the queues, summed over both generations. The kernel may write them meanwhile.
// The caller must hold its lock against a reload.

#ifndef TWINPATH_XDP_PROGRAM_COUNTERS_H_
#define TWINPATH_XDP_PROGRAM_COUNTERS_H_

#include <cstdint>

#include "src/policy/types.h"
#include "src/xdp/program/maps.h"
#include "src/xdp/program/streams.h"

namespace twinpath {

class XdpCounters {
 public:
  // `maps` and `streams` must outlive this object.
  XdpCounters(const XdpMaps& maps, const XdpStreams& streams) : maps_(maps), streams_(streams) {}

  // The counts of a queue so far.
  tp_queue_counters Of(size_t port, uint32_t queue) const;
  tp_queue_extras Extras(size_t port, uint32_t queue) const;
  // The CPU that last served the queue; -1: none yet.
  int32_t Cpu(size_t port, uint32_t queue) const;

 private:
  const XdpMaps& maps_;
  const XdpStreams& streams_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_COUNTERS_H_
