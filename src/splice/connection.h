// SPDX-License-Identifier: BSD-3-Clause
// One spliced connection, from its acceptance to the close of both its sockets, which it owns. It
// never blocks: it is told what happened, does what can be done, and says when it wants to be
// called again. The worker's thread.

#ifndef TWINPATH_SPLICE_CONNECTION_H_
#define TWINPATH_SPLICE_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/splice/chaos.h"
#include "src/splice/direction.h"
#include "src/splice/log.h"
#include "src/splice/options.h"
#include "src/splice/pump.h"
#include "src/splice/sockmap.h"
#include "src/splice/targets.h"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath::splice {

// What the connections of a worker share. All outlive them.
struct Surroundings {
  const SplicerOptions& options;
  const Mode mode;
  Targets& targets;
  Log& log;
  Sockmap* const sockmap;  // kSockmap only
  const int epoll;
  PumpPool pool;
  SplicerCounters counters;
  bool draining = false;
};

// What telemetry tells of a connection, before it is made text: cheap to take.
struct ConnectionFacts {
  uint64_t number = 0;
  Address client, target;
  const char* mode = "";
  const char* state = "";
  Clock::duration age{};
  uint64_t forwarded[2] = {};  // [side]: octets that came from that side

  ConnectionSnapshot Snapshot() const;
};

class Connection {
 public:
  // One of the two sockets: what an epoll event points to.
  struct End {
    Connection* connection = nullptr;
    int side = 0;  // 0: the client's, 1: the target's
    FileDescriptor fd;
    uint32_t interest = 0;  // as epoll knows it
    bool registered = false;
  };

  Connection(Surroundings* surroundings, FileDescriptor client, uint64_t number,
             const ConnectionFate& fate, Clock::time_point now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void Start(Clock::time_point now);
  void OnSocket(int side, uint32_t events, Clock::time_point now);
  void OnFlow(int slot, Clock::time_point now);  // the program asked, for one of this pair's slots
  void OnTime(Clock::time_point now);            // deadline() has come, or there is more to do
  // Resets both sides at once.
  void Abort();

  bool closed() const { return phase_ == Phase::kClosed; }
  bool busy() const { return again_; }  // call OnTime() after others had their turn
  Clock::time_point deadline() const;
  int pair() const { return pair_; }  // the even slot; negative: none

  uint64_t Forwarded(int side) const;  // octets that came from this side
  ConnectionFacts Facts(Clock::time_point now) const;

 private:
  // By which it is seen that something moves; octets that a receiver takes of what waits for it
  // count, too.
  struct Traffic {
    uint64_t forwarded[2] = {}, waiting[2] = {};  // [side]: from that side
    bool operator==(const Traffic&) const = default;
    // Whether it is another one than the last, which it is from now on.
    bool Moved(const Traffic& now) { return std::exchange(*this, now) != now; }
  };

  enum class Phase { kConnecting, kForwarding, kResetting, kClosed };

  void TryNextTarget(Clock::time_point now);
  void TargetFailed(int error, Clock::time_point now);
  void Establish(Clock::time_point now);
  void MakeDirections();
  void RunDirection(int side, Clock::time_point now);
  void RunAll(Clock::time_point now);
  void PassFin(int side, Clock::time_point now);
  void Poll(Clock::time_point now);
  Traffic TrafficNow() const;
  void CheckIdle(Clock::time_point now);
  // Resets both sides, once what came before is delivered, or a second later.
  void BeginReset(uint64_t SplicerCounters::*counter, Clock::time_point now);
  void ContinueReset(Clock::time_point now);
  void Close(uint64_t SplicerCounters::*counter, bool reset);
  void Watch(int side, uint32_t interest);
  void WatchBoth();

  Surroundings& around_;
  const uint64_t number_;
  const ConnectionFate fate_;
  const Clock::time_point accepted_at_;
  const Address client_;
  Phase phase_ = Phase::kConnecting;
  End ends_[2];
  std::unique_ptr<Direction> directions_[2];  // [side]: from that side
  bool fin_passed_[2] = {};                   // [side]: that side's FIN, to the other
  bool failed_[2] = {};                       // [side]: that side's socket is dead
  Mode mode_;
  int pair_ = -1;
  bool again_ = false;
  uint64_t SplicerCounters::*reset_counter_ = nullptr;
  std::vector<size_t> order_;  // of targets to try
  size_t tried_ = 0;
  Traffic seen_by_idle_, seen_by_poll_;
  Clock::duration poll_interval_{};
  // Clock::time_point::max(): none.
  Clock::time_point poll_at_, idle_at_, idle_since_, give_up_at_, chaos_at_;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECTION_H_
