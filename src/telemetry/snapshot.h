// SPDX-License-Identifier: BSD-3-Clause
// A running datapath at one moment: the source of the summary, the telemetry commands and `twinpath
// stats`. Plain values; a control thread reads them from counters that each have one writer.

#ifndef TWINPATH_TELEMETRY_SNAPSHOT_H_
#define TWINPATH_TELEMETRY_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "src/policy/types.h"

namespace twinpath {

// How a port's frames are spread over its queues, on the DPDK path. Texts are empty where the PMD
// does not report them.
struct RssSnapshot {
  std::string
      by;  // "device", "software", "kernel"; "none" with one queue; empty: not the DPDK path
  std::string fields;  // the hashed fields: "ip+tcp+udp"; "none"
  std::string key;     // "symmetric", or its bytes as hexadecimal digits
  std::string reta;    // queues by the hash's low bits: "0,1 over 128 places"
};

struct PortSnapshot {
  std::string name;
  std::string device;  // as given
  std::string driver;  // the PMD ("net_af_xdp"), or the kernel driver ("veth")
  std::string mode;    // how the port is driven: "zero-copy", "copy", "native", "generic", ...
  std::string why;     // why the port has this mode
  uint32_t queues = 0;
  // Counters outside the conservation law, by name: packets from the kernel, the device's own
  // drops.
  std::vector<std::pair<std::string, uint64_t>> extra;
  RssSnapshot rss = {};
  std::string link = {};  // "up", "down", "gone" (no device); empty: unknown
};

struct QueueSnapshot {
  std::string port;
  uint32_t queue = 0;
  int32_t core = -1;  // the lcore (DPDK), or the last CPU that served it (XDP); -1: none yet
  tp_queue_counters counters = {};
  tp_queue_extras extras = {};
};

struct RuleSnapshot {
  std::string name;
  tp_count matched = {};
  tp_count lost = {};
  tp_count marked = {};      // CE instead of lost
  tp_count unanswered = {};  // not lost, but no request that "reflect-echo" answers; in `denied`
  // Packets that were not lost, by what the rule decided (decisions.h), whether or not a queue then
  // accepted them.
  tp_count to_send = {}, to_pass = {}, denied = {};
};

// The policies that replaced the previous one while packets flowed.
struct ReloadSnapshot {
  uint64_t done = 0, rejected = 0;
  uint64_t longest_switch_ns = 0;  // of a worker, for one reload (DPDK)
  // The counts of rules that a reload removed or reset. Together with the counts of the current
  // rules these are all received packets, except those dropped as malformed.
  RuleSnapshot retired = {};
};

// A fault around the datapath. Durations are measured by a steady clock.
struct FaultSnapshot {
  std::string subject;    // "port lan", "lcore 1", "mempool 0"
  std::string what;       // "link_down", "gone", "tx_blocked", "mempool_dry", "stalled"
  bool active = false;    // has not ended
  uint64_t times = 0;     // how often it began
  uint64_t last_ms = 0;   // duration of the last one, so far
  uint64_t total_ms = 0;  // duration of all
};

// The packet buffers of a NUMA node, on the DPDK path.
struct MempoolSnapshot {
  int node = 0;
  uint64_t mbufs = 0;
  uint64_t free = 0;  // including lcores' caches
};

struct LcoreSnapshot {
  uint32_t lcore = 0;
  uint32_t queues = 0;      // of all ports
  uint64_t turns = 0;       // of the worker's loop
  uint64_t idle_turns = 0;  // in which no queue had a packet
  uint64_t packets = 0;
  std::string idle;  // "busy": keeps polling; "adaptive": sleeps
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

// What telemetry shows of a program that has no ports, queues and rules.
struct Sections {
  std::string help;        // of the command /twinpath/PATH, which shows `about` and `totals`
  SectionRow about = {};   // at the summary's top level; empty for a datapath, without sections
  SectionRow totals = {};  // counters
  std::vector<SectionList> lists = {};
};

struct Snapshot {
  std::string path;         // "dpdk", "xdp", "socket" or "splice"
  std::string engine = {};  // of the socket path: "packet_mmap"; else empty
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
  std::vector<FaultSnapshot> faults;         // all so far
  Sections sections;                         // of a program that is not a datapath; else empty
  uint64_t flow_places = 0, flow_bytes = 0;  // of the flow table; 0: the policy needs none
};

// Packets and bytes that a queue sent, over all ports.
tp_count Transmitted(const tp_queue_counters& counters);

// rx - (tx + pass + lost + denied + malformed + tx_full + no_port), in packets: 0 on every queue at
// rest.
int64_t Imbalance(const tp_queue_counters& counters);

// Adds the further counters of one queue to the rules: `extras` has one element for each rule.
void AddRuleExtras(const tp_rule_extras* extras, size_t count, std::vector<RuleSnapshot>* rules);

// Adds stream states (of any queues) to the counts of their rules.
void AddStates(const tp_state* states, size_t count, std::vector<RuleSnapshot>* rules);

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_SNAPSHOT_H_
