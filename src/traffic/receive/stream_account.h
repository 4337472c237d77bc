// SPDX-License-Identifier: BSD-3-Clause
// What became of one stream of numbered packets: lost, duplicated, reordered, and how long they
// took. The packets are added in the order of their arrival. Pure; one thread.

#ifndef TWINPATH_TRAFFIC_RECEIVE_STREAM_ACCOUNT_H_
#define TWINPATH_TRAFFIC_RECEIVE_STREAM_ACCOUNT_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "src/traffic/receive/distribution.h"

namespace twinpath {

// A set of numbers, exact for the last kWindow numbers (less at most 63) up to the highest that was
// added.
class NumberWindow {
 public:
  static constexpr uint64_t kWindow = 1 << 26;

  enum class Added { kNew, kAgain, kTooOld };
  Added Add(uint64_t number);

 private:
  std::vector<uint64_t> bits_;  // a ring, by number modulo kWindow
  uint64_t end_ = 0;            // one more than the highest number
};

// The reordering extents of RFC 4737, section 4.2.1: over how many arrivals a packet is late,
// counted from the earliest arrival of a higher number.
class ExtentFinder {
 public:
  // The next packet that arrived, which is no duplicate. Its extent; 0: it is not reordered.
  // nullopt: it is, from beyond the last kRuns runs of consecutive numbers.
  std::optional<uint64_t> Add(uint64_t number);

 private:
  static constexpr size_t kRuns = 1 << 16;
  // Arrivals that were the highest number so far, in a row and with consecutive numbers.
  struct Run {
    uint64_t number, index, length;
  };
  std::deque<Run> runs_;
  uint64_t index_ = 0;  // of the next arrival
  bool forgot_ = false;
};

// The highest number of each flow.
class FlowOrder {
 public:
  static constexpr size_t kMost = 1 << 22;  // flows

  enum class Order { kInOrder, kReordered, kUnknown };
  // kUnknown: a flow beyond the first kMost.
  Order Add(uint64_t flow, uint64_t number);
  size_t flows() const { return flows_; }

 private:
  struct Entry {
    uint64_t flow = 0;
    uint64_t next = 0;  // one more than the highest number; 0: a free entry
  };
  void Grow();
  std::vector<Entry> table_;  // open addressing
  size_t flows_ = 0;
};

class StreamAccount {
 public:
  // The packet `number` of `flow` arrived, `transit` nanoseconds after it was sent: by one clock,
  // or by two whose difference is constant.
  void Add(uint64_t number, uint64_t flow, int64_t transit);
  // A packet that is not intact arrived: it counts as nothing else.
  void AddCorrupted() { corrupted_++; }

  uint64_t received() const { return received_; }      // each number once
  uint64_t duplicated() const { return duplicated_; }  // arrivals of a number after its first
  // RFC 4737, section 3.3: packets that arrived after one with a higher number; and those of them
  // where that one was of the same flow.
  uint64_t reordered() const { return reordered_; }
  uint64_t reordered_in_flow() const { return reordered_in_flow_; }
  uint64_t corrupted() const { return corrupted_; }
  // Arrivals so late that nobody knows whether they are duplicates.
  uint64_t too_old() const { return too_old_; }
  uint64_t first() const { return first_; }      // the number that arrived first
  uint64_t highest() const { return highest_; }  // 0 where nothing arrived
  // Numbers that never arrived, of those up to the highest, or of `sent` in all.
  uint64_t Lost(std::optional<uint64_t> sent) const;
  size_t flows() const { return order_.flows(); }
  uint64_t flows_unknown() const { return flows_unknown_; }  // arrivals: see FlowOrder
  uint64_t extents_unknown() const { return extents_unknown_; }

  const Distribution& transit() const { return transit_; }
  // The changes of the transit time from one arrival to the next, without their sign (D in RFC
  // 3550, section 6.4.1), and the jitter J that it defines: their running mean, now and at most.
  const Distribution& variation() const { return variation_; }
  double jitter() const { return jitter_; }
  double highest_jitter() const { return highest_jitter_; }
  const Distribution& extents() const { return extents_; }  // of reordered packets

 private:
  NumberWindow seen_;
  ExtentFinder finder_;
  FlowOrder order_;
  uint64_t received_ = 0, duplicated_ = 0, reordered_ = 0, reordered_in_flow_ = 0;
  uint64_t corrupted_ = 0, too_old_ = 0, flows_unknown_ = 0, extents_unknown_ = 0;
  uint64_t first_ = 0, highest_ = 0;
  Distribution transit_, variation_, extents_;
  int64_t last_transit_ = 0;
  double jitter_ = 0, highest_jitter_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_RECEIVE_STREAM_ACCOUNT_H_
