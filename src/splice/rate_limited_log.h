// SPDX-License-Identifier: BSD-3-Clause
// Writes at most 10 log lines per second. If there are more, it reports the number of lines that
// were left out. Any thread.

#ifndef TWINPATH_SPLICE_RATE_LIMITED_LOG_H_
#define TWINPATH_SPLICE_RATE_LIMITED_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace twinpath::splice {

class RateLimitedLog {
 public:
  static constexpr int kLinesPerSecond = 10;

  // `write` receives one line without a newline. Only one thread calls it at a time.
  explicit RateLimitedLog(std::function<void(const std::string&)> write)
      : write_(std::move(write)) {}

  void Line(const std::string& text, std::chrono::steady_clock::time_point now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (now - second_ >= std::chrono::seconds(1)) {
      ReportLeftOut();
      second_ = now;
      lines_ = 0;
    }
    if (lines_++ < kLinesPerSecond)
      write_(text);
    else
      left_out_++;
  }

  // Reports the lines left out since the last report. Call it when no more lines follow.
  void Finish() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ReportLeftOut();
  }

 private:
  void ReportLeftOut() {
    const uint64_t count = std::exchange(left_out_, 0);
    if (count == 0) return;
    write_(std::to_string(count) + (count == 1 ? " more line was" : " more lines were") +
           " left out (the limit is " + std::to_string(kLinesPerSecond) + " per second)");
  }

  const std::function<void(const std::string&)> write_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point second_ = {};
  int lines_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_RATE_LIMITED_LOG_H_
