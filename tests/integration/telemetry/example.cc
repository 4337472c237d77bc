// SPDX-License-Identifier: BSD-3-Clause
// A telemetry server without a datapath, for tests of telemetry. Its counters grow with time, or
// stand still. Main thread.
//
// telemetry_example PATH FILE_PREFIX QUEUES RULES still|moving: prints the summary, serves until
// SIGTERM or SIGINT.

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "src/telemetry/json.h"
#include "src/telemetry/server/server.h"

namespace twinpath {
namespace {

// Two ports connected to each other; a rule for one flow in a hundred, and a default that loses
// half.
Snapshot Example(const std::string& path, size_t queues, size_t rules, double seconds) {
  Snapshot snapshot = {.path = path,
                       .version = TWINPATH_VERSION,
                       .seed = 7,
                       .policy_file = "policies/wire-50%-\xc3\xa9.json",
                       .policy_sha256 = std::string(64, 'a'),
                       .duration_s = seconds};
  snapshot.ports = {{"lan", "veth-lan", "veth", "native", "the driver can", 1, {{"rx_dropped", 3}}},
                    {"wan", "veth-wan", "veth", "generic", "", 1, {}}};
  uint64_t received = 0, lost = 0;
  for (size_t i = 0; i < queues; ++i) {
    QueueSnapshot queue = {.port = i % 2 ? "wan" : "lan",
                           .queue = static_cast<uint32_t>(i / 2),
                           .core = static_cast<int32_t>(i % 2)};
    tp_queue_counters& counters = queue.counters;
    const auto sent = static_cast<uint64_t>(seconds * 1234567 / static_cast<double>(i + 1));
    counters.tx[1 - i % 2] = {sent, sent * 64};
    counters.verdict[TP_LOST] = {sent - sent / 500, (sent - sent / 500) * 64};
    counters.verdict[TP_MALFORMED] = {sent / 10000, sent / 10000 * 14};
    counters.rx = {sent + counters.verdict[TP_LOST].packets + sent / 10000, sent * 129};
    received += counters.rx.packets;
    lost += counters.verdict[TP_LOST].packets;
    snapshot.queues.push_back(queue);
  }
  for (size_t i = 0; i + 1 < rules; ++i)
    snapshot.rules.push_back(
        {"rule \"" + std::to_string(i) + "\"", {received / 100 / rules, 64}, {i, i * 64}});
  snapshot.rules.push_back({"default", {received, received * 64}, {lost, lost * 64}});
  return snapshot;
}

int Main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "telemetry_example PATH FILE_PREFIX QUEUES RULES still|moving\n";
    return 2;
  }
  const std::string path = argv[1];
  const size_t queues = std::strtoul(argv[3], nullptr, 10);
  const size_t rules = std::strtoul(argv[4], nullptr, 10);
  const bool still = std::string(argv[5]) == "still";
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const auto start = std::chrono::steady_clock::now();
  const auto take = [&] {
    const std::chrono::duration<double> run = std::chrono::steady_clock::now() - start;
    return Example(path, queues, rules, still ? 10 : run.count());
  };
  absl::StatusOr<TelemetryServer> server =
      TelemetryServer::Start(argv[2], "twinpath " TWINPATH_VERSION, take);
  if (!server.ok()) {
    std::cerr << "telemetry_example: " << server.status().message() << "\n";
    return 1;
  }
  std::cout << SummaryJson(take()).dump() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
