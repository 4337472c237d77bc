// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/lab/facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "src/compare/lab/child.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

// The first value of `key` in a file of lines "key : value".
std::string ValueOf(const std::string& text, const std::string& key) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (absl::StripAsciiWhitespace(line.substr(0, colon)) == key)
      return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return "";
}

std::string Mitigations() {
  std::vector<std::string> found;
  std::error_code error;
  const std::string folder = "/sys/devices/system/cpu/vulnerabilities";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string text(absl::StripAsciiWhitespace(ReadFile(entry.path())));
    if (text != "Not affected")
      found.push_back(absl::StrCat(entry.path().filename().string(), ": ", text));
  }
  std::sort(found.begin(), found.end());
  return found.empty() ? "none needed" : absl::StrJoin(found, "; ");
}

// Those that change how fast packets are, and no others: they may name hosts and disks.
std::string KernelArguments(const std::string& text) {
  std::string found;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(text, ' '))) {
    const std::string name = word.substr(0, word.find('='));
    for (const char* wanted :
         {"mitigations", "isolcpus", "nohz_full", "rcu_nocbs", "idle", "nosmt", "iommu",
          "intel_iommu", "amd_iommu", "hugepages", "hugepagesz", "transparent_hugepage",
          "intel_pstate", "intel_idle.max_cstate", "processor.max_cstate", "preempt"})
      if (name == wanted) absl::StrAppend(&found, found.empty() ? "" : " ", word);
  }
  return found;
}

std::string InterfaceText(const Machine& machine, const std::string& name) {
  const std::string queues = absl::StrCat(machine.InterfaceRxQueues(name));
  return absl::StrCat(name, ": driver ", machine.InterfaceDriver(name), ", ", queues,
                      queues == "1" ? " queue" : " queues", ", MTU ", machine.InterfaceMtu(name));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> MachineFacts(const LabLinks& links) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const std::string& name, const std::string& value) {
    if (!value.empty()) facts.emplace_back(name, value);
  };
  const Machine machine;
  const std::string cpus = ReadFile("/proc/cpuinfo");
  utsname name = {};
  uname(&name);
  add("CPU", ValueOf(cpus, "model name"));
  add("CPUs", absl::StrCat(AllowedCpus().size(), " of ", sysconf(_SC_NPROCESSORS_ONLN)));
  add("hypervisor", ValueOf(cpus, "flags").find(" hypervisor") != std::string::npos
                        ? "yes: a virtual machine"
                        : "none seen");
  add("frequency governor", machine.Read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  add("memory", ValueOf(ReadFile("/proc/meminfo"), "MemTotal"));
  add("kernel", absl::StrCat(name.sysname, " ", name.release, " ", name.version));
  add("kernel arguments", KernelArguments(machine.Read("/proc/cmdline")));
  add("mitigations", Mitigations());
  add("BPF JIT", machine.Read("/proc/sys/net/core/bpf_jit_enable"));
  for (const HugepageSize& size : machine.Hugepages())
    if (size.total)
      add(absl::StrCat("hugepages of ", size.bytes >> 20, " MiB"),
          absl::StrCat(size.free, " free of ", size.total));
  std::vector<std::string> interfaces;
  for (const std::string& link : {links.generator, links.lan, links.wan, links.receiver})
    if (!link.empty() && machine.InterfaceExists(link))
      interfaces.push_back(InterfaceText(machine, link));
  add("interfaces", absl::StrJoin(interfaces, "; "));
  return facts;
}

MachineAccounts::MachineAccounts(FileDescriptor proc)
    : proc_(std::move(proc)), ticks_(static_cast<double>(sysconf(_SC_CLK_TCK))) {}

std::string MachineAccounts::Read(const std::string& path) const {
  const FileDescriptor file(openat(proc_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[8192];
  for (ssize_t count; file.get() >= 0 && (count = read(file.get(), buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<size_t>(count));
  return text;
}

CpuAccounts MachineAccounts::Cpus() const { return ParseProcStat(Read("stat"), ticks_); }

ProcessTimes MachineAccounts::Processes() const {
  ProcessTimes times;
  const int copy = openat(proc_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = copy < 0 ? nullptr : fdopendir(copy);
  if (!folder) return times;
  while (const dirent* entry = readdir(folder)) {
    if (!std::isdigit(static_cast<unsigned char>(entry->d_name[0]))) continue;
    int pid = 0;
    ProcessTime time;
    if (ParseProcessStat(Read(absl::StrCat(entry->d_name, "/stat")), ticks_, &pid, &time))
      times[pid] = time;
  }
  closedir(folder);
  return times;
}

}  // namespace twinpath
