// SPDX-License-Identifier: BSD-3-Clause
// One snapshot of a running datapath: what the summary, the telemetry commands and `twinpath stats`
// all say. Plain values; taken by a control thread from counters that each have one writer.

#ifndef TWINPATH_TELEMETRY_SNAPSHOT_H_
#define TWINPATH_TELEMETRY_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/policy/types.h"

namespace twinpath {

// What spreads a port's frames over its queues, on the DPDK path. Texts are empty where the PMD
// does not tell.
struct RssSnapshot {
  std::string by;      // "device", "software", "kernel"; "none" with one queue; empty: no such path
  std::string fields;  // that are hashed: "ip+tcp+udp"; "none"
  std::string key;     // "symmetric", or its octets as hexadecimal digits
  std::string reta;    // queues by the hash's low bits: "0,1 over 128 places"
};

struct PortSnapshot {
  std::string name;
  std::string device;  // as given
  std::string driver;  // the PMD ("net_af_xdp"), or the kernel driver ("veth")
  std::string mode;    // "zero-copy", "copy", "native", "generic", "vdev", ...: which way was taken
  std::string why;     // and why
  uint32_t queues = 0;
  // Counters beside the conservation law, by name: what came from the kernel, the device's own
  // drops.
  std::vector<std::pair<std::string, uint64_t>> extra;
  RssSnapshot rss = {};
  std::string link = {};  // "up", "down"; "gone": the device is not there; empty: not known
};

struct QueueSnapshot {
  std::string port;
  uint32_t queue = 0;
  int32_t core = -1;  // the lcore (DPDK) or the CPU that last served it (XDP); -1: none yet
  tp_queue_counters counters = {};
  tp_queue_extras extras = {};
};

struct RuleSnapshot {
  std::string name;
  tp_count matched = {};
  tp_count lost = {};
  tp_count marked = {};  // CE set instead
};

// Of the policies that were to replace the one before while packets flowed.
struct ReloadSnapshot {
  uint64_t done = 0, rejected = 0;
  uint64_t longest_switch_ns = 0;  // that a worker took for one (DPDK)
  // What rules had counted that are no more, or that began anew: with the rules' own counts, all
  // that the queues received and did not find malformed.
  RuleSnapshot retired = {};
};

// Something that went wrong around the datapath. Times are of a clock that does not jump.
struct FaultSnapshot {
  std::string subject;    // "port lan", "lcore 1", "mempool 0"
  std::string what;       // "link_down", "gone", "tx_blocked", "mempool_dry", "stalled"
  bool active = false;    // now
  uint64_t times = 0;     // that it began
  uint64_t last_ms = 0;   // how long the last one was, or is
  uint64_t total_ms = 0;  // all of them
};

// The packet buffers of a NUMA node, on the DPDK path.
struct MempoolSnapshot {
  int node = 0;
  uint64_t mbufs = 0;
  uint64_t free = 0;  // in lcores' caches, too
};

struct LcoreSnapshot {
  uint32_t lcore = 0;
  uint32_t queues = 0;      // served, over all ports
  uint64_t turns = 0;       // of the worker's loop
  uint64_t idle_turns = 0;  // in which no queue had a packet
  uint64_t packets = 0;
  std::string idle;  // "busy": polls on; "adaptive": sleeps
  uint64_t sleeps = 0, slept_us = 0;
};

// A value that a section shows: a number, seconds, or text.
using SectionValue = std::variant<uint64_t, double, std::string>;
// Names and values, in the order in which they are shown. The name of seconds ends in "_s".
using SectionRow = std::vector<std::pair<std::string, SectionValue>>;

// A list of a program: the splicer's connections.
struct SectionList {
  std::string name;  // the key in the summary; the command is /twinpath/NAME
  std::string help;  // of the command; at most 63 bytes
  // The field, a number, by which rows are sorted and paged, for rows that come and go between two
  // pages. Empty: rows are paged by position.
  std::string key;
  std::vector<SectionRow> rows;
};

// What a program shows that has no ports, queues and rules. Telemetry knows no more of it.
struct Sections {
  std::string help;        // of the command /twinpath/PATH, which shows `about` and `totals`
  SectionRow about = {};   // in the summary's top level; empty: a datapath, without sections
  SectionRow totals = {};  // counters
  std::vector<SectionList> lists = {};
};

struct Snapshot {
  std::string path;  // "dpdk", "xdp" or "splice"
  std::string version;
  uint64_t seed = 0;
  std::string policy_file, policy_sha256;
  double duration_s = 0;
  std::vector<PortSnapshot> ports;
  std::vector<QueueSnapshot> queues;
  std::vector<RuleSnapshot> rules;
  std::vector<LcoreSnapshot> lcores;
  ReloadSnapshot reloads;
  std::vector<MempoolSnapshot> mempools;
  std::vector<FaultSnapshot> faults;          // all that ever began
  Sections sections;                          // of a program that is no datapath; else empty
  uint64_t flow_places = 0, flow_octets = 0;  // of the table of flows; 0: the policy needs none
};

// Packets and bytes sent from a queue, over all the ports it sent to.
tp_count Transmitted(const tp_queue_counters& counters);

// rx - (tx + pass + lost + denied + malformed + tx_full + no_port), in packets: 0 on every queue at
// rest.
int64_t Imbalance(const tp_queue_counters& counters);

// Adds by how much a reader's rules were marked on one queue: `marked` has one count for each.
void AddMarked(const tp_count* marked, size_t count, std::vector<RuleSnapshot>* rules);

// Sums stream states (of any queues) into their rules' counts.
void AddStates(const tp_state* states, size_t count, std::vector<RuleSnapshot>* rules);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SNAPSHOT_H_
