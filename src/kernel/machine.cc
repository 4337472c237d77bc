// SPDX-License-Identifier: BSD-3-Clause
// Reads interfaces, capabilities and limits from the kernel, and the rest from sysfs and procfs.
// With a fake root, reads only files. Control thread.

#include "src/kernel/machine.h"

#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

uint64_t Number(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string FormatPci(unsigned domain, unsigned bus, unsigned device, unsigned function) {
  char text[32];
  std::snprintf(text, sizeof(text), "%04x:%02x:%02x.%x", domain, bus, device, function);
  return text;
}

unsigned Decimal(const std::ssub_match& match) {
  return match.matched ? static_cast<unsigned>(Number(match.str())) : 0;
}

}  // namespace

std::string Machine::Read(const std::string& path) const {
  std::ifstream file(root_ + path);
  std::string text;
  std::getline(file, text);
  return text;
}

std::string Machine::LinkName(const std::string& path) const {
  std::error_code error;
  fs::path target = fs::read_symlink(root_ + path, error);
  return error ? "" : target.filename().string();
}

// The folder of sysfs that shows interface `name`, under its main name. Empty if sysfs does not
// show it: sysfs belongs to the network namespace in which it was mounted, and an interface there
// may have the same name and even the same index.
std::string Machine::InterfaceFolder(const std::string& name) const {
  const std::string folder = "/sys/class/net/";
  if (!root_.empty()) return folder + name;
  const auto found = FindLink(name);
  if (!found) return "";
  const std::string shown = folder + found->name;
  const bool same = Number(Read(shown + "/ifindex")) == found->index &&
                    Read(shown + "/address") == found->address;
  return same ? shown : "";
}

bool Machine::InterfaceExists(const std::string& name) const {
  if (root_.empty()) return FindLink(name).has_value();
  if (name.empty() || name.size() >= IFNAMSIZ || name.find('/') != std::string::npos) return false;
  std::error_code error;
  return fs::exists(root_ + "/sys/class/net/" + name + "/ifindex", error);
}

std::string Machine::InterfaceName(const std::string& name) const {
  const auto link = root_.empty() ? FindLink(name) : std::nullopt;
  return link.has_value() ? link->name : name;
}

std::string Machine::InterfaceDriver(const std::string& name) const {
  std::string driver;
  if (const std::string folder = InterfaceFolder(name); !folder.empty())
    driver = LinkName(folder + "/device/driver");
  if (driver.empty()) driver = EthtoolDriver(name);
  return driver.empty() ? "unknown" : driver;
}

uint32_t Machine::InterfaceRxQueues(const std::string& name) const {
  uint32_t queues = 0;
  std::error_code error;
  if (const std::string folder = InterfaceFolder(name); !folder.empty())
    for (const auto& entry : fs::directory_iterator(root_ + folder + "/queues", error))
      queues += entry.path().filename().string().rfind("rx-", 0) == 0;
  if (queues != 0 || !root_.empty()) return queues;
  const Channels channels = InterfaceChannels(name);
  queues = channels.rx + channels.combined;
  return queues == 0 && InterfaceExists(name) ? 1 : queues;  // every interface has at least one
}

uint32_t Machine::InterfaceMtu(const std::string& name) const {
  if (root_.empty()) return FindLink(name).value_or(Link()).mtu;
  return static_cast<uint32_t>(Number(Read("/sys/class/net/" + name + "/mtu")));
}

uint32_t Machine::InterfaceFlags(const std::string& name) const {
  if (root_.empty()) return FindLink(name).value_or(Link()).flags;
  return static_cast<uint32_t>(
      std::strtoul(Read("/sys/class/net/" + name + "/flags").c_str(), nullptr, 16));
}

std::optional<std::string> Machine::InterfacePci(const std::string& name) const {
  const std::string folder = InterfaceFolder(name);
  if (folder.empty()) return NormalPci(EthtoolBus(name));
  const std::string device = folder + "/device";
  if (auto pci = NormalPci(LinkName(device))) return pci;
  // The parent of a virtio NIC is virtioN, whose parent is the PCI device.
  std::error_code error;
  const fs::path real = fs::canonical(root_ + device, error);
  return error ? std::nullopt : NormalPci(real.parent_path().filename());
}

