// SPDX-License-Identifier: BSD-3-Clause
// What the servers of local sockets share: a thread that waits for its clients by poll, and how
// they are accepted.

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
  // Makes stop() readable, and joins the thread.
  ~ServerThread();

  // Runs `serve` on a thread called `name` (15 characters at most), which takes no signals: those
  // are the main thread's. `serve` returns when stop() is readable. `cpus` may be null: the
  // caller's. Once.
  void Start(const char* name, std::function<void()> serve, const cpu_set_t* cpus);
  int stop() const { return stop_.get(); }

 private:
  FileDescriptor stop_;
  std::thread thread_;
};

// Accepts connections, one at a time, and takes a rest where descriptors or memory ran out: who
// waits is served when there are some again.
class Acceptor {
 public:
  using Clock = std::chrono::steady_clock;

  // None is accepted before; mostly in the past.
  Clock::time_point rests_until() const { return rests_until_; }
  // Of none, where nobody waits any more, or the rest begins. It does not block.
  FileDescriptor Accept(int listener);

 private:
  Clock::time_point rests_until_;
};

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SERVER_SERVER_THREAD_H_
