// SPDX-License-Identifier: BSD-3-Clause
// The links between generator, engine and receiver: two veth pairs in this process's own network
// namespace, or interfaces that are already there.
//
//   gen0 ---- lan0 [the engine] wan0 ---- rcv0
//
// Main thread.

#ifndef TWINPATH_COMPARE_LAB_LAB_H_
#define TWINPATH_COMPARE_LAB_LAB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

// The address of the lab's lan; no generated frame has it.
inline constexpr char kLanMac[] = "02:00:00:00:00:0a";

struct LabLinks {
  std::string generator = "gen0", lan = "lan0", wan = "wan0", receiver = "rcv0";
  bool own = true;  // made here
};

// Makes both pairs, with so many queues, and up to frames of `longest` bytes. The namespace must be
// new. `folder` is for ip's output. NotFound: there is no ip.
absl::Status MakeLab(const LabLinks& links, uint32_t queues, uint32_t longest,
                     const std::string& folder);

// The commands that make the same lab by hand.
std::vector<std::vector<std::string>> LabCommands(const LabLinks& links, uint32_t queues,
                                                  uint32_t longest);

struct InterfaceCounts {
  uint64_t rx_packets = 0, tx_packets = 0;
  uint64_t rx_dropped = 0, tx_dropped = 0;  // rx_dropped: also those that the device missed
};
InterfaceCounts ReadCounts(const std::string& interface);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_LAB_LAB_H_
