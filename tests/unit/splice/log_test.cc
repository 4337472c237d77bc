// SPDX-License-Identifier: BSD-3-Clause
// Log lines are limited to ten a second, and the lines left out are counted.

#include "src/splice/rate_limited_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace twinpath::splice {
namespace {

class RateLimitedLogTest : public ::testing::Test {
 protected:
  void Write(int count, std::chrono::milliseconds at) {
    for (int i = 0; i < count; i++)
      log_.Line("line", std::chrono::steady_clock::time_point(std::chrono::seconds(1000) + at));
  }

  std::vector<std::string> written_;
  RateLimitedLog log_{[this](const std::string& line) { written_.push_back(line); }};
};

using std::chrono::milliseconds;

TEST_F(RateLimitedLogTest, WritesTenLinesASecond) {
  Write(25, milliseconds(0));
  Write(5, milliseconds(999));
  EXPECT_EQ(written_, std::vector<std::string>(10, "line"));
}

TEST_F(RateLimitedLogTest, ReportsWhatWasLeftOutBeforeTheNextLine) {
  Write(27, milliseconds(0));
  Write(1, milliseconds(1000));
  ASSERT_EQ(written_.size(), 12u);
  EXPECT_EQ(written_[10], "17 more lines were left out (the limit is 10 per second)");
  EXPECT_EQ(written_[11], "line");
}

TEST_F(RateLimitedLogTest, ReportsWhatWasLeftOutAtTheEndOnce) {
  Write(11, milliseconds(0));
  log_.Finish();
  log_.Finish();
  ASSERT_EQ(written_.size(), 11u);
  EXPECT_EQ(written_[10], "1 more line was left out (the limit is 10 per second)");
}

TEST_F(RateLimitedLogTest, ReportsNothingAtTheEndIfNothingWasLeftOut) {
  Write(10, milliseconds(0));
  log_.Finish();
  EXPECT_EQ(written_.size(), 10u);
}

}  // namespace
}  // namespace twinpath::splice
