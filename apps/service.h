// SPDX-License-Identifier: BSD-3-Clause
// Tells a service manager, by datagrams to $NOTIFY_SOCKET (sd_notify(3)), that the program is
// ready, that every worker still makes progress, and that the program stops. Does nothing without a
// service manager. The main thread constructs it before it starts other threads. A separate thread
// feeds the watchdog.

#ifndef TWINPATH_APPS_SERVICE_H_
#define TWINPATH_APPS_SERVICE_H_

#include <sched.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace twinpath {

class Service {
 public:
  // Returns one number for each worker. A worker that makes progress changes its number. Called on
  // the watchdog's thread.
  using Progress = std::function<std::vector<uint64_t>()>;

  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  Service();
  ~Service() { Stopping(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Reports that the program is ready; `status` is one line. From now on feeds the watchdog as long
  // as every worker makes progress. The objects that `progress` reads must exist until Stopping.
  void Ready(const std::string& status, Progress progress);
  // Reports that the program stops, and stops feeding the watchdog. A second call does nothing.
  void Stopping();

 private:
  void Notify(const std::string& message) const;
  void Watch();

  std::string socket_;                  // empty: there is no service manager
  std::chrono::microseconds watchdog_;  // its time-out; 0: no watchdog
  cpu_set_t cpus_;  // the process's CPUs before EAL binds this thread to an lcore's CPU
  Progress progress_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ready_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_SERVICE_H_
