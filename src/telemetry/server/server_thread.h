// SPDX-License-Identifier: BSD-3-Clause
// The common parts of servers on local sockets: the thread, and accepting clients.

#ifndef TWINPATH_TELEMETRY_SERVER_SERVER_THREAD_H_
#define TWINPATH_TELEMETRY_SERVER_SERVER_THREAD_H_

#include <sched.h>

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "src/kernel/file_descriptor.h"

namespace twinpath {

class ServerThread {
 public:
  // `stop` is an eventfd.
  explicit ServerThread(FileDescriptor stop) : stop_(std::move(stop)) {}
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  // Makes stop() readable and joins the thread.
  ~ServerThread();

  // Runs `serve` on a thread called `name` (at most 15 characters). All signals are blocked there,
  // so that the main thread gets them. `serve` must return when stop() is readable. The thread runs
  // on `cpus` (null: those of the caller). Call it once.
  void Start(const char* name, std::function<void()> serve, const cpu_set_t* cpus);
  int stop() const { return stop_.get(); }

 private:
  FileDescriptor stop_;
  std::thread thread_;
};

// Accepts connections, one at a time. Pauses for 100 ms when descriptors or memory have run out,
// because the listener stays readable meanwhile. Waiting clients are accepted afterwards.
class Acceptor {
 public:
  using Clock = std::chrono::steady_clock;

  // The end of the last pause; usually in the past.
  Clock::time_point rests_until() const { return rests_until_; }
  // Does not block. Returns no descriptor if no client waits or a pause begins.
  FileDescriptor Accept(int listener);

 private:
  Clock::time_point rests_until_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_SERVER_THREAD_H_
