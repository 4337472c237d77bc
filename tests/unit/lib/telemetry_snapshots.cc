// SPDX-License-Identifier: BSD-3-Clause
// Snapshots for the telemetry tests.

#include "tests/unit/lib/telemetry_snapshots.h"

#include <algorithm>
#include <limits>

namespace twinpath {

Snapshot SmallSnapshot(const std::string& path) {
  Snapshot snapshot = {.path = path,
                       .version = "0.1.0",
                       .seed = 7,
                       .policy_file = "policies/half \"50%\".json",
                       .policy_sha256 = std::string(64, 'a'),
                       .duration_s = 12.3456789};
  snapshot.ports = {
      {"lan", "veth0", "net_af_xdp", "copy", "no zero-copy", 1, {{"from-kernel", 12}}},
      {"wan", "net_null0", "net_null", "vdev", "", 1, {}}};
  QueueSnapshot lan = {.port = "lan", .queue = 0, .core = 3};
  lan.counters.tx[0] = {20, 1280};
  lan.counters.tx[1] = {40, 2560};
  for (uint64_t verdict = TP_PASS; verdict < TP_VERDICTS; ++verdict)
    lan.counters.verdict[verdict] = {verdict + 3, (verdict + 3) * 64};
  lan.counters.rx = {60 + 4 + 5 + 6 + 7 + 8 + 9, 6400};
  lan.extras = {
      .marked = {2, 128}, .flows_added = 11, .flows_evicted = 1, .checksums_completed = 5};
  snapshot.queues = {lan, {.port = "wan", .queue = 0, .core = -1}};
  snapshot.rules = {{.name = "voix \"é\" 日本 100%\n",
                     .matched = {1000, 64000},
                     .lost = {10, 640},
                     .marked = {3, 192},
                     .to_send = {900, 57600},
                     .to_pass = {60, 3840},
                     .denied = {30, 1920}},
                    {.name = "default"}};
  snapshot.lcores = {{3, 1, 1000, 900, 100, "adaptive", 40, 300000}};
  snapshot.reloads = {.done = 4,
                      .rejected = 1,
                      .longest_switch_ns = 900,
                      .retired = {.matched = {30, 1920},
                                  .lost = {20, 1280},
                                  .marked = {10, 640},
                                  .to_send = {7, 448},
                                  .to_pass = {2, 128},
                                  .denied = {1, 64}}};
  snapshot.mempools = {{.node = 0, .mbufs = 8191, .free = 8000}};
  snapshot.faults = {{"port lan", "link_down", true, 2, 300, 1500},
                     {"lcore 3", "stalled", false, 1, 2000, 2000}};
  snapshot.ports[0].link = "down";
  snapshot.flow_places = 800;
  snapshot.flow_bytes = 32000;
  return snapshot;
}

Snapshot BigSnapshot(const std::string& path, size_t queues, size_t rules, size_t name_length) {
  const tp_count most = {std::numeric_limits<uint64_t>::max(),
                         std::numeric_limits<uint64_t>::max()};
  Snapshot snapshot = {.path = path, .version = "0.1.0", .seed = most.packets};
  for (int port = 0; port < TP_MAX_PORTS; ++port)
    snapshot.ports.push_back({.name = "port" + std::to_string(port), .queues = 64});
  for (size_t i = 0; i < queues; ++i) {
    QueueSnapshot queue = {.port = snapshot.ports[i % TP_MAX_PORTS].name,
                           .queue = static_cast<uint32_t>(i / TP_MAX_PORTS)};
    queue.counters.rx = most;
    for (int verdict = TP_PASS; verdict < TP_VERDICTS; ++verdict)
      queue.counters.verdict[verdict] = most;
    for (tp_count& tx : queue.counters.tx) tx = most;
    queue.extras = {.marked = most,
                    .flows_added = most.packets,
                    .flows_evicted = most.packets,
                    .checksums_completed = most.packets};
    snapshot.queues.push_back(queue);
  }
  for (size_t i = 0; i < rules; ++i) {
    std::string name = "rule" + std::to_string(i);
    name.resize(std::max(name.size(), name_length), i % 2 ? '\xff' : '"');
    snapshot.rules.push_back({name, most, {most.packets - i, i}, most, most, most, most});
  }
  return snapshot;
}

}  // namespace twinpath
