// SPDX-License-Identifier: BSD-3-Clause
// The CPUs that lcores poll on. Nothing here keeps a program from starting. Main thread.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apps/twinpath/doctor_checks.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;

bool In(const std::vector<uint32_t>& cpus, uint32_t cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

}  // namespace

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
    const size_t count = std::min(needs.lcores.size(), online.size());
    const std::vector<uint32_t> some(online.end() - static_cast<std::ptrdiff_t>(count),
                                     online.end());
    finding.grade = Grade::kMissing;
    absl::StrAppend(&finding.found, "; this machine has CPUs ", CpuRange(online));
    finding.needed = absl::StrCat("lcores ", CpuRange(absent), " among them");
    finding.mend = absl::StrCat("twinpath-dpdk --lcores ", CpuRange(some), " ...");
  } else if (!barred.empty()) {
    finding.grade = Grade::kMissing;
    absl::StrAppend(&finding.found, "; this process may run on ", CpuRange(allowed));
    finding.needed = absl::StrCat("lcores ", CpuRange(barred), " among them");
    finding.mend = absl::StrCat("taskset -c ", CpuRange(needs.lcores), " twinpath-dpdk ...");
  } else if (!shared.empty()) {
    finding.grade = Grade::kWarning;
    finding.needed = "CPUs that the scheduler gives to nobody else";
    finding.mend = absl::StrCat("kernel argument isolcpus=", CpuRange(shared),
                                " nohz_full=", CpuRange(shared), ", then reboot");
    if (In(shared, 0))
      finding.mend = "another CPU than 0, isolated by isolcpus= and chosen by --lcores";
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
                     .found = governor.empty() ? "no frequency scaling here" : governor};
  if (!slow.empty()) {
    finding.grade = Grade::kWarning;
    absl::StrAppend(&finding.found, " on CPU ", CpuRange(slow));
    finding.needed = "performance";
    finding.mend = absl::StrCat("cpupower -c ", CpuRange(slow), " frequency-set -g performance");
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
      finding.mend =
          "other --lcores: cat /sys/devices/system/cpu/cpu*/topology/thread_siblings_list";
    }
  }
  if (!smt) finding.found = "none: one thread a core";
  findings->push_back(finding);
}

}  // namespace twinpath
