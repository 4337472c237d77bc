// SPDX-License-Identifier: BSD-3-Clause
// CPU time of a trial from the machine's own accounts (/proc/stat), and whether something else
// disturbed it. The texts of the files are arguments, so all is pure; any thread.

#ifndef TWINPATH_COMPARE_MEASURE_CPU_H_
#define TWINPATH_COMPARE_MEASURE_CPU_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace twinpath {

// Seconds.
struct CpuTimes {
  double user = 0, system = 0, softirq = 0;  // `user` includes nice, `softirq` includes irq
  double idle = 0, steal = 0;
  double busy() const { return user + system + softirq; }
};

struct CpuAccounts {
  std::vector<CpuTimes> cpus;  // by number
  uint64_t context_switches = 0;
};

// /proc/stat. `ticks`: of a second (sysconf(_SC_CLK_TCK)).
CpuAccounts ParseProcStat(std::string_view text, double ticks);

// What an engine cost between two accounts. On the generator's CPU only softirqs count: what else
// runs there is the generator, which polls the clock between frames. `idle` is what the machine
// uses in a second when nothing happens, over all other CPUs.
struct EngineCpu {
  double user = 0, system = 0, softirq = 0;
  double steal = 0;  // of all CPUs
  uint64_t context_switches = 0;
  double total() const { return user + system + softirq; }
};
EngineCpu EngineCpuOf(const CpuAccounts& before, const CpuAccounts& after, int generator_cpu,
                      const CpuTimes& idle, double seconds);

// The times of all CPUs but one between two accounts, per second.
CpuTimes RateWithout(const CpuAccounts& before, const CpuAccounts& after, int generator_cpu,
                     double seconds);

// A process: its parent, and its CPU time in seconds.
struct ProcessTime {
  int parent = 0;
  double seconds = 0;
  std::string name;
};
using ProcessTimes = std::map<int, ProcessTime>;

// One line of /proc/PID/stat; false where it is none.
bool ParseProcessStat(std::string_view text, double ticks, int* pid, ProcessTime* time);

// The busiest process that is neither `root`, nor one of its descendants, nor a kernel thread.
struct Disturbance {
  std::string name;    // empty: there is none
  double seconds = 0;  // of all such processes
};
Disturbance OthersBetween(const ProcessTimes& before, const ProcessTimes& after, int root);

// Why a trial of `seconds` on `cpus` CPUs was disturbed; empty: it was not. The limits: 1 % of the
// machine stolen, or 5 % of one CPU used by others.
std::string NoiseOf(const EngineCpu& cpu, const Disturbance& others, double seconds, size_t cpus);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_MEASURE_CPU_H_
