// SPDX-License-Identifier: BSD-3-Clause
// One thread that accepts and serves connections, by epoll. The control thread starts it, asks for
// snapshots, and has it drain and end.

#ifndef TWINPATH_SPLICE_WORKER_H_
#define TWINPATH_SPLICE_WORKER_H_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/splice/connection.h"
#include "src/splice/log.h"
#include "src/splice/options.h"
#include "src/splice/sockmap.h"
#include "src/splice/targets.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath::splice {

// What the workers share.
struct Shared {
  const SplicerOptions& options;
  const Mode mode;
  const int listener;
  Targets& targets;
  Log& log;
  std::atomic<uint64_t> accepted{0};  // numbers the connections
  std::atomic<uint32_t> open{0};
};

class Worker {
 public:
  // `sockmap` in mode sockmap only. The thread starts at once.
  static absl::StatusOr<std::unique_ptr<Worker>> Start(Shared* shared,
                                                       std::unique_ptr<Sockmap> sockmap);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Resets what is open and joins the thread.
  ~Worker();

  // Accepts no more; connections that are open go on.
  void Drain();
  // Resets what is open, and ends the thread.
  void End();

  // How often it has turned; has it turn once more. Any thread.
  uint64_t Nudge();

  // Adds what this worker counted, and its connections. Any thread.
  void AddTo(Clock::time_point now, SplicerCounters* counters,
             std::vector<ConnectionSnapshot>* connections) const;

 private:
  enum class Order { kNone, kDrain, kEnd };
  using Timers = std::multimap<Clock::time_point, Connection*>;
  struct Entry {
    std::unique_ptr<Connection> connection;
    Timers::iterator timer;  // timers_.end(): none
    bool queued = false;     // in ready_
  };

  Worker(Shared* shared, std::unique_ptr<Sockmap> sockmap, FileDescriptor epoll,
         FileDescriptor wake);
  void Tell(Order order);
  void Wake();
  void Loop();
  void Turn(int events);
  bool WatchListener(bool watched);
  void Accept(Clock::time_point now);
  void Refuse(FileDescriptor client, uint64_t SplicerCounters::*counter, const char* why,
              Clock::time_point now);
  void TakeFlowEvents(Clock::time_point now);
  void RunTimers(Clock::time_point now);
  // After a connection was called: its timer, its next turn, its end.
  void Settle(Connection* connection);
  void RemoveClosed();
  int Timeout() const;

  Shared& shared_;
  const FileDescriptor epoll_, wake_;
  const std::unique_ptr<Sockmap> sockmap_;
  std::atomic<Order> order_ = Order::kNone;
  std::atomic<uint64_t> turns_ = 0;  // worker: rw, others: ro
  // The thread holds it while it serves what epoll reported, not while it waits: snapshots may be
  // taken by another thread, and nobody else ever waits for it.
  mutable std::mutex mutex_;
  Surroundings around_;
  bool accepting_ = true;
  Clock::time_point accept_at_ = Clock::time_point::max();  // again, when descriptors had run out
  std::unordered_map<Connection*, Entry> connections_;
  Timers timers_;
  std::vector<Connection*> ready_, closed_;
  std::vector<Connection*> by_pair_;
  std::thread thread_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_WORKER_H_
