// SPDX-License-Identifier: BSD-3-Clause
// What a service manager is told, by datagrams to $NOTIFY_SOCKET as sd_notify(3) has them: that the
// program runs, that every worker still makes progress, and that it ends. Nothing where no service
// manager asked. Made by the main thread before it has others; one thread of its own feeds the
// watchdog.

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
  // One number a worker, which is another one than before after it made progress. Called by the
  // watchdog's thread.
  using Progress = std::function<std::vector<uint64_t>()>;

  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  Service();
  ~Service() { Stopping(); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // The program does what it is for, as `status` says in a line. From now on the watchdog is fed,
  // while every worker makes progress; what `progress` looks at must be there until Stopping.
  void Ready(const std::string& status, Progress progress);
  // The program is about to end. The watchdog is fed no more. Once is enough; again does nothing.
  void Stopping();

 private:
  void Tell(const std::string& message) const;
  void Watch();

  std::string socket_;                  // empty: nobody asked
  std::chrono::microseconds watchdog_;  // between two meals at most; 0: no watchdog
  cpu_set_t cpus_;  // of the process, before a thread of it was tied to an lcore's CPU
  Progress progress_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ready_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace twinpath

#endif  // TWINPATH_APPS_SERVICE_H_
