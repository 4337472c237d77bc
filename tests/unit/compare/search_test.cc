// SPDX-License-Identifier: BSD-3-Clause
// The search for throughput on engines that are formulas.

#include "src/compare/measure/search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace twinpath {
namespace {

// An engine that carries up to `limit` packets a second, and a generator that sends up to `most`.
ThroughputSearch Searched(double limit, double most, double overloaded = 1,
                          const SearchSettings& settings = {}) {
  ThroughputSearch search(settings);
  for (int i = 0; i < 100; i++) {
    const std::optional<double> rate = search.Next();
    if (!rate) return search;
    const double sent = *rate == kMaxRate ? most : std::min(*rate, most);
    search.Add({.rate = sent,
                .received = sent <= limit ? sent : limit * overloaded,
                .passed = sent <= limit});
  }
  ADD_FAILURE() << "the search does not end";
  return search;
}

TEST(SearchTest, AnEngineThatCarriesAllNeedsOneTrial) {
  const ThroughputSearch search = Searched(10e6, 8e6);
  EXPECT_EQ(search.trials(), 1u);
  EXPECT_EQ(search.throughput(), 8e6);
  EXPECT_TRUE(search.generator_limited());
}

TEST(SearchTest, FindsTheLimitFromBelowWithinTheResolution) {
  for (double limit : {3e3, 47e3, 1e6, 3.3e6, 7.9e6}) {
    for (double overloaded : {1.0, 0.5, 0.0}) {
      const ThroughputSearch search =
          Searched(limit, 8e6, overloaded, {.resolution = 0.05, .most = 20});
      EXPECT_LE(search.throughput(), limit);
      EXPECT_GE(search.throughput(), 0.95 * limit - 1) << limit << " " << overloaded;
      EXPECT_FALSE(search.generator_limited());
    }
  }
}

// 0.95 of what came through passes, and is within 5 % of the limit... of a generator's maximum
// that is not much higher.
TEST(SearchTest, WhatCameThroughIsTheFirstGuess) {
  ThroughputSearch search({});
  EXPECT_EQ(search.Next(), kMaxRate);
  search.Add({.rate = 8e6, .received = 2e6, .passed = false});
  EXPECT_EQ(search.Next(), 1.9e6);
}

TEST(SearchTest, AnEngineThatCarriesNothingHasNoThroughput) {
  const ThroughputSearch search = Searched(0, 8e6, 1, {.most = 30});
  EXPECT_EQ(search.throughput(), 0);
  EXPECT_FALSE(search.generator_limited());
}

TEST(SearchTest, EndsAtItsMostTrials) {
  const ThroughputSearch search = Searched(3e3, 8e6, 0, {.resolution = 1e-6, .most = 7});
  EXPECT_EQ(search.trials(), 7u);
}

// A disturbed trial failed at a rate that passes now.
TEST(SearchTest, ARateThatPassesRaisesTheUpperBound) {
  ThroughputSearch search({});
  search.Add({.rate = 2e6, .received = 1e6, .passed = false});
  search.Add({.rate = 3e6, .received = 3e6, .passed = true});
  EXPECT_EQ(search.throughput(), 3e6);
  EXPECT_EQ(search.Next(), std::nullopt);
}

}  // namespace
}  // namespace twinpath
