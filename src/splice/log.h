// SPDX-License-Identifier: BSD-3-Clause
// Lines for a person, at most so many a second: a flood of failing connections is told by a number.
// Any thread.

#ifndef TWINPATH_SPLICE_LOG_H_
#define TWINPATH_SPLICE_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace twinpath::splice {

class Log {
 public:
  static constexpr int kLinesPerSecond = 10;

  // `write` is called with one line, without its end, by one thread at a time.
  explicit Log(std::function<void(const std::string&)> write) : write_(std::move(write)) {}

  void Line(const std::string& text, std::chrono::steady_clock::time_point now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (now - second_ >= std::chrono::seconds(1)) {
      if (left_out_ != 0) write_(std::to_string(left_out_) + " more lines were left out");
      second_ = now;
      lines_ = 0;
      left_out_ = 0;
    }
    if (lines_++ < kLinesPerSecond)
      write_(text);
    else
      left_out_++;
  }

 private:
  const std::function<void(const std::string&)> write_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point second_ = {};
  int lines_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_LOG_H_
