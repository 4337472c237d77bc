// SPDX-License-Identifier: BSD-3-Clause
// Checks memory and rights (hugepages, hugetlbfs, memlock, capabilities) and the kernel's version.
// Main thread.

#include <linux/capability.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/doctor/checks.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;
using Path = Finding::Path;

// Both paths were tested on 6.1 and later. The XDP path needs bpf_link, which exists since 5.9.
constexpr int kMinMajor = 5, kMinMinor = 10;

std::string Pages(const HugepageSize& size) {
  return absl::StrCat(size.free, " of ", size.total, " free");
}

std::string PagesFile(const HugepageSize& size, const std::string& node) {
  const std::string folder =
      node.empty() ? "/sys/kernel/mm/" : absl::StrCat("/sys/devices/system/node/", node, "/");
  return absl::StrCat(folder, "hugepages/hugepages-", size.bytes >> 10, "kB/nr_hugepages");
}

// The command that adds hugepages for `lack` more bytes.
std::string MorePages(const HugepageSize& size, uint64_t lack, const std::string& node = "") {
  return absl::StrCat("echo ", size.total + (lack + size.bytes - 1) / size.bytes, " > ",
                      PagesFile(size, node));
}

// Whether the program to start has the capability.
bool Has(const DoctorHost& host, const DoctorNeeds& needs, int capability) {
  return needs.rights.has_value() ? *needs.rights >> capability & 1
                                  : host.machine().HasCapability(capability);
}

}  // namespace

std::string Size(uint64_t bytes) {
  if (bytes >= 1ull << 30 && bytes % (1ull << 30) == 0) return absl::StrCat(bytes >> 30, " GiB");
  return absl::StrCat((bytes + (1ull << 20) - 1) >> 20, " MiB");
}

void CheckKernel(const DoctorHost& host, Findings* findings) {
  const std::string release = host.KernelRelease();
  Finding finding = {.check = "kernel", .found = "Linux " + release, .needed = "", .fix = ""};
  int major = 0, minor = 0;
  const size_t dot = release.find('.');
  const bool read =
      dot != std::string::npos && absl::SimpleAtoi(release.substr(0, dot), &major) &&
      absl::SimpleAtoi(
          release.substr(dot + 1, release.find_first_not_of("0123456789", dot + 1) - dot - 1),
          &minor);
  if (!read || std::pair(major, minor) < std::pair(kMinMajor, kMinMinor)) {
    finding.grade = Grade::kMissing;
    finding.needed = absl::StrCat("Linux ", kMinMajor, ".", kMinMinor, " or later");
    finding.fix = "apt install linux-image-amd64";
  }
  findings->push_back(finding);
}

bool CheckMounts(const DoctorHost& host, Findings* findings) {
  for (const std::string folder : {"/proc", "/sys"}) {
    if (!host.machine().IsEmpty(folder)) continue;
    const std::string system = FileSystemOf(folder);
    findings->push_back(
        {.grade = Grade::kMissing,
         .check = system,
         .found = folder + " is empty",
         .needed = system + ", mounted there: nothing else can be checked without it",
         .fix = absl::StrCat("mount -t ", system, " ", system, " ", folder)});
    return false;
  }
  return true;
}

