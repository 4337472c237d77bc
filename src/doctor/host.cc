// SPDX-License-Identifier: BSD-3-Clause
// Reads from the kernel, procfs and sysfs. Main thread.

#include "src/doctor/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/config/profile/profile.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// TX queues in use: the driver's channels, if it reports them.
uint32_t InterfaceTxQueues(const Link& link) {
  const Channels channels = InterfaceChannels(link.name);
  const uint32_t queues = channels.tx + channels.combined;
  return queues != 0 ? queues : link.tx_queues;
}

uint64_t Number(const std::string& text) {
  uint64_t value = 0;
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

}  // namespace

std::string DoctorHost::KernelRelease() const {
  utsname system = {};
  if (root_.empty() && uname(&system) == 0) return system.release;
  return Read("/proc/sys/kernel/osrelease");
}

bool DoctorHost::Exists(const std::string& path) const {
  std::error_code error;
  return fs::exists(root_ + path, error);
}

bool DoctorHost::MayUse(const std::string& path) const {
  return access((root_ + path).c_str(), R_OK | W_OK) == 0;
}

std::string DoctorHost::Nearest(const std::string& path) const {
  fs::path there = path;
  std::error_code error;
  while (there.has_relative_path() && !fs::exists(root_ + there.string(), error))
    there = there.parent_path();
  return there;
}

std::string DoctorHost::WhyNotWritable(const std::string& folder) const {
  const std::string path = root_ + folder;
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::strerror(ENOTDIR);
  return access(path.c_str(), W_OK | X_OK) == 0 ? "" : std::strerror(errno);
}

bool DoctorHost::HasModule(const std::string& module) const {
  return Exists("/sys/module/" + module);
}

bool DoctorHost::Mounted(const std::string& type, const std::string& where) const {
  std::ifstream mounts(root_ + "/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device, at, kind;
    if (fields >> device >> at >> kind && kind == type && (where.empty() || at == where))
      return true;
  }
  return false;
}

std::vector<NodeHugepages> DoctorHost::HugepagesOfNodes() const {
  std::vector<NodeHugepages> found;
  const std::string nodes = "/sys/devices/system/node/";
  for (const std::string& node : Names(root_ + nodes)) {
    uint32_t number = 0;
    if (node.rfind("node", 0) != 0 || !absl::SimpleAtoi(node.substr(4), &number)) continue;
    const std::string folder = nodes + node + "/hugepages/";
    for (const std::string& size : Names(root_ + folder)) {
      if (size.rfind("hugepages-", 0) != 0) continue;
      const uint64_t kilobytes = Number(size.substr(10, size.size() - 12));  // hugepages-2048kB
      found.push_back({static_cast<int>(number),
                       {.bytes = kilobytes * 1024,
                        .total = Number(Read(folder + size + "/nr_hugepages")),
                        .free = Number(Read(folder + size + "/free_hugepages"))}});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.node, a.size.bytes) < std::pair(b.node, b.size.bytes);
  });
  return found;
}

uint32_t DoctorHost::IommuGroups() const {
  return static_cast<uint32_t>(Names(root_ + "/sys/kernel/iommu_groups").size());
}

std::string DoctorHost::IommuGroup(const std::string& pci) const {
  std::error_code error;
  return fs::read_symlink(root_ + "/sys/bus/pci/devices/" + pci + "/iommu_group", error).filename();
}

std::string DoctorHost::Holder(const std::string& file) const {
  for (const std::string& process : Names(root_ + "/proc")) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(process, &number)) continue;
    const std::string folder = absl::StrCat("/proc/", process);
    for (const std::string& fd : Names(root_ + folder + "/fd")) {
      std::error_code error;
      if (fs::read_symlink(root_ + folder + "/fd/" + fd, error) == file)
        return absl::StrCat(process, " (", Read(folder + "/comm"), ")");
    }
  }
  return "";
}

