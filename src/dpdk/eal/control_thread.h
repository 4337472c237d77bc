// SPDX-License-Identifier: BSD-3-Clause
// A thread that EAL keeps off the lcores' CPUs. Start and Join belong to the control thread.

#ifndef TWINPATH_DPDK_EAL_CONTROL_THREAD_H_
#define TWINPATH_DPDK_EAL_CONTROL_THREAD_H_

#include <functional>

#include "absl/status/status.h"

namespace twinpath {

class ControlThread {
 public:
  ControlThread() = default;
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Runs `function` on a thread named `name` (at most 15 characters). `function` must exist until
  // Join() returns. Call it once.
  absl::Status Start(const char* name, const std::function<void()>& function);
  // Waits until the function has returned. Call it only after Start succeeded.
  void Join();

 private:
  unsigned long id_ = 0;  // a pthread_t
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_CONTROL_THREAD_H_
