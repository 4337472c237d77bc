// SPDX-License-Identifier: BSD-3-Clause
// The faults around a running datapath: one log line when a fault begins, one when it ends, and
// counts for telemetry. One thread watches and writes; List is for any thread.

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
  // The most log lines about one fault in kWindow. Further lines are counted, and reported in one
  // line after the window.
  static constexpr uint32_t kLinesAWindow = 6;
  static constexpr std::chrono::seconds kWindow{10};

  // `say` is called with each line, on the watching thread; empty: nothing is logged.
  explicit FaultLedger(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  // Sets whether `subject` ("port lan") has the fault `what` ("link_down"). A change is logged as
  // `line`, after the subject; at the end with the duration. Returns whether it was a change; else
  // nothing happens.
  bool Set(const std::string& subject, const std::string& what, bool wrong, const std::string& line,
           Clock::time_point now);
  // Begins a fault that is seen at `now`, but began at `since`.
  bool Begin(const std::string& subject, const std::string& what, const std::string& line,
             Clock::time_point since, Clock::time_point now);

  // Logs a line about no fault.
  void Note(const std::string& line) const {
    if (say_) say_(line);
  }
  // To be called a few times a second: reports lines that were held back.
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
  void Say(Fault* fault, const std::string& line, Clock::time_point now);

  const std::function<void(const std::string&)> say_;
  mutable std::mutex mutex_;  // guards faults_; only the watching thread writes
  std::vector<Fault> faults_;
};

// "3.25 s"
std::string Seconds(FaultLedger::Clock::duration duration);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FAULTS_H_
