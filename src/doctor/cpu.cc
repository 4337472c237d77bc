// SPDX-License-Identifier: BSD-3-Clause
// Checks the CPUs that lcores poll on. Most of these findings do not prevent a start. Main thread.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/doctor/checks.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;

bool In(const std::vector<uint32_t>& cpus, uint32_t cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

std::vector<uint32_t> Last(const std::vector<uint32_t>& cpus, size_t count) {
  return {cpus.end() - static_cast<std::ptrdiff_t>(std::min(count, cpus.size())), cpus.end()};
}

std::string Isolate(const std::vector<uint32_t>& cpus) {
  return KernelArguments("lcores",
                         absl::StrCat("isolcpus=", CpuRange(cpus), " nohz_full=", CpuRange(cpus)));
}

// One CPU of each core that this process may run on.
std::vector<uint32_t> OneOfEachCore(const DoctorHost& host) {
  std::vector<uint32_t> chosen;
  for (uint32_t cpu : host.AllowedCpus()) {
    const std::vector<uint32_t> siblings = host.Siblings(cpu);
    if (std::none_of(siblings.begin(), siblings.end(),
                     [&](uint32_t other) { return In(chosen, other); }))
      chosen.push_back(cpu);
  }
  return chosen;
}

}  // namespace

std::string KernelArguments(const std::string& what, const std::string& arguments) {
  return absl::StrCat(
      "sudo mkdir -p /etc/default/grub.d && echo "
      "'GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT ",
      arguments, "\"' | sudo tee /etc/default/grub.d/twinpath-", what,
      ".cfg && sudo update-grub && sudo reboot");
}

std::string CpuRange(const std::vector<uint32_t>& cpus) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) last++;
    parts.push_back(last == i ? absl::StrCat(cpus[i]) : absl::StrCat(cpus[i], "-", cpus[last]));
    i = last + 1;
  }
  return absl::StrJoin(parts, ",");
}

void CheckLcores(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const std::vector<uint32_t> isolated = host.IsolatedCpus(), allowed = host.AllowedCpus();
  Finding finding = {.path = Finding::Path::kDpdk, .check = "lcores"};
  finding.found =
      isolated.empty() ? "no isolated CPU" : absl::StrCat("isolated CPUs ", CpuRange(isolated));
  const std::vector<uint32_t> online = host.OnlineCpus();
  std::vector<uint32_t> shared, barred, absent;
  for (uint32_t lcore : needs.lcores) {
    if (!online.empty() && !In(online, lcore)) absent.push_back(lcore);
    if (!In(allowed, lcore)) barred.push_back(lcore);
    if (!In(isolated, lcore)) shared.push_back(lcore);
  }
  if (!needs.lcores.empty()) absl::StrAppend(&finding.found, "; lcores ", CpuRange(needs.lcores));
  if (!absent.empty()) {
    const std::vector<uint32_t> some = Last(online, needs.lcores.size());
    finding.grade = Grade::kMissing;
    absl::StrAppend(&finding.found, "; this machine has CPUs ", CpuRange(online));
    finding.needed = absl::StrCat("CPUs ", CpuRange(absent), " for the lcores");
    finding.fix = absl::StrCat(needs.command, " --lcores ", CpuRange(some));
  } else if (!barred.empty()) {
    finding.grade = Grade::kMissing;
    absl::StrAppend(&finding.found, "; this process may run on ", CpuRange(allowed));
    finding.needed = absl::StrCat("CPUs ", CpuRange(barred), " for the lcores");
    finding.fix = absl::StrCat("taskset -c ", CpuRange(needs.lcores), " ", needs.command);
  } else if (!shared.empty()) {
    finding.grade = Grade::kWarning;
    finding.needed = "CPUs that the scheduler uses for nothing else";
    // CPU 0 is left out, because it always runs something else, too.
    std::vector<uint32_t> other = allowed;
    other.erase(std::remove(other.begin(), other.end(), 0), other.end());
    std::vector<uint32_t> free = isolated;
    free.erase(
        std::remove_if(free.begin(), free.end(), [&](uint32_t cpu) { return !In(other, cpu); }),
        free.end());
    const size_t count = needs.lcores.size();
    if (free.size() >= count) {
      finding.fix = absl::StrCat(needs.command, " --lcores ", CpuRange(Last(free, count)));
    } else if (!In(shared, 0)) {
      finding.fix = Isolate(needs.lcores);
    } else if (other.size() >= count) {
      finding.fix = Isolate(Last(other, count));
      absl::StrAppend(&finding.needed,
                      ", which CPU 0 never is; after that choose them with --lcores ",
                      CpuRange(Last(other, count)));
    } else {
      absl::StrAppend(&finding.needed, ", which CPU 0 never is: use a machine with more CPUs");
    }
  }
  findings->push_back(finding);
}

void CheckGovernor(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  std::vector<uint32_t> slow;
  std::string governor;
  const std::vector<uint32_t>& cpus = needs.lcores.empty() ? host.AllowedCpus() : needs.lcores;
  for (uint32_t cpu : cpus) {
    const std::string name = host.Governor(cpu);
    if (!name.empty()) governor = governor.empty() || name != "performance" ? name : governor;
    if (!name.empty() && name != "performance") slow.push_back(cpu);
  }
  Finding finding = {.check = "CPU governor",
                     .found = governor.empty() ? "no frequency scaling" : governor};
  if (!slow.empty()) {
    finding.grade = Grade::kWarning;
    absl::StrAppend(&finding.found, " on CPU ", CpuRange(slow));
    finding.needed = "performance";
    finding.fix = absl::StrCat("cpupower -c ", CpuRange(slow), " frequency-set -g performance");
  }
  findings->push_back(finding);
}

void CheckSiblings(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  Finding finding = {.check = "SMT siblings", .found = "no two lcores share a core"};
  bool smt = false;
  for (uint32_t cpu : needs.lcores.empty() ? host.AllowedCpus() : needs.lcores) {
    const std::vector<uint32_t> siblings = host.Siblings(cpu);
    smt |= siblings.size() > 1;
    for (uint32_t other : siblings) {
      if (other == cpu || !In(needs.lcores, cpu) || !In(needs.lcores, other)) continue;
      finding.grade = Grade::kWarning;
      finding.found = absl::StrCat("lcores ", CpuRange(siblings), " are one core");
      finding.needed = "a core for each lcore";
      const std::vector<uint32_t> cores = OneOfEachCore(host);
      finding.fix = cores.size() < needs.lcores.size()
                        ? "lscpu --extended=CPU,CORE"
                        : absl::StrCat(needs.command, " --lcores ",
                                       CpuRange(Last(cores, needs.lcores.size())));
    }
  }
  if (!smt) finding.found = "none: one thread per core";
  findings->push_back(finding);
}

}  // namespace twinpath
