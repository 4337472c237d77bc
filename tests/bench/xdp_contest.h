// SPDX-License-Identifier: BSD-3-Clause
// What xdp_bench measures: programs loaded for policies, the frames they are given, and which
// figure is to be how large beside which. One thread.

#ifndef TWINPATH_TESTS_BENCH_XDP_CONTEST_H_
#define TWINPATH_TESTS_BENCH_XDP_CONTEST_H_

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/xdp/program/run.h"
#include "xdp_peers.skel.h"

namespace twinpath {

using Frame = std::vector<uint8_t>;

struct Contender {
  std::string name;
  int program = -1;           // what BPF_PROG_TEST_RUN runs
  std::vector<Frame> frames;  // in turn, one a slice
  uint32_t warm_up = 0;       // packets before each slice that do not count
  std::vector<double> ns;     // a packet, one for each round
};

// One line of the report.
struct Row {
  enum class Is { kMore, kTimes, kTimesAboveBare };
  std::string what, beside;  // contenders
  Is is = Is::kMore;
  std::optional<double> target;  // at most; of kTimesAboveBare, at least
};

// A policy's program, loaded.
struct LoadedPolicy {
  std::unique_ptr<XdpRun> run;
  int program = -1;  // the run's
};

struct PeersDeleter {
  void operator()(xdp_peers* peers) const { xdp_peers__destroy(peers); }
};
using Peers = std::unique_ptr<xdp_peers, PeersDeleter>;

struct PerfBufferDeleter {
  void operator()(perf_buffer* buffer) const { perf_buffer__free(buffer); }
};

// What is measured, and keeps what it is measured with.
struct Contest {
  std::vector<Contender> contenders;  // the bare XDP_DROP program is the first
  std::vector<Row> rows;
  std::vector<LoadedPolicy> policies;
  std::vector<Peers> peers;
  std::unique_ptr<perf_buffer, PerfBufferDeleter> events;  // which nobody reads

  // Of this name; there is one.
  const Contender& Of(const std::string& name) const;
  // Forgets the rows without `word` in their names, and whom the others do not need.
  void Keep(const std::string& word);
};

// Loads all of it into the kernel; root. Of the rows, those with `only` in their names, and whom
// they need. An error names what was refused.
absl::StatusOr<Contest> SetUpContest(const std::string& only);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_BENCH_XDP_CONTEST_H_
