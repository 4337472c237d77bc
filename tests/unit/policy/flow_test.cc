// SPDX-License-Identifier: BSD-3-Clause
// The table of flows: a million flows in a given memory. When the sixteen places of a flow are
// full, the flow that was idle for longest is evicted, and counted. Several threads on one table
// take each packet number once. Also which packets belong to a flow.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"

namespace twinpath {
namespace {

constexpr char kFlowPolicy[] = R"({"version": 1, "seed": 7, "default": {"loss":
    {"model": "gilbert_elliott", "p": 0.1, "r": 0.3, "scope": "flow"}}})";

uint64_t Flow(uint64_t i) { return tp_mix(i * TP_GOLDEN + 1); }

// The contents of the table: the number of the next packet, by flow.
std::map<uint64_t, uint64_t> Held(const HostTables& tables) {
  std::map<uint64_t, uint64_t> held;
  for (const tp_flow_bucket& bucket : tables.buckets()) {
    for (int way = 0; way < TP_TABLE_WAYS; way++) {
      if (bucket.flow[way].key == 0) continue;
      EXPECT_TRUE(held.emplace(bucket.flow[way].key, bucket.flow[way].n).second) << "held twice";
    }
  }
  return held;
}

// Puts a million flows into a table of `memory` bytes, twice. Returns how many were evicted the
// first time.
uint64_t EvictedOfAMillion(uint64_t memory) {
  constexpr uint64_t kFlows = 1000000;
  HostTables tables(CompileText(kFlowPolicy), memory);
  HostQueue queue(tables);
  for (uint64_t i = 0; i < kFlows; i++) queue.LoseFlow(Flow(i));
  const uint64_t evicted = queue.extras().flows_evicted;
  EXPECT_EQ(queue.extras().flows_added, kFlows);
  uint64_t held = 0;
  for (const tp_flow_bucket& bucket : tables.buckets()) {
    for (int way = 0; way < TP_TABLE_WAYS; way++) held += bucket.flow[way].key != 0;
  }
  EXPECT_EQ(held, kFlows - evicted);
  const FlowTableShape& shape = tables.shape();
  EXPECT_LE(shape.bytes(), memory);
  std::cout << absl::StrFormat(
      "%d flows, %d MiB: %d places in %d bytes, %d bytes of locks, %d evicted\n", kFlows,
      memory >> 20, shape.places(), shape.bytes(), shape.regions * sizeof(tp_padded_region),
      evicted);
  if (evicted == 0) {  // then the table has each flow at its second packet
    for (uint64_t i = 0; i < kFlows; i++) queue.LoseFlow(Flow(i));
    EXPECT_EQ(queue.extras().flows_added, kFlows);
    EXPECT_EQ(queue.extras().flows_evicted, 0u);
  }
  return evicted;
}

// The figures of twinpath-loss(5), SCOPES.
TEST(FlowTable, HoldsAMillionFlows) {
  EXPECT_EQ(EvictedOfAMillion(uint64_t{64} << 20), 0u);  // the default: 48 % full
  EXPECT_EQ(EvictedOfAMillion(uint64_t{48} << 20), 0u);
  EXPECT_EQ(EvictedOfAMillion(uint64_t{40} << 20), 189u);
  EXPECT_EQ(EvictedOfAMillion(uint64_t{32} << 20), 25434u);
}

// A simple implementation of the table, as it is described.
class NaiveTable {
 public:
  // Whether the packet is the first of a flow. *evicted: the flow that was evicted for it.
  bool Take(const tp_place& place, uint64_t* evicted) {
    *evicted = 0;
    clock_++;
    for (uint32_t b : {place.first, place.second}) {
      for (Entry& entry : buckets_[b]) {
        if (entry.key != place.key) continue;
        entry.n++;
        entry.used_at = clock_;
        return false;
      }
    }
    std::vector<Entry>*first = &buckets_[place.first], *second = &buckets_[place.second];
    std::vector<Entry>* roomier =
        first->size() >= TP_TABLE_WAYS / 2 && second->size() < first->size() ? second : first;
    if (roomier->size() < TP_TABLE_WAYS) {
      roomier->push_back({place.key, 1, clock_});
      return true;
    }
    Entry* oldest = &first->front();
    for (std::vector<Entry>* bucket : {first, second}) {
      for (Entry& entry : *bucket) {
        if (entry.used_at < oldest->used_at) oldest = &entry;
      }
    }
    *evicted = oldest->key;
    *oldest = {place.key, 1, clock_};
    return true;
  }

