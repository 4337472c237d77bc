// SPDX-License-Identifier: BSD-3-Clause
// What became of a stream, against counts known by construction and against definitions.

#include "src/traffic/receive/stream_account.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "src/traffic/frames/tag.h"

namespace twinpath {
namespace {

StreamAccount Account(const std::vector<uint64_t>& arrivals) {
  StreamAccount account;
  for (const uint64_t number : arrivals) account.Add(number, 0, 0);
  return account;
}

TEST(StreamAccountTest, InOrder) {
  const StreamAccount account = Account({0, 1, 2, 3});
  EXPECT_EQ(4U, account.received());
  EXPECT_EQ(0U, account.Lost(std::nullopt));
  EXPECT_EQ(2U, account.Lost(6));
  EXPECT_EQ(0U, account.duplicated());
  EXPECT_EQ(0U, account.reordered());
  EXPECT_EQ(3U, account.highest());
}

TEST(StreamAccountTest, NothingArrived) {
  const StreamAccount account;
  EXPECT_EQ(0U, account.Lost(std::nullopt));
  EXPECT_EQ(9U, account.Lost(9));
  EXPECT_EQ(0, account.transit().Percentile(0.5));
}

TEST(StreamAccountTest, LostAndDuplicated) {
  const StreamAccount account = Account({2, 3, 3, 5, 3, 9});
  EXPECT_EQ(2U, account.first());
  EXPECT_EQ(4U, account.received());
  EXPECT_EQ(2U, account.duplicated());
  EXPECT_EQ(6U, account.Lost(std::nullopt));  // 0 1 4 6 7 8
  EXPECT_EQ(0U, account.reordered());         // a duplicate is not reordered
}

// The first example of RFC 4737, section 7.1 ff.: packet 4 arrives after 5 to 8 ("a late packet").
TEST(StreamAccountTest, ExtentOfALatePacket) {
  const StreamAccount account = Account({1, 2, 3, 5, 6, 7, 8, 4, 9, 10});
  EXPECT_EQ(1U, account.reordered());
  EXPECT_EQ(4, account.extents().max());
}

TEST(StreamAccountTest, ExtentsOfABurstThatOverTook) {
  // 7 to 9 overtook 4 to 6: each is late by three arrivals, then four, then five.
  const StreamAccount account = Account({1, 2, 3, 7, 8, 9, 4, 5, 6, 10});
  EXPECT_EQ(3U, account.reordered());
  const auto buckets = account.extents().buckets();
  ASSERT_EQ(3U, buckets.size());
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(static_cast<int64_t>(i + 3), buckets[i].low);
    EXPECT_EQ(1U, buckets[i].count);
  }
}

TEST(StreamAccountTest, OrderWithinFlows) {
  StreamAccount account;
  account.Add(0, 100, 0);
  account.Add(2, 100, 0);
  account.Add(1, 200, 0);  // reordered in the stream alone
  account.Add(5, 200, 0);
  account.Add(4, 200, 0);  // reordered in both
  EXPECT_EQ(2U, account.reordered());
  EXPECT_EQ(1U, account.reordered_in_flow());
  EXPECT_EQ(2U, account.flows());
}

TEST(StreamAccountTest, AgreesWithTheDefinitionsOnRandomStreams) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 30; round++) {
    // Loses a tenth, duplicates a tenth, and moves a tenth back by up to 300 places.
    std::vector<std::pair<uint64_t, uint64_t>> order;  // (place, number)
    uint64_t sent = 3000;
    for (uint64_t n = 0; n < sent; n++) {
      if (random() % 10 == 0) continue;
      order.emplace_back(2 * n, n);
      if (random() % 10 == 0) order.emplace_back(2 * (n + random() % 200) + 1, n);
      if (random() % 10 == 0) order.back().first += random() % 600;
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    StreamAccount account;
    std::set<uint64_t> seen;
    std::vector<uint64_t> unique;
    uint64_t duplicated = 0, reordered = 0, late = 0;
    for (const auto& [place, number] : order) {
      account.Add(number, number % 5, 0);
      if (!seen.insert(number).second) {
        duplicated++;
        continue;
      }
      const auto first = std::find_if(unique.begin(), unique.end(),
                                      [n = number](uint64_t other) { return other > n; });
      if (first != unique.end()) {
        reordered++;
        late += static_cast<uint64_t>(unique.end() - first);
      }
      unique.push_back(number);
    }
    EXPECT_EQ(unique.size(), account.received());
    EXPECT_EQ(sent - unique.size(), account.Lost(sent));
    EXPECT_EQ(duplicated, account.duplicated());
    EXPECT_EQ(reordered, account.reordered());
    EXPECT_EQ(reordered, account.extents().count());
    EXPECT_DOUBLE_EQ(static_cast<double>(late),
                     account.extents().mean() * static_cast<double>(reordered));
  }
}