bool DoctorHost::UnsafeNoIommu() const {
  return Read("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y";
}

std::vector<std::string> DoctorHost::Interfaces() const {
  std::vector<std::string> names;
  if (root_.empty()) {
    for (const Link& link : ReadLinks()) names.push_back(link.name);
    std::sort(names.begin(), names.end());
  } else {
    names = Names(root_ + "/sys/class/net");
  }
  std::erase_if(names, [this](const std::string& name) {
    return name == "lo" || !machine_.InterfaceExists(name);
  });
  return names;
}

std::optional<DoctorHost::Peer> DoctorHost::PeerOf(const std::string& name) const {
  if (root_.empty()) {
    const auto link = FindLink(name);
    if (!link || link->kind != "veth" || link->elsewhere) return std::nullopt;
    for (const Link& peer : ReadLinks())
      if (peer.index == link->lower && peer.lower == link->index && !peer.elsewhere)
        return Peer{peer.name, InterfaceTxQueues(peer)};
    return std::nullopt;
  }
  const std::string net = "/sys/class/net/";
  const std::string index = Read(net + name + "/iflink");
  if (index == Read(net + name + "/ifindex")) return std::nullopt;
  for (const std::string& peer : Names(root_ + net)) {
    // An interface with this index may be a peer in another namespace, so iflink must match, too.
    if (Read(net + peer + "/ifindex") != index ||
        Read(net + peer + "/iflink") != Read(net + name + "/ifindex"))
      continue;
    uint32_t queues = 0;
    for (const std::string& queue : Names(root_ + net + peer + "/queues"))
      queues += queue.rfind("tx-", 0) == 0;
    return Peer{peer, queues};
  }
  return std::nullopt;
}

std::vector<std::string> DoctorHost::PciNics() const {
  std::vector<std::string> nics;
  const std::string devices = "/sys/bus/pci/devices/";
  for (const std::string& address : Names(root_ + devices))
    if (Read(devices + address + "/class").rfind("0x0200", 0) == 0) nics.push_back(address);
  return nics;
}

std::vector<uint32_t> DoctorHost::CpuList(const std::string& path) const {
  auto cpus = ParseCpuList(Read(path));
  return cpus.ok() ? *std::move(cpus) : std::vector<uint32_t>();
}

std::vector<uint32_t> DoctorHost::IsolatedCpus() const {
  return CpuList("/sys/devices/system/cpu/isolated");
}

std::vector<uint32_t> DoctorHost::OnlineCpus() const {
  return CpuList("/sys/devices/system/cpu/online");
}

std::string DoctorHost::Governor(uint32_t cpu) const {
  return Read(absl::StrCat("/sys/devices/system/cpu/cpu", cpu, "/cpufreq/scaling_governor"));
}

std::vector<uint32_t> DoctorHost::Siblings(uint32_t cpu) const {
  return CpuList(
      absl::StrCat("/sys/devices/system/cpu/cpu", cpu, "/topology/thread_siblings_list"));
}

int DoctorHost::CpuNode(uint32_t cpu) const {
  for (const std::string& name : Names(absl::StrCat(root_, "/sys/devices/system/cpu/cpu", cpu))) {
    uint32_t node = 0;
    if (name.rfind("node", 0) == 0 && absl::SimpleAtoi(name.substr(4), &node))
      return static_cast<int>(node);
  }
  return -1;
}

std::vector<uint32_t> DoctorHost::AllowedCpus() const {
  if (root_.empty()) return twinpath::AllowedCpus();
  std::ifstream status(root_ + "/proc/self/status");
  const std::string key = "Cpus_allowed_list:";
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key, 0) != 0) continue;
    std::string list;
    std::istringstream(line.substr(key.size())) >> list;
    auto cpus = ParseCpuList(list);
    if (cpus.ok()) return *std::move(cpus);
  }
  return {};
}

}  // namespace twinpath
