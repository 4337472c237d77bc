// SPDX-License-Identifier: BSD-3-Clause
// Finds out when all captures of a run have been read, for the profile's end_with_captures. A file
// never lets a reader wait: so a turn in which no queue has a frame finds every file at its end.
// Control thread.

#ifndef TWINPATH_DPDK_CAPTURE_END_H_
#define TWINPATH_DPDK_CAPTURE_END_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "src/dpdk/port/port.h"
#include "src/dpdk/worker/worker.h"

namespace twinpath {

class CaptureEnd {
 public:
  // `ports` read files only, and must outlive this, as must `workers`.
  CaptureEnd(const std::vector<Port>& ports, const std::vector<std::unique_ptr<Worker>>& workers);

  // Whether, between two calls, each worker made a whole turn without a frame, and no device failed
  // to deliver one. To be called repeatedly while the workers run.
  bool IsReached();

 private:
  struct Seen {
    uint64_t turns = 0, packets = 0;
  };
  std::vector<Seen> LookAtWorkers() const;
  uint64_t Undelivered() const;

  const std::vector<Port>& ports_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Seen> before_;
  uint64_t undelivered_before_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_CAPTURE_END_H_