void CheckHugepages(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const std::vector<HugepageSize> sizes = host.machine().Hugepages();
  uint64_t free_bytes = 0;
  for (const HugepageSize& size : sizes) free_bytes += size.free * size.bytes;
  Finding all = {.path = Path::kDpdk, .check = "hugepages", .found = Size(free_bytes) + " free"};
  if (!needs.hugepages) {
    all.grade = Grade::kNote;
    all.needed = "none: the profile says --no-huge";
  } else if (sizes.empty()) {
    all.grade = Grade::kMissing;
    all.found = "not supported by the kernel";
    all.needed = "a kernel with CONFIG_HUGETLBFS, or --no-huge";
    all.fix = needs.command + " -- --no-huge";
  } else if (!needs.memory_bytes.has_value()) {
    all.grade = Grade::kNote;
    all.needed = "unknown until the faults above are fixed";
  } else {
    all.needed = Size(*needs.memory_bytes);
    if (!needs.for_profile) all.needed += ", for two ports connected by a wire";
    if (free_bytes < *needs.memory_bytes) {
      all.grade = Grade::kMissing;
      all.needed += host.machine().SysNote();
      all.fix = MorePages(sizes.front(), *needs.memory_bytes - free_bytes);
    }
  }
  findings->push_back(all);
  for (const HugepageSize& size : sizes) {
    findings->push_back({.grade = size.total ? Grade::kOk : Grade::kNote,
                         .check = "hugepages",
                         .subject = Size(size.bytes),
                         .found = Pages(size)});
  }
  const std::vector<NodeHugepages> nodes = host.HugepagesOfNodes();
  const bool several = !nodes.empty() && nodes.front().node != nodes.back().node;
  for (int node : needs.nodes) {
    if (!several || !needs.hugepages || !needs.memory_bytes.has_value()) break;
    const uint64_t share = *needs.memory_bytes / needs.nodes.size();
    uint64_t there = 0;
    HugepageSize smallest;
    for (const NodeHugepages& pages : nodes) {
      if (pages.node != node) continue;
      if (smallest.bytes == 0) smallest = pages.size;
      there += pages.size.free * pages.size.bytes;
    }
    const bool enough = there >= share;
    findings->push_back(
        {.grade = enough ? Grade::kOk : Grade::kMissing,
         .path = Path::kDpdk,
         .check = "hugepages",
         .subject = absl::StrCat("node ", node),
         .found = Size(there) + " free",
         .needed = absl::StrCat(Size(share), ", on the node of the ports",
                                enough ? "" : host.machine().SysNote()),
         .fix = enough ? "" : MorePages(smallest, share - there, absl::StrCat("node", node))});
  }
}

void CheckHugetlbfs(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const std::vector<std::string> folders = host.machine().HugetlbfsFolders();
  const std::string closed = host.machine().ClosedHugetlbfs();
  Finding finding = {
      .grade = folders.empty() ? Grade::kNote : Grade::kOk,
      .path = Path::kDpdk,
      .check = "hugetlbfs",
      .found = folders.empty() ? "not mounted" : "mounted at " + absl::StrJoin(folders, ", ")};
  if (!closed.empty() && needs.hugepages) {
    finding.grade = Grade::kMissing;
    finding.found = closed + " cannot be opened by this user";
    finding.needed = "access, or no such mount";
    finding.fix = absl::StrCat("sudo chmod a+rx ", closed);
  } else if (folders.empty() && needs.hugepages && !needs.private_memory) {
    finding.grade = Grade::kMissing;
    finding.needed = "mounted: the profile's EAL arguments share memory with other processes";
    finding.fix = "mkdir -p /dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages";
  } else if (folders.empty()) {
    finding.needed = "not needed: memory is private (--in-memory)";
  }
  findings->push_back(finding);
}

void CheckRuntimeFolder(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const std::string& folder = needs.runtime_folder;
  const std::string there = host.Nearest(folder), problem = host.WhyNotWritable(there);
  Finding finding = {.path = Path::kDpdk, .check = "runtime folder", .found = folder};
  if (!problem.empty()) {
    finding.grade = Grade::kMissing;
    finding.found = there == folder
                        ? absl::StrCat(folder, " cannot be written: ", problem)
                        : absl::StrCat(folder, " cannot be created in ", there, ": ", problem);
    finding.needed = "a folder for the program's lock and its telemetry socket";
    finding.fix =
        problem == std::strerror(EROFS)
            ? absl::StrCat("sudo mount -o remount,rw \"$(findmnt -no TARGET -T ", there, ")\"")
            : "export XDG_RUNTIME_DIR=\"$(mktemp -d)\"";
  }
  findings->push_back(finding);
}

void CheckMemlock(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const uint64_t limit = host.machine().MemlockLimit();
  const bool exempt = Has(host, needs, CAP_IPC_LOCK);
  Finding finding = {.path = Path::kDpdk,
                     .check = "memlock",
                     .found = limit == UINT64_MAX ? "no limit" : absl::StrCat(limit >> 10, " KiB")};
  if (exempt) finding.found += ", which does not apply with CAP_IPC_LOCK";
  if (!exempt && limit < needs.locked_bytes) {
    finding.grade = Grade::kMissing;
    finding.needed =
        absl::StrCat((needs.locked_bytes >> 10) + 1, " KiB, for memory that AF_XDP or VFIO locks");
    finding.fix = absl::StrCat("sudo prlimit --pid $$ --memlock=", needs.locked_bytes, ":",
                               needs.locked_bytes);
  }
  findings->push_back(finding);
}

