// SPDX-License-Identifier: BSD-3-Clause
// One thread that accepts and serves connections with epoll. The control thread starts it, takes
// snapshots, and makes it drain and end.

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
#include "src/kernel/file_descriptor.h"
#include "src/splice/connect/targets.h"
#include "src/splice/connection.h"
#include "src/splice/forward/sockmap.h"
#include "src/splice/options.h"
#include "src/splice/rate_limited_log.h"
#include "src/splice/worker_context.h"

namespace twinpath::splice {

// The state that the workers share. The splicer owns it.
struct SharedState {
  const SplicerOptions& options;
  const Mode mode;
  const int listener;
  Targets& targets;
  RateLimitedLog& log;
  std::atomic<uint64_t> accepted{0};  // the number of the next connection
  std::atomic<uint32_t> open{0};
};

class Worker {
 public:
  // Starts the thread. `sockmap` is nullptr except in mode sockmap. `shared` must outlive the
  // worker.
  static absl::StatusOr<std::unique_ptr<Worker>> Start(SharedState* shared,
                                                       std::unique_ptr<Sockmap> sockmap);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Resets open connections and joins the thread.
  ~Worker();

  // Accepts no more connections. Open connections continue.
  void Drain();
  // Resets open connections and ends the thread.
  void End();

  // Wakes the thread, so that it completes a turn of its loop unless it is stalled. Returns how
  // many turns it has completed. Any thread.
  uint64_t WakeAndCountTurns();

  // Adds this worker's counters and open connections. Any thread.
  void AddTo(Clock::time_point now, SplicerCounters* counters,
             std::vector<ConnectionSnapshot>* connections) const;

 private:
  enum class Request { kNone, kDrain, kEnd };
  using Timers = std::multimap<Clock::time_point, Connection*>;
  struct Entry {
    std::unique_ptr<Connection> connection;
    Timers::iterator timer;  // timers_.end(): none
    bool queued = false;     // in ready_
  };

  Worker(SharedState* shared, std::unique_ptr<Sockmap> sockmap, FileDescriptor epoll,
         FileDescriptor wake);
  void Send(Request request);
  void Wake();
  void Loop();
  void Turn(int timeout_ms);
  void HandleEvent(void* tag, uint32_t events, Clock::time_point now);
  bool WatchListener();
  bool UnwatchListener();
  void StopAccepting();
  void Accept(Clock::time_point now);
  void AcceptFailed(int error, Clock::time_point now);
  void Serve(FileDescriptor client, Clock::time_point now);
  void Refuse(FileDescriptor client, uint64_t SplicerCounters::*counter);
  void TakeFlowEvents(Clock::time_point now);
  void RunTimers(Clock::time_point now);
  // Updates a connection's timer and its place in ready_ and closed_. Must be called after each
  // call of a connection.
  void Reschedule(Connection* connection);
  void RemoveClosed();
  int TimeoutMs() const;

  SharedState& shared_;
  const FileDescriptor epoll_, wake_;
  const std::unique_ptr<Sockmap> sockmap_;
  std::atomic<Request> request_ = Request::kNone;
  std::atomic<uint64_t> turns_ = 0;  // worker: rw, others: ro
  // Guards everything below. The worker holds it while it handles events, not while it waits for
  // them. Only snapshots contend for it.
  mutable std::mutex mutex_;
  WorkerContext context_;
  bool accepting_ = true;
  // When to accept again after descriptors ran out; Clock::time_point::max(): not paused.
  Clock::time_point accept_at_ = Clock::time_point::max();
  std::unordered_map<Connection*, Entry> connections_;
  Timers timers_;
  std::vector<Connection*> ready_;    // with has_more_work(), for the next turn
  std::vector<Connection*> closed_;   // removed at the end of this turn; may have duplicates
  std::vector<Connection*> by_pair_;  // [sockmap pair]; nullptr: free
  std::thread thread_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_WORKER_H_
