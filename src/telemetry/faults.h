// SPDX-License-Identifier: BSD-3-Clause
// Records the faults around a running datapath: one log line when a fault begins, one when it ends,
// and counts for telemetry. Only the watching thread writes; any thread may call List.

#ifndef TWINPATH_TELEMETRY_FAULTS_H_
#define TWINPATH_TELEMETRY_FAULTS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "src/telemetry/snapshot.h"

namespace twinpath {

class FaultLedger {
 public:
  // A clock that does not jump.
  using Clock = std::chrono::steady_clock;
  // Log lines about one fault within kWindow, at most. Further lines are counted, and reported in
  // one line after the window.
  static constexpr uint32_t kLinesPerWindow = 6;
  static constexpr std::chrono::seconds kWindow{10};

  // `log` is called with each line, on the watching thread. Empty: no log.
  explicit FaultLedger(std::function<void(const std::string&)> log) : log_(std::move(log)) {}

  // Sets whether `subject` ("port lan") has the fault `what` ("link_down"). If that is a change,
  // logs the subject and `line`, with the duration when the fault ends. Returns whether it was a
  // change.
  bool Set(const std::string& subject, const std::string& what, bool wrong, const std::string& line,
           Clock::time_point now);
  // Begins a fault that was found at `now` but began at `since`. Returns false if it is active
  // already.
  bool Begin(const std::string& subject, const std::string& what, const std::string& line,
             Clock::time_point since, Clock::time_point now);

  // Logs a line that is not about a fault.
  void Note(const std::string& line) const {
    if (log_) log_(line);
  }
  // Reports lines that were held back. Call it a few times a second.
  void Tick(Clock::time_point now);

  // All faults so far, in the order of their first begin.
  std::vector<FaultSnapshot> List() const;

 private:
  struct Fault {
    std::string subject, what, line;
    bool active = false;
    uint64_t times = 0;
    Clock::time_point since;
    Clock::duration last{}, total{};  // of faults that ended
    Clock::time_point window;
    uint32_t lines = 0, held_back = 0;
  };
  Fault* Find(const std::string& subject, const std::string& what);
  void Log(Fault* fault, const std::string& line, Clock::time_point now);

  const std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;  // guards faults_; only the watching thread writes
  std::vector<Fault> faults_;
};

// "3.25 s"
std::string Seconds(FaultLedger::Clock::duration duration);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FAULTS_H_