void CheckCapabilities(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  Finding finding = {.check = "capabilities", .found = "none needed"};
  std::vector<std::string> missing, useful, files, all;
  for (const DoctorNeeds::Capability& need : needs.capabilities) {
    finding.path = need.path;
    all.push_back(absl::StrCat(need.name, " (", need.purpose, ")"));
    files.push_back(absl::AsciiStrToLower(need.name));
    // Since Linux 5.8 CAP_SYS_ADMIN includes these two.
    const bool part = need.number == CAP_BPF || need.number == CAP_PERFMON;
    if (!Has(host, needs, need.number) && !(part && Has(host, needs, CAP_SYS_ADMIN)))
      (need.required ? missing : useful).push_back(need.name);
  }
  if (!needs.memory_bytes.has_value()) {
    finding.grade = Grade::kNote;
    finding.found = "unknown until the faults above are fixed";
  }
  if (!all.empty()) finding.found = "all needed ones";
  finding.needed = absl::StrJoin(all, ", ");
  if (!missing.empty() || !useful.empty()) {
    finding.grade = missing.empty() ? Grade::kWarning : Grade::kMissing;
    missing.insert(missing.end(), useful.begin(), useful.end());
    finding.found = "no " + absl::StrJoin(missing, ", no ");
    // setcap replaces all capabilities of the file, so the fix lists all needed ones.
    if (needs.locked_bytes > host.machine().MemlockLimit()) files.emplace_back("cap_ipc_lock");
    const std::string program =
        !needs.program.empty() ? needs.program
                               : absl::StrCat("\"$(command -v twinpath-",
                                              finding.path == Path::kXdp ? "xdp" : "dpdk", ")\"");
    finding.fix = absl::StrCat("sudo setcap ", absl::StrJoin(files, ","), "+ep ", program);
  }
  findings->push_back(finding);
}

void CheckBpffs(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  const bool mounted = host.Mounted("bpf", "/sys/fs/bpf");
  Finding finding = {.grade = mounted ? Grade::kOk : Grade::kNote,
                     .path = Path::kDpdk,
                     .check = "bpffs",
                     .found = mounted ? "mounted at /sys/fs/bpf" : "not mounted",
                     .needed = mounted ? "" : "only for twinpath-xdp --pin",
                     .fix = mounted ? "" : "mount -t bpf bpf /sys/fs/bpf"};
  if (host.machine().Closed(kLibxdpPins)) {
    finding.grade = needs.for_profile ? Grade::kMissing : Grade::kNote;
    finding.found = absl::StrCat(kLibxdpPins, " was left behind by another user's AF_XDP program");
    finding.needed = "access, or no such folder, for AF_XDP";
    finding.fix = absl::StrCat("sudo rmdir ", kLibxdpPins);
  }
  findings->push_back(finding);
}

void CheckTun(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  if (!needs.exceptions) return;
  const bool vhost = host.MayUse("/dev/vhost-net"), tun = host.MayUse("/dev/net/tun");
  Finding finding = {.path = Path::kDpdk, .check = "exception ports"};
  finding.found = vhost ? "virtio-user over /dev/vhost-net"
                  : tun ? host.Exists("/dev/vhost-net")
                              ? "TAP: this user has no access to /dev/vhost-net"
                              : "TAP: there is no /dev/vhost-net"
                        : "no access to /dev/vhost-net and /dev/net/tun";
  if (!vhost && !tun) {
    finding.grade = Grade::kMissing;
    finding.needed = "one of them, for packets that the policy passes to the kernel";
    finding.fix = host.Exists("/dev/net/tun") ? "sudo chmod a+rw /dev/net/tun"
                                              : "sudo modprobe -a tun vhost_net";
  } else if (!vhost) {
    finding.grade = Grade::kNote;
    finding.fix = "modprobe vhost_net";
  }
  findings->push_back(finding);
}

}  // namespace twinpath
