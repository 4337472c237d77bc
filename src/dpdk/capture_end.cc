// SPDX-License-Identifier: BSD-3-Clause
// Compares the workers' counters with those of an earlier call.

#include "src/dpdk/capture_end.h"

#include "src/telemetry/counters.h"

namespace twinpath {

CaptureEnd::CaptureEnd(const std::vector<Port>& ports,
                       const std::vector<std::unique_ptr<Worker>>& workers)
    : ports_(ports),
      workers_(workers),
      before_(ReadWorkers()),
      undelivered_before_(Undelivered()) {}

std::vector<CaptureEnd::Progress> CaptureEnd::ReadWorkers() const {
  std::vector<Progress> progress;
  for (const auto& worker : workers_) {
    const TurnCounters counters = CopyCounters(worker->turn_counters());
    progress.push_back({counters.turns, counters.packets});
  }
  return progress;
}

// Frames of files that reached no worker because no mbuf was free.
uint64_t CaptureEnd::Undelivered() const {
  uint64_t sum = 0;
  for (const Port& port : ports_) sum += port.NoMbuf();
  return sum;
}

bool CaptureEnd::IsReached() {
  const std::vector<Progress> now = ReadWorkers();
  const uint64_t undelivered = Undelivered();
  bool received = undelivered != undelivered_before_, turned = true;
  for (size_t i = 0; i < now.size(); i++) {
    received |= now[i].packets != before_[i].packets;
    // If two turns have ended since the last call, the second one also began after it.
    turned &= now[i].turns >= before_[i].turns + 2;
  }
  if (received) {
    before_ = now;
    undelivered_before_ = undelivered;
  }
  return turned && !received;
}

}  // namespace twinpath
