// SPDX-License-Identifier: BSD-3-Clause
// What xdp_bench measures: programs loaded for policies, their frames, and the target for each
// comparison of two figures. One thread.

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
  int program = -1;           // run by BPF_PROG_TEST_RUN
  std::vector<Frame> frames;  // used in turn, one for each slice
  uint32_t warm_up = 0;       // packets before each slice that are not measured
  std::vector<double> ns;     // for each packet; one value for each round
};

// One line of the report.
struct Row {
  enum class Is { kMore, kTimes, kTimesAboveBare };
  std::string what, beside;  // contenders
  Is is = Is::kMore;
  std::optional<double> target;  // a maximum; a minimum for kTimesAboveBare
};

// A loaded program of a policy.
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

// The contenders and rows. Owns their programs.
struct Contest {
  std::vector<Contender> contenders;  // the bare XDP_DROP program is the first
  std::vector<Row> rows;
  std::vector<LoadedPolicy> policies;
  std::vector<Peers> peers;
  std::unique_ptr<perf_buffer, PerfBufferDeleter> events;  // which nobody reads

  // The contender of this name, which exists.
  const Contender& Of(const std::string& name) const;
  // Removes the rows whose names do not contain `word`, and the contenders that no other row needs.
  void Keep(const std::string& word);
};

// Loads all programs into the kernel; needs root. Keeps only the rows whose names contain `only`,
// and their contenders. An error names what the kernel refused.
absl::StatusOr<Contest> SetUpContest(const std::string& only);

}  // namespace twinpath

#endif  // TWINPATH_TESTS_BENCH_XDP_CONTEST_H_
