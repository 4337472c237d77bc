// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/measure/cpu.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

constexpr int kKernelThreads = 2;  // the parent of all kernel threads
constexpr double kStolen = 0.01, kOthers = 0.05;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

double Seconds(absl::string_view text, double ticks) {
  uint64_t count = 0;
  return absl::SimpleAtoi(text, &count) ? static_cast<double>(count) / ticks : 0;
}

CpuTimes Between(const CpuTimes& before, const CpuTimes& after) {
  CpuTimes times;
  for (double CpuTimes::*field :
       {&CpuTimes::user, &CpuTimes::system, &CpuTimes::softirq, &CpuTimes::idle, &CpuTimes::steal})
    times.*field = std::max(0.0, after.*field - before.*field);
  return times;
}

}  // namespace

CpuAccounts ParseProcStat(std::string_view text, double ticks) {
  CpuAccounts accounts;
  for (absl::string_view line : absl::StrSplit(View(text), '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) continue;
    if (words[0] == "ctxt" && words.size() > 1) {
      if (!absl::SimpleAtoi(words[1], &accounts.context_switches)) accounts.context_switches = 0;
    }
    uint32_t number = 0;
    absl::string_view cpu = words[0];
    if (!absl::ConsumePrefix(&cpu, "cpu") || !absl::SimpleAtoi(cpu, &number) || number > 4095 ||
        words.size() < 9)
      continue;
    if (accounts.cpus.size() <= number) accounts.cpus.resize(number + 1);
    // cpu user nice system idle iowait irq softirq steal
    accounts.cpus[number] = {.user = Seconds(words[1], ticks) + Seconds(words[2], ticks),
                             .system = Seconds(words[3], ticks),
                             .softirq = Seconds(words[6], ticks) + Seconds(words[7], ticks),
                             .idle = Seconds(words[4], ticks) + Seconds(words[5], ticks),
                             .steal = Seconds(words[8], ticks)};
  }
  return accounts;
}

EngineCpu EngineCpuOf(const CpuAccounts& before, const CpuAccounts& after, int generator_cpu,
                      const CpuTimes& idle, double seconds) {
  EngineCpu cost;
  for (size_t i = 0; i < before.cpus.size() && i < after.cpus.size(); i++) {
    const CpuTimes times = Between(before.cpus[i], after.cpus[i]);
    cost.softirq += times.softirq;
    cost.steal += times.steal;
    if (static_cast<int>(i) == generator_cpu) continue;
    cost.user += times.user;
    cost.system += times.system;
  }
  cost.user = std::max(0.0, cost.user - idle.user * seconds);
  cost.system = std::max(0.0, cost.system - idle.system * seconds);
  cost.softirq = std::max(0.0, cost.softirq - idle.softirq * seconds);
  cost.context_switches = after.context_switches - before.context_switches;
  return cost;
}

CpuTimes RateWithout(const CpuAccounts& before, const CpuAccounts& after, int generator_cpu,
                     double seconds) {
  CpuTimes rate;
  for (size_t i = 0; i < before.cpus.size() && i < after.cpus.size(); i++) {
    if (static_cast<int>(i) == generator_cpu) continue;
    const CpuTimes times = Between(before.cpus[i], after.cpus[i]);
    for (double CpuTimes::*field : {&CpuTimes::user, &CpuTimes::system, &CpuTimes::softirq,
                                    &CpuTimes::idle, &CpuTimes::steal})
      rate.*field += times.*field / seconds;
  }
  return rate;
}

bool ParseProcessStat(std::string_view text, double ticks, int* pid, ProcessTime* time) {
  // PID (NAME) STATE PPID ...: a name may have blanks and parentheses.
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return false;
  const std::vector<absl::string_view> words =
      absl::StrSplit(View(text.substr(close + 1)), ' ', absl::SkipEmpty());
  if (words.size() < 13 || !absl::SimpleAtoi(View(text.substr(0, open)), pid) ||
      !absl::SimpleAtoi(words[1], &time->parent))
    return false;
  time->name = std::string(text.substr(open + 1, close - open - 1));
  time->seconds = Seconds(words[11], ticks) + Seconds(words[12], ticks);
  return true;
}

Disturbance OthersBetween(const ProcessTimes& before, const ProcessTimes& after, int root) {
  Disturbance others;
  double most = 0;
  for (const auto& [pid, process] : after) {
    bool counts = true;
    std::set<int> seen;
    for (int at = pid; at > 0 && counts && seen.insert(at).second;) {
      counts = at != root && at != kKernelThreads;
      const auto found = after.find(at);
      at = found == after.end() ? 0 : found->second.parent;
    }
    if (!counts) continue;
    const auto earlier = before.find(pid);
    const double used = process.seconds - (earlier == before.end() ? 0 : earlier->second.seconds);
    if (used <= 0) continue;
    others.seconds += used;
    if (used > most) {
      most = used;
      others.name = process.name;
    }
  }
  return others;
}

std::string NoiseOf(const EngineCpu& cpu, const Disturbance& others, double seconds, size_t cpus) {
  if (seconds <= 0) return "";
  const double stolen = cpu.steal / (seconds * static_cast<double>(std::max<size_t>(cpus, 1)));
  if (stolen > kStolen) return PercentText(stolen, 3) + " of the machine's CPU time was stolen";
  const double used = others.seconds / seconds;
  if (used > kOthers)
    return absl::StrCat("other processes used ", PercentText(used, 3), " of a CPU, most of it ",
                        others.name);
  return "";
}

}  // namespace twinpath
