// SPDX-License-Identifier: BSD-3-Clause
// The list of faults only grows. It has at most one entry for each kind of fault on each port and
// lcore.

#include "src/telemetry/faults.h"

#include <algorithm>
#include <cstdio>

namespace twinpath {
namespace {

uint64_t Milliseconds(FaultLedger::Clock::duration duration) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

std::string Seconds(FaultLedger::Clock::duration duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f s", std::chrono::duration<double>(duration).count());
  return text;
}

FaultLedger::Fault* FaultLedger::Find(const std::string& subject, const std::string& what) {
  const auto found = std::find_if(faults_.begin(), faults_.end(), [&](const Fault& fault) {
    return fault.subject == subject && fault.what == what;
  });
  return found == faults_.end() ? nullptr : &*found;
}

bool FaultLedger::Set(const std::string& subject, const std::string& what, bool wrong,
                      const std::string& line, Clock::time_point now) {
  if (wrong) return Begin(subject, what, line, now, now);
  const std::lock_guard<std::mutex> lock(mutex_);
  Fault* fault = Find(subject, what);
  if (fault == nullptr || !fault->active) return false;
  fault->active = false;
  fault->last = now - fault->since;
  fault->total += fault->last;
  Log(fault, line + ", after " + Seconds(fault->last), now);
  return true;
}

bool FaultLedger::Begin(const std::string& subject, const std::string& what,
                        const std::string& line, Clock::time_point since, Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Fault* fault = Find(subject, what);
  if (fault == nullptr) {
    faults_.push_back({.subject = subject, .what = what, .line = "", .since = {}, .window = now});
    fault = &faults_.back();
  }
  if (fault->active) return false;
  fault->active = true;
  fault->times++;
  fault->since = since;
  Log(fault, line, now);
  return true;
}

void FaultLedger::Log(Fault* fault, const std::string& line, Clock::time_point now) {
  if (now - fault->window >= kWindow) {
    fault->window = now;
    fault->lines = 0;
  }
  fault->line = line;
  if (fault->lines++ >= kLinesPerWindow)
    fault->held_back++;
  else if (log_)
    log_(fault->subject + ": " + line);
}

void FaultLedger::Tick(Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Fault& fault : faults_) {
    if (fault.held_back == 0 || now - fault.window < kWindow) continue;
    if (log_) {
      log_(fault.subject + ": " + fault.line + " (the last of " + std::to_string(fault.held_back) +
           " lines held back; " + fault.what + " " + std::to_string(fault.times) +
           " times so far)");
    }
    fault.held_back = 0;
    fault.lines = 1;
    fault.window = now;
  }
}

std::vector<FaultSnapshot> FaultLedger::List() const {
  const auto now = Clock::now();
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<FaultSnapshot> list;
  for (const Fault& fault : faults_) {
    const auto current =
        fault.active ? std::max(now - fault.since, Clock::duration{}) : Clock::duration{};
    list.push_back({.subject = fault.subject,
                    .what = fault.what,
                    .active = fault.active,
                    .times = fault.times,
                    .last_ms = Milliseconds(fault.active ? current : fault.last),
                    .total_ms = Milliseconds(fault.total + current)});
  }
  return list;
}

}  // namespace twinpath