  std::map<uint64_t, uint64_t> Held() const {
    std::map<uint64_t, uint64_t> held;
    for (const auto& [number, bucket] : buckets_) {
      for (const Entry& entry : bucket) held[entry.key] = entry.n;
    }
    return held;
  }

 private:
  struct Entry {
    uint64_t key, n, used_at;
  };
  std::map<uint32_t, std::vector<Entry>> buckets_;
  uint64_t clock_ = 0;
};

// The regions' counts of packets start at `clock`.
void ExpectLikeTheNaiveTable(uint32_t clock) {
  HostTables tables(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queue(tables);
  for (uint32_t r = 0; r < tables.shape().regions; r++)
    tables.flows()->regions[r].region.uses = clock;
  NaiveTable naive;
  std::mt19937 random(1);
  uint64_t added = 0, evictions = 0;
  for (int packet = 0; packet < 60000; packet++) {
    // A few flows often, many flows rarely, and more flows than places.
    const uint64_t flow = Flow(random() % (random() % 2 ? 500 : 3000));
    const tp_place place = tp_flow_place(tables.flows()->size, &tables.policy().rules[0], flow);
    uint64_t evicted;
    added += naive.Take(place, &evicted);
    evictions += evicted != 0;
    queue.LoseFlow(flow);
    ASSERT_EQ(queue.extras().flows_added, added);
    ASSERT_EQ(queue.extras().flows_evicted, evictions);
    if (packet % 1000 == 0) {
      ASSERT_EQ(Held(tables), naive.Held());
    }
  }
  EXPECT_EQ(Held(tables), naive.Held());
  EXPECT_GT(evictions, 1000u);
}

TEST(FlowTable, TheLongestIdleOfSixteenGoesAndIsCounted) { ExpectLikeTheNaiveTable(0); }

TEST(FlowTable, ItGoesByAgeAlsoWhereTheCountOfPacketsWraps) { ExpectLikeTheNaiveTable(0U - 5000); }

TEST(FlowTable, AFlowThatComesBackBeginsAnew) {
  HostTables tables(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queue(tables);
  std::vector<int> first, again;
  for (int n = 0; n < 200; n++) first.push_back(queue.LoseFlow(Flow(0)));
  for (uint64_t i = 1; i < 20000; i++) queue.LoseFlow(Flow(i));
  const uint64_t added = queue.extras().flows_added;
  for (int n = 0; n < 200; n++) again.push_back(queue.LoseFlow(Flow(0)));
  EXPECT_EQ(queue.extras().flows_added, added + 1);
  EXPECT_EQ(first, again);
}

// Each epoch of a rule has its own flows, with the same fates.
TEST(FlowTable, AnotherEpochBeginsAnew) {
  HostTables tables(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queue(tables);
  tp_rule later = tables.policy().rules[0];
  later.epoch = 1;
  for (int n = 0; n < 100; n++) {
    const int fate = queue.LoseFlow(Flow(0));
    ASSERT_EQ(tp_flow_lose(queue.datapath(), &later, 0, Flow(0)), fate);
  }
  EXPECT_EQ(queue.extras().flows_added, 2u);
}

TEST(FlowTable, WithoutATableNothingIsLost) {
  HostTables tables(CompileText(R"({"version": 1, "default": {"loss":
      {"model": "random", "rate": 1, "scope": "flow"}}})"));
  HostQueue queue(tables);
  for (uint64_t i = 0; i < 10; i++) EXPECT_EQ(queue.LoseFlow(Flow(i)), 0);
}

// Two threads on two queues take packets of the same flows. In any interleaving, each packet number
// is taken once, so a flow loses exactly what its first n packets lose.
TEST(FlowTable, ThreadsTakeEveryNumberOnce) {
  constexpr uint64_t kFlows = 50, kTaken = 400000;
  HostTables tables(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queues[] = {HostQueue(tables, 0), HostQueue(tables, 1)};
  uint64_t lost[2][kFlows] = {};
  const auto take = [&](uint32_t q) {
    std::mt19937 random(q);
    for (uint64_t i = 0; i < kTaken; i++) {
      const uint64_t flow = random() % kFlows;
      lost[q][flow] += static_cast<uint64_t>(queues[q].LoseFlow(Flow(flow)));
    }
  };
  std::thread other(take, 1);
  take(0);
  other.join();
  EXPECT_EQ(queues[0].extras().flows_added + queues[1].extras().flows_added, kFlows);
  const std::map<uint64_t, uint64_t> held = Held(tables);
  ASSERT_EQ(held.size(), kFlows);
  uint64_t sum = 0;
  HostTables alone(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queue(alone);
  for (uint64_t flow = 0; flow < kFlows; flow++) {
    const uint64_t n = held.at(Flow(flow));
    sum += n;
    uint64_t expected = 0;
    for (uint64_t i = 0; i < n; i++) expected += static_cast<uint64_t>(queue.LoseFlow(Flow(flow)));
    EXPECT_EQ(lost[0][flow] + lost[1][flow], expected) << flow << ": " << n << " packets";
  }
  EXPECT_EQ(sum, 2 * kTaken);
}

// The same with evictions: the flows that were added and not evicted are there.
TEST(FlowTable, ThreadsCountEveryEviction) {
  HostTables tables(CompileText(kFlowPolicy), kMinFlowMemory);
  HostQueue queues[] = {HostQueue(tables, 0), HostQueue(tables, 1)};
  const auto take = [&](uint32_t q) {
    std::mt19937 random(q);
    for (int i = 0; i < 200000; i++) queues[q].LoseFlow(Flow(random() % 5000));
  };
  std::thread other(take, 1);
  take(0);
  other.join();
  const uint64_t added = queues[0].extras().flows_added + queues[1].extras().flows_added;
  const uint64_t evicted = queues[0].extras().flows_evicted + queues[1].extras().flows_evicted;
  EXPECT_GT(evicted, 10000u);
  EXPECT_EQ(Held(tables).size(), added - evicted);
}

// Whose packets they are

tp_key Key(const FrameBuilder& builder) {
  const std::vector<uint8_t> frame = builder.Build();
  tp_key key;
  EXPECT_EQ(tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()),
                     0, &key),
            TP_PARSED);
  return key;
}

void ExpectAnswersAreOfOneFlowOnlyBothWays(const FrameBuilder& question,
                                           const FrameBuilder& answer) {
  const tp_key there = Key(question), back = Key(answer);
  EXPECT_NE(tp_flow_of(&there, 0, 1, 2), tp_flow_of(&back, 0, 1, 2));
  EXPECT_EQ(tp_flow_of(&there, 1, 1, 2), tp_flow_of(&back, 1, 1, 2));
}

// The flow of the first `length` bytes of a frame.
uint64_t FlowOfFirst(const FrameBuilder& builder, size_t length) {
  std::vector<uint8_t> frame = builder.Build();
  frame.resize(std::min(length, frame.size()));
  tp_key key;
  tp_parse(frame.data(), frame.data() + frame.size(), static_cast<uint32_t>(frame.size()), 0, &key);
  return tp_flow_of(&key, 0, 1, 2);
}

TEST(FlowOf, WhatCouldNotBeReadIsLeftOut) {
  using F = FrameBuilder;
  constexpr size_t kWhole = SIZE_MAX;
  // A UDP header of 7 bytes is not read: only addresses and protocol are known, as in fragments.
  const uint64_t cut = FlowOfFirst(F().Ipv4().Udp(1, 2), 14 + 20 + 7);
  EXPECT_EQ(FlowOfFirst(F().Ipv4().Udp(3, 4), 14 + 20 + 7), cut);
  EXPECT_EQ(FlowOfFirst(F().Ipv4(17).Fragment(9, true).Payload(8), kWhole), cut);
  EXPECT_NE(FlowOfFirst(F().Ipv4().Tcp(1, 2), 14 + 20 + 7), cut);
  EXPECT_NE(FlowOfFirst(F().Ipv4().Udp(1, 2), kWhole), cut);
  // If a datagram is cut after its UDP header, everything is known.
  EXPECT_EQ(FlowOfFirst(F().Ipv4().Udp(1, 2).Payload(20), 14 + 20 + 8),
            FlowOfFirst(F().Ipv4().Udp(1, 2), kWhole));
  // After nine extension headers not even the protocol is known.
  F nine;
  nine.Ipv6();
  for (int i = 0; i < 9; i++) nine.DestinationOptions();
  EXPECT_EQ(FlowOfFirst(F(nine).Udp(1, 2), kWhole), FlowOfFirst(F(nine).Tcp(3, 4), kWhole));
  // Of a cut IP header nothing is known: the flow is that of the MAC addresses and the EtherType.
  EXPECT_EQ(FlowOfFirst(F().Ipv4().Udp(), 14 + 19),
            FlowOfFirst(F().Ipv4().Ipv4Addresses(1, 2).Tcp(), 14));
  EXPECT_NE(FlowOfFirst(F().Ipv4().Udp(), 14 + 19), FlowOfFirst(F().Ipv6().Udp(), 14 + 39));
}

TEST(FlowOf, AnswersAreOfTheQuestionsFlowOnlyBothWays) {
  ExpectAnswersAreOfOneFlowOnlyBothWays(
      FrameBuilder().Ipv4().Ipv4Addresses(0x0a000001, 0x0a000002).Udp(5, 6),
      FrameBuilder().Ipv4().Ipv4Addresses(0x0a000002, 0x0a000001).Udp(6, 5));
  ExpectAnswersAreOfOneFlowOnlyBothWays(
      FrameBuilder().Ipv4().Ipv4Addresses(0x0a000001, 0x0a000002).Tcp(5, 5),
      FrameBuilder().Ipv4().Ipv4Addresses(0x0a000002, 0x0a000001).Tcp(5, 5));
  ExpectAnswersAreOfOneFlowOnlyBothWays(
      FrameBuilder().Ipv6().Tcp(5, 6),
      FrameBuilder().Ipv6().Patch(23, {2}).Patch(39, {1}).Tcp(6, 5));
  ExpectAnswersAreOfOneFlowOnlyBothWays(
      FrameBuilder().Mac({2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}).Payload(40),
      FrameBuilder().Mac({2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}).Payload(40));
  // Ports and addresses are swapped together.
  const tp_key there = Key(FrameBuilder().Ipv4().Ipv4Addresses(1, 2).Udp(5, 6));
  const tp_key crossed = Key(FrameBuilder().Ipv4().Ipv4Addresses(1, 2).Udp(6, 5));
  EXPECT_NE(tp_flow_of(&there, 1, 1, 2), tp_flow_of(&crossed, 1, 1, 2));
}

TEST(FlowOf, IsTheFiveTupleAndNothingElse) {
  for (bool v6 : {false, true}) {
    const auto ip = [v6](FrameBuilder builder) { return v6 ? builder.Ipv6() : builder.Ipv4(); };
    const tp_key key = Key(ip(FrameBuilder()).Udp().Payload(10));
    const uint64_t flow = tp_flow_of(&key, 0, 1, 2);
    for (const FrameBuilder& same : {
             ip(FrameBuilder().Vlan(5)).Udp().Payload(10),
             ip(FrameBuilder().Mac({6, 6, 6, 6, 6, 6}, {4, 4, 4, 4, 4, 4})).Udp().Payload(10),
             ip(FrameBuilder()).Udp().Payload(900),
             ip(FrameBuilder()).Patch(1, {0x50}).Patch(v6 ? 7 : 8, {3}).Udp(),
         }) {
      tp_key other = Key(same);
      other.port = 3;
      EXPECT_EQ(tp_flow_of(&other, 0, 1, 2), flow);
    }
    // Changes every bit of the five-tuple.
    const size_t addresses = v6 ? 32 : 8;
    std::vector<size_t> bytes = {offsetof(tp_key, proto)};
    for (size_t i = 0; i < addresses; i++) bytes.push_back(offsetof(tp_key, address) + i);
    for (size_t i = 0; i < 4; i++) bytes.push_back(offsetof(tp_key, src_port) + i);
    for (size_t byte : bytes) {
      for (int bit = 0; bit < 8; bit++) {
        tp_key other = key;
        reinterpret_cast<uint8_t*>(&other)[byte] ^= static_cast<uint8_t>(1 << bit);
        EXPECT_NE(tp_flow_of(&other, 0, 1, 2), flow) << byte << " " << bit;
        EXPECT_NE(tp_flow_of(&other, 1, 1, 2), tp_flow_of(&key, 1, 1, 2)) << byte << " " << bit;
      }
    }
  }
}

TEST(FlowOf, AllFragmentsOfADatagramAreInOneFlow) {
  const tp_key first = Key(FrameBuilder().Ipv4().Fragment(0, true).Udp().Payload(16));
  const tp_key later = Key(FrameBuilder().Ipv4(17).Fragment(3, false).Payload(16));
  const tp_key whole = Key(FrameBuilder().Ipv4().Udp().Payload(16));
  EXPECT_EQ(tp_flow_of(&first, 0, 1, 2), tp_flow_of(&later, 0, 1, 2));
  EXPECT_NE(tp_flow_of(&first, 0, 1, 2), tp_flow_of(&whole, 0, 1, 2));
  const tp_key first6 = Key(FrameBuilder().Ipv6().Fragment(0, true).Udp().Payload(16));
  const tp_key later6 = Key(FrameBuilder().Ipv6().Fragment(3, false).Patch(0, {17}).Payload(16));
  EXPECT_EQ(tp_flow_of(&first6, 0, 1, 2), tp_flow_of(&later6, 0, 1, 2));
}

}  // namespace
}  // namespace twinpath
