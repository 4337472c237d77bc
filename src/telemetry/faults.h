// SPDX-License-Identifier: BSD-3-Clause
// What went wrong around a running datapath and came right again: each fault is said in one line
// when it begins and in one when it ends, and counted for telemetry. Written by the one thread that
// watches; List is for any thread.

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
  // Of a clock that does not jump.
  using Clock = std::chrono::steady_clock;
  // Of the lines of one fault that comes and goes, in kWindow. What is beyond is counted, and said
  // in one line when the window is over.
  static constexpr uint32_t kLinesAWindow = 6;
  static constexpr std::chrono::seconds kWindow{10};

  // `say` gets the lines, on the watching thread; none: they are not said.
  explicit FaultLedger(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  // Now `subject` ("port lan") has the fault `what` ("link_down"), or no longer. `line` is what is
  // said if that is news, without the subject; the end's is followed by how long it was.
  // Where it is not news, nothing happens; returns whether it was.
  bool Set(const std::string& subject, const std::string& what, bool wrong, const std::string& line,
           Clock::time_point now);
  // The same, of what began at `since`, before it was seen at `now`.
  bool Begin(const std::string& subject, const std::string& what, const std::string& line,
             Clock::time_point since, Clock::time_point now);

  // Says a line that begins and ends nothing.
  void Note(const std::string& line) const {
    if (say_) say_(line);
  }
  // To be called now and then: says what was held back.
  void Tick(Clock::time_point now);

  // All that ever began, in the order in which they did so first.
  std::vector<FaultSnapshot> List() const;

 private:
  struct Fault {
    std::string subject, what, line;
    bool active = false;
    uint64_t times = 0;
    Clock::time_point since;
    Clock::duration last{}, total{};  // of those that ended
    Clock::time_point window;
    uint32_t lines = 0, held_back = 0;
  };
  Fault* Find(const std::string& subject, const std::string& what);
  void Say(Fault* fault, const std::string& line, Clock::time_point now);

  const std::function<void(const std::string&)> say_;
  mutable std::mutex mutex_;  // of faults_; the watching thread alone writes
  std::vector<Fault> faults_;
};

// "3.25 s"
std::string Seconds(FaultLedger::Clock::duration duration);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_FAULTS_H_