TEST(StreamAccountTest, FarJumpsKeepTheWindowExact) {
  NumberWindow window;
  constexpr uint64_t kWindow = NumberWindow::kWindow;
  using Added = NumberWindow::Added;
  EXPECT_EQ(Added::kNew, window.Add(5));
  EXPECT_EQ(Added::kNew, window.Add(kWindow - 1));
  EXPECT_EQ(Added::kAgain, window.Add(5));
  EXPECT_EQ(Added::kNew, window.Add(kWindow + 64));
  EXPECT_EQ(Added::kTooOld, window.Add(5));
  EXPECT_EQ(Added::kNew, window.Add(128));
  EXPECT_EQ(Added::kNew, window.Add(10 * kWindow + 7));
  EXPECT_EQ(Added::kNew, window.Add(9 * kWindow + 100));
  EXPECT_EQ(Added::kAgain, window.Add(9 * kWindow + 100));
  EXPECT_EQ(Added::kTooOld, window.Add(kWindow - 1));
  EXPECT_EQ(Added::kNew, window.Add((uint64_t{1} << 48) - 1));
  EXPECT_EQ(Added::kAgain, window.Add((uint64_t{1} << 48) - 1));
}

TEST(StreamAccountTest, JitterOfRfc3550) {
  StreamAccount account;
  // Transit times 100, 116, 100: D is 16 twice.
  account.Add(0, 0, 100);
  EXPECT_DOUBLE_EQ(0, account.jitter());
  account.Add(1, 0, 116);
  EXPECT_DOUBLE_EQ(1, account.jitter());
  account.Add(2, 0, 100);
  EXPECT_DOUBLE_EQ(1 + 15.0 / 16, account.jitter());
  account.Add(2, 0, 5000);  // a duplicate has no time of its own
  EXPECT_EQ(2U, account.variation().count());
  EXPECT_EQ(16, account.variation().max());
  EXPECT_EQ(3U, account.transit().count());
  EXPECT_EQ(116, account.transit().max());
}

TEST(DistributionTest, PercentilesAreAtMost3Point2PercentTooHigh) {
  Distribution distribution;
  std::mt19937_64 random(2);
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; i++) {
    const int64_t value =
        static_cast<int64_t>(std::exp(static_cast<double>(random() % 4000) / 100));
    values.push_back(random() % 4 == 0 ? -value : value);
    distribution.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values.front(), distribution.min());
  EXPECT_EQ(values.back(), distribution.max());
  for (const double share : {0.0001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const int64_t exact = values[static_cast<size_t>(std::ceil(share * 20'000)) - 1];
    const int64_t shown = distribution.Percentile(share);
    EXPECT_GE(shown, exact);
    EXPECT_LE(static_cast<double>(shown - exact),
              0.032 * std::abs(static_cast<double>(exact)) + 1e-9);
  }
  uint64_t count = 0;
  int64_t last = INT64_MIN;
  for (const auto& bucket : distribution.buckets()) {
    EXPECT_GT(bucket.low, last);
    EXPECT_LE(bucket.low, bucket.high);
    last = bucket.high;
    count += bucket.count;
  }
  EXPECT_EQ(20'000U, count);
}

TEST(DistributionTest, SmallValuesAreExact) {
  Distribution distribution;
  for (int64_t value = -63; value <= 63; value++) distribution.Add(value);
  const auto buckets = distribution.buckets();
  ASSERT_EQ(127U, buckets.size());
  for (size_t i = 0; i < 127; i++) {
    EXPECT_EQ(static_cast<int64_t>(i) - 63, buckets[i].low);
    EXPECT_EQ(buckets[i].low, buckets[i].high);
  }
}

TEST(TagTest, TransitOverTheEndOf48Bits) {
  EXPECT_EQ(30, TagTransit(0xffffffffffff - 9, 20));
  EXPECT_EQ(-30, TagTransit(20, 0xffffffffffff - 9));
  EXPECT_EQ(5, TagTransit(0x123456789abc, 0x7777123456789ac1));
}

}  // namespace
}  // namespace twinpath
