// SPDX-License-Identifier: BSD-3-Clause
// One spliced connection, from accept() until both of its sockets are closed. It owns the sockets.
// It never blocks: the worker reports events to it, and it says when it must be called again. The
// worker's thread.

#ifndef TWINPATH_SPLICE_CONNECTION_H_
#define TWINPATH_SPLICE_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "src/kernel/file_descriptor.h"
#include "src/splice/chaos.h"
#include "src/splice/connect/target_connector.h"
#include "src/splice/connection_facts.h"
#include "src/splice/forward/direction.h"
#include "src/splice/worker_context.h"

namespace twinpath::splice {

class Connection {
 public:
  // One of the two sockets. Its epoll events point to it.
  struct Endpoint {
    Connection* connection = nullptr;
    int side = 0;  // 0: the client's socket, 1: the target's
    FileDescriptor fd;
    uint32_t interest = 0;  // events that epoll reports
    bool registered = false;
  };

  // `context` must outlive this object. `number` counts accepted connections, from 0.
  Connection(WorkerContext* context, FileDescriptor client, uint64_t number,
             const ConnectionFate& fate, Clock::time_point now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Starts to connect to a target.
  void Start(Clock::time_point now);
  // Called when epoll reported `events` for the socket of `side`.
  void OnSocket(int side, uint32_t events, Clock::time_point now);
  // Called when the BPF program reported an event for `slot`, one of the two slots of pair().
  void OnFlow(int slot, Clock::time_point now);
  // Called when deadline() has passed, or if has_more_work().
  void OnTimer(Clock::time_point now);
  // Resets both sides at once.
  void Abort();

  bool closed() const { return phase_ == Phase::kClosed; }
  // Whether OnTimer() must be called after other connections had a turn.
  bool has_more_work() const { return has_more_work_; }
  // When OnTimer() must be called; Clock::time_point::max(): never.
  Clock::time_point deadline() const;
  // The even one of its two sockmap slots; negative: none.
  int pair() const { return pair_; }

  ConnectionFacts Facts(Clock::time_point now) const;

 private:
  // Shows whether there is traffic. Acknowledgments of a receiver count as traffic, too.
  struct Traffic {
    uint64_t forwarded[2] = {}, unacknowledged[2] = {};  // [side]: from that side
    bool operator==(const Traffic&) const = default;
    // Stores `now`, and returns whether it differs from the previous value.
    bool Update(const Traffic& now) { return std::exchange(*this, now) != now; }
  };

  enum class Phase { kConnecting, kForwarding, kResetting, kClosed };
  enum class Ending { kFin, kReset };

  // Connecting.
  void ConnectToNextTarget(Clock::time_point now);
  void OnSocketWhileConnecting(int side, uint32_t events, Clock::time_point now);
  void Establish(Clock::time_point now);
  void MakeDirections();

  // Forwarding.
  void RunBoth(Clock::time_point now);
  void RunDirection(int side, Clock::time_point now);
  void SchedulePoll(Clock::time_point now);
  void CheckSettling(Clock::time_point now);
  void PassFin(int side, Clock::time_point now);
  void CheckIdle(Clock::time_point now);
  void FailDirection(int side, Progress progress, Clock::time_point now);
  uint64_t Forwarded(int side) const;  // bytes that came from `side`
  Traffic TrafficNow() const;

  // Ending.
  // Resets both sides when all earlier bytes are delivered, or after kResetGrace.
  void BeginReset(uint64_t SplicerCounters::*counter, Clock::time_point now);
  void ContinueReset(Clock::time_point now);
  void Close(uint64_t SplicerCounters::*counter, Ending ending);

  void Watch(int side, uint32_t interest);
  void WatchBoth();
  Clock::time_point NextPoll(Clock::time_point now);
  void Log(const std::string& text, Clock::time_point now);

  WorkerContext& context_;
  const uint64_t number_;
  const ConnectionFate fate_;
  const Clock::time_point accepted_at_;
  const Address client_;
  Phase phase_ = Phase::kConnecting;
  Endpoint endpoints_[2];
  TargetConnector connector_;
  std::unique_ptr<Direction> directions_[2];  // [side]: bytes from that side
  bool fin_passed_[2] = {};                   // [side]: that side's FIN was forwarded
  bool failed_[2] = {};                       // [side]: that side's socket has failed
  Mode mode_;
  int pair_ = -1;
  bool has_more_work_ = false;
  uint64_t SplicerCounters::*reset_counter_ = nullptr;  // in phase kResetting
  Traffic idle_traffic_, settling_traffic_;             // at the last check of each
  Clock::time_point idle_since_;
  Clock::duration poll_interval_{};
  // Deadlines; Clock::time_point::max(): none.
  Clock::time_point poll_at_, idle_check_at_, give_up_at_, chaos_at_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECTION_H_
