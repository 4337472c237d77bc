// SPDX-License-Identifier: BSD-3-Clause
// A thread of EAL that is no lcore: EAL keeps it away from the lcores' CPUs. Control thread.

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

  // Runs `function`, which must outlive Join(), on a thread named `name` (at most 15 characters).
  // Once.
  absl::Status Start(const char* name, const std::function<void()>& function);
  // Waits until the function has returned. Only after a Start that succeeded.
  void Join();

 private:
  unsigned long id_ = 0;  // a pthread_t
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_CONTROL_THREAD_H_