std::optional<std::string> Machine::PredictedPci(const std::string& name) const {
  std::smatch match;
  std::error_code error;
  // en[P<domain>]p<bus>s<slot>[f<function>]; all decimal
  static const std::regex by_path(
      "(?:en|wl|ww|sl)(?:P(\\d+))?p(\\d+)s(\\d+)(?:f(\\d+))?(?:[nd]\\w+)?");
  if (std::regex_match(name, match, by_path)) {
    std::string address =
        FormatPci(Decimal(match[1]), Decimal(match[2]), Decimal(match[3]), Decimal(match[4]));
    if (PciExists(address)) return address;
    return std::nullopt;
  }
  static const std::regex by_slot("(?:en|wl|ww|sl)s(\\d+)(?:f(\\d+))?(?:[nd]\\w+)?");
  if (std::regex_match(name, match, by_slot)) {
    std::string device = Read("/sys/bus/pci/slots/" + match[1].str() + "/address");
    auto address = NormalPci(device + "." + std::to_string(Decimal(match[2])));
    if (address && PciExists(*address)) return address;
    return std::nullopt;
  }
  static const std::regex on_board("(?:en|wl|ww|sl)o(\\d+)(?:[nd]\\w+)?");
  if (std::regex_match(name, match, on_board)) {
    for (const auto& entry : fs::directory_iterator(root_ + "/sys/bus/pci/devices", error)) {
      std::string address = entry.path().filename();
      for (const char* file : {"/acpi_index", "/index"})
        if (Read("/sys/bus/pci/devices/" + address + file) == match[1].str()) return address;
    }
  }
  return std::nullopt;
}

bool Machine::PciExists(const std::string& address) const {
  std::error_code error;
  return fs::exists(root_ + "/sys/bus/pci/devices/" + address, error);
}

std::string Machine::PciDriver(const std::string& address) const {
  return LinkName("/sys/bus/pci/devices/" + address + "/driver");
}

std::vector<std::string> Machine::PciInterfaces(const std::string& address) const {
  std::vector<std::string> names;
  if (root_.empty()) {
    for (const Link& link : ReadLinks())
      if (InterfacePci(link.name) == address) names.push_back(link.name);
    std::sort(names.begin(), names.end());
    return names;
  }
  std::error_code error;
  const std::string device = root_ + "/sys/bus/pci/devices/" + address;
  auto add = [&](const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder, error))
      names.push_back(entry.path().filename());
  };
  add(device + "/net");
  for (const auto& entry : fs::directory_iterator(device, error))  // a virtio NIC's is virtioN/net
    if (entry.path().filename().string().rfind("virtio", 0) == 0) add(entry.path() / "net");
  std::sort(names.begin(), names.end());
  return names;
}

bool Machine::PciServesElsewhere(const std::string& address) const {
  return !PciDriver(address).empty() && PciInterfaces(address).empty();
}

int Machine::PciNode(const std::string& address) const {
  std::string text = Read("/sys/bus/pci/devices/" + address + "/numa_node");
  return text.empty() || text[0] == '-' ? -1 : static_cast<int>(Number(text));
}

std::string Machine::BindCommand(const std::string& pci) const {
  if (PciServesElsewhere(pci)) return "";
  std::error_code error;
  for (const char* folder : {"/usr/local/sbin/", "/usr/sbin/", "/sbin/", "/usr/bin/"})
    if (fs::exists(root_ + folder + "driverctl", error))
      return "driverctl set-override " + pci + " vfio-pci";
  const std::string device = "/sys/bus/pci/devices/" + pci;
  std::string command = "echo vfio-pci > " + device + "/driver_override";
  if (!PciDriver(pci).empty()) command += " && echo " + pci + " > " + device + "/driver/unbind";
  return command + " && echo " + pci + " > /sys/bus/pci/drivers_probe";
}

