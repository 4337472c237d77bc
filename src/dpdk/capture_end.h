// SPDX-License-Identifier: BSD-3-Clause
// Finds out when all captures of a run have been read, for the profile's end_with_captures. Reading
// a file never has to wait for a frame, so if a whole turn receives no frame, every file has ended.
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
  // `ports` read only files. `ports` and `workers` must outlive this object.
  CaptureEnd(const std::vector<Port>& ports, const std::vector<std::unique_ptr<Worker>>& workers);

  // Whether, since the previous call, each worker made a whole turn without a frame, and no device
  // failed to deliver a frame. Call it repeatedly while the workers run.
  bool IsReached();

 private:
  struct Progress {
    uint64_t turns = 0, packets = 0;
  };
  std::vector<Progress> ReadWorkers() const;
  uint64_t Undelivered() const;

  const std::vector<Port>& ports_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Progress> before_;
  uint64_t undelivered_before_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_CAPTURE_END_H_