bool Machine::IsEmpty(const std::string& folder) const {
  std::error_code error;
  return fs::directory_iterator(root_ + folder, error) == fs::directory_iterator();
}

std::string Machine::SysNote() const {
  struct statvfs mount = {};
  const bool read_only =
      statvfs((root_ + "/sys").c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
  return read_only ? " (on the host: /sys is read-only here)" : "";
}

std::vector<HugepageSize> Machine::Hugepages() const {
  std::vector<HugepageSize> sizes;
  std::error_code error;
  const std::string folder = "/sys/kernel/mm/hugepages";
  for (const auto& entry : fs::directory_iterator(root_ + folder, error)) {
    std::string name = entry.path().filename();  // hugepages-2048kB
    if (name.rfind("hugepages-", 0) != 0) continue;
    sizes.push_back({.bytes = Number(name.substr(10)) * 1024,
                     .total = Number(Read(folder + "/" + name + "/nr_hugepages")),
                     .free = Number(Read(folder + "/" + name + "/free_hugepages"))});
  }
  std::sort(sizes.begin(), sizes.end(), [](auto& a, auto& b) { return a.bytes < b.bytes; });
  return sizes;
}

std::vector<std::string> Machine::HugetlbfsFolders() const {
  std::vector<std::string> folders;
  std::ifstream mounts(root_ + "/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device, where, type;
    if (fields >> device >> where >> type && type == "hugetlbfs") folders.push_back(where);
  }
  return folders;
}

std::string Machine::ClosedHugetlbfs() const {
  for (const std::string& folder : HugetlbfsFolders())
    if (access((root_ + folder).c_str(), R_OK) != 0) return folder;
  return "";
}

bool Machine::Closed(const std::string& path) const {
  std::error_code error;
  return fs::is_directory(root_ + path, error) && access((root_ + path).c_str(), R_OK | X_OK) != 0;
}

bool Machine::HasCapability(int capability) const {
  if (assumed_.has_value()) return *assumed_ >> capability & 1;
  if (root_.empty()) return EffectiveCapabilities() >> capability & 1;
  std::ifstream status(root_ + "/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("CapEff:", 0) != 0) continue;
    return std::strtoull(line.c_str() + 7, nullptr, 16) >> capability & 1;
  }
  return false;
}

uint64_t Machine::MemlockLimit() const {
  if (root_.empty()) {
    rlimit limit = {};
    const bool read = getrlimit(RLIMIT_MEMLOCK, &limit) == 0;
    return !read || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
  }
  std::ifstream limits(root_ + "/proc/self/limits");
  const std::string name = "Max locked memory";
  for (std::string line; std::getline(limits, line);) {
    if (line.rfind(name, 0) != 0) continue;
    std::string soft;
    std::istringstream(line.substr(name.size())) >> soft;
    if (soft != "unlimited") return Number(soft);
  }
  return UINT64_MAX;
}

std::string FileSystemOf(const std::string& folder) { return folder == "/proc" ? "proc" : "sysfs"; }

std::string MountAdvice(const std::string& folder, const std::string& who) {
  const std::string system = FileSystemOf(folder);
  return folder + " is empty, and " + who + " needs " + system + " there: mount -t " + system +
         " " + system + " " + folder;
}

uint64_t EffectiveCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | static_cast<uint64_t>(data[1].effective) << 32;
}

std::vector<uint32_t> AllowedCpus() {
  std::vector<uint32_t> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

std::optional<std::string> NormalPci(const std::string& text) {
  static const std::regex address(
      "(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");
  std::smatch match;
  if (!std::regex_match(text, match, address)) return std::nullopt;
  auto hex = [](const std::ssub_match& part) {
    return part.matched ? static_cast<unsigned>(std::stoul(part.str(), nullptr, 16)) : 0u;
  };
  return FormatPci(hex(match[1]), hex(match[2]), hex(match[3]), hex(match[4]));
}

}  // namespace twinpath
