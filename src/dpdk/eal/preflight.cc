// SPDX-License-Identifier: BSD-3-Clause
// The checks, cheapest first: ports and lcores, devices, privileges, memory. Control thread.

#include "src/dpdk/eal/preflight.h"

#include <linux/capability.h>
#include <rte_lcore.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/config/policy/actions.h"
#include "src/dpdk/eal/tables.h"
#include "src/dpdk/port/exception_port.h"
#include "src/dpdk/port/software_rss.h"

namespace twinpath {
namespace {

// Memory of EAL, rings and ethdevs. Mempools and the policy are counted separately.
constexpr uint64_t kOverheadBytes = 24ull << 20;

// The TAP PMD's RTE_ETHER_MAX_VLAN_FRAME_LEN, without header and CRC.
constexpr uint32_t kTapMaxMtu = 1504;

absl::Status CheckPorts(const Profile& profile) {
  std::set<std::string> names, devices;
  for (const PortSpec& port : profile.ports) {
    if (!names.insert(port.name).second)
      return absl::InvalidArgumentError(absl::StrCat("port ", port.name, " is given twice"));
    if (!devices.insert(port.device).second) {
      return absl::InvalidArgumentError(absl::StrCat("port ", port.name, ": device ", port.device,
                                                     " already belongs to another port"));
    }
  }
  return absl::OkStatus();
}

// Checks that no other port uses the device. The user may give one device under several names: an
// interface's alternative names, or a PCI address with and without leading zeros.
absl::Status CheckOwn(const PortSpec& port, const Device& device,
                      const std::vector<Device>& others) {
  const auto same = [&device](const Device& other) {
    return device.kind == other.kind && device.kind != Device::Kind::kVdev &&
           device.pci == other.pci && device.interface == other.interface;
  };
  if (std::none_of(others.begin(), others.end(), same)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "port ", port.name, ": ", device.pci.empty() ? "interface " : "PCI device ",
      device.pci.empty() ? device.interface : device.pci, " already belongs to another port"));
}

// Refuses more queues than software RSS supports. With "auto", only the PMD knows whether the
// device can spread frames itself, and EAL does not run yet: so "auto" is refused, too.
absl::Status CheckSpread(const Profile& profile) {
  if (profile.rss.spread == RssSpread::kDevice || profile.queues <= kMaxSpreadQueues)
    return absl::OkStatus();
  return TooManyToSpread(profile.queues);
}

// Checks the profile's end_with_captures: every port must reach an end.
absl::Status CheckCaptures(const Profile& profile, const std::vector<Device>& devices) {
  if (!profile.end_with_captures) return absl::OkStatus();
  const auto wrong = [&profile](const std::string& found) {
    return absl::InvalidArgumentError(
        absl::StrCat(profile.file, ": /end_with_captures: found ", found,
                     ", allowed net_pcap ports without infinite_rx, of which one or more read an "
                     "rx_pcap file"));
  };
  bool reads = false;
  for (size_t i = 0; i < devices.size(); i++) {
    if (devices[i].endless)
      return wrong(absl::StrCat("port ", profile.ports[i].name, " on ", profile.ports[i].device));
    reads |= devices[i].reads_capture;
  }
  if (!reads) return wrong("no capture to read");
  if (profile.queues > 1 && profile.rss.spread != RssSpread::kDevice)
    return wrong("frames that software spreads over several queues");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint32_t>> ChooseLcores(const Profile& profile) {
  const std::vector<uint32_t> allowed = AllowedCpus();
  std::vector<uint32_t> lcores = profile.lcores;
  if (lcores.empty() && !allowed.empty()) lcores = {allowed.front()};
  for (uint32_t lcore : lcores) {
    if (std::find(allowed.begin(), allowed.end(), lcore) == allowed.end() ||
        lcore >= RTE_MAX_LCORE) {
      return absl::FailedPreconditionError(
          absl::StrCat("lcore ", lcore, " is not available: this process may run on CPUs ",
                       absl::StrJoin(allowed, ","),
                       "; choose others with --lcores, or allow more with taskset"));
    }
  }
  if (lcores.size() > profile.queues) {
    return absl::InvalidArgumentError(absl::StrCat(
        lcores.size(), " lcores for ", profile.queues, " queue", profile.queues == 1 ? "" : "s",
        " per port: each queue belongs to one lcore, so some lcores would have no queue; use "
        "--queues ",
        lcores.size(), " or fewer --lcores"));
  }
  return lcores;
}

// Whether packets that pass from `device` go to an exception port. Otherwise they are counted and
// freed.
bool WantsException(const Device& device, const Profile& profile) {
  if (profile.exception == ExceptionPath::kAuto) return device.kernel_behind;
  return profile.exception != ExceptionPath::kNone;
}

// Chooses the kind of the exception port of `device`; kNone: it gets none.
absl::StatusOr<ExceptionPath> ChooseException(const PortSpec& port, const Device& device,
                                              const Profile& profile, bool passes,
                                              const Machine& machine) {
  if (!passes || !WantsException(device, profile)) return ExceptionPath::kNone;
  const std::string interface = ExceptionInterface(port.name);
  if (machine.InterfaceExists(interface)) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.name, ": exception port ", interface,
                     ": an interface of this name exists already: ip link del ", interface,
                     ", or rename the port"));
  }
  if (profile.exception == ExceptionPath::kVirtioUser && !VhostNetThere()) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.name, ": exception port ", interface,
                     ": virtio_user needs read and write access to ", kVhostNet,
                     ": modprobe vhost_net, or set the profile's exception to tap or auto"));
  }
  const uint32_t mtu = device.mtu != 0 ? device.mtu : profile.mtu;
  const bool tap = profile.exception == ExceptionPath::kTap ||
                   (profile.exception == ExceptionPath::kAuto && !VhostNetThere());
  if (tap && mtu > kTapMaxMtu) {
    return absl::FailedPreconditionError(absl::StrCat(
        "port ", port.name, ": exception port ", interface, ": the MTU of a TAP device is at most ",
        kTapMaxMtu, " bytes, and the port's MTU is ", mtu,
        ": lower the port's MTU, or modprobe vhost_net, or set the profile's exception to none"));
  }
  return profile.exception;
}

// The number of queues to request from the device itself. Only the PMD knows how many a device
// supports, unless the device is a kernel interface.
uint32_t DeviceQueues(const PortSpec& port, const Profile& profile, const Machine& machine) {
  if (profile.rss.spread == RssSpread::kDevice || !machine.InterfaceExists(port.device))
    return profile.queues;
  const bool few = InterfaceQueues(port.device, machine) < profile.queues;
  return few || profile.rss.spread == RssSpread::kSoftware ? 1 : profile.queues;
}

absl::Status CheckPrivileges(const Preflight& plan, const Machine& machine) {
  std::vector<const char*> missing;
  for (const CapabilityNeed& need : NeededCapabilities(plan))
    if (!machine.HasCapability(need.number)) missing.push_back(need.name);
  if (!missing.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("missing capabilities: ", absl::StrJoin(missing, ", "),
                     "; run as root, for example with sudo"));
  }
  const bool xdp = std::any_of(plan.devices.begin(), plan.devices.end(), OnAfXdp);
  if (xdp && machine.Closed(kLibxdpPins)) {
    return absl::FailedPreconditionError(
        absl::StrCat(kLibxdpPins,
                     ", left behind by libxdp, belongs to another user, and libxdp needs "
                     "to read it: sudo rmdir ",
                     kLibxdpPins));
  }
  const uint64_t locked = LockedBytes(plan);
  if (locked <= machine.MemlockLimit() || machine.HasCapability(CAP_IPC_LOCK))
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("memlock limit too small: ", machine.MemlockLimit() >> 10,
                   " KiB, but AF_XDP or "
                   "VFIO lock ",
                   locked >> 10, " KiB: ulimit -l ", (locked >> 10) + 1,
                   ", or grant CAP_IPC_LOCK, or run as root"));
}

absl::Status CheckMemory(const Preflight& plan, const Machine& machine) {
  const uint64_t needed = plan.memory_bytes;
  if (!plan.eal.hugepages) {
    if (plan.eal.memory_bytes >= needed) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("-m ", plan.eal.memory_bytes >> 20,
                                                      " is less than the ", (needed >> 20) + 1,
                                                      " MiB needed: -m ", (needed >> 20) + 1));
  }
  const std::vector<HugepageSize> sizes = machine.Hugepages();
  uint64_t free_bytes = 0, total = 0;
  for (const HugepageSize& size : sizes) {
    free_bytes += size.free * size.bytes;
    total += size.total;
  }
  if (free_bytes < needed) {
    const uint64_t page = sizes.empty() ? 2ull << 20 : sizes.front().bytes;
    const uint64_t have = sizes.empty() ? 0 : sizes.front().total;
    const uint64_t want = have + (needed - free_bytes + page - 1) / page;
    return absl::FailedPreconditionError(absl::StrCat(
        total == 0 ? "no hugepages: " : "too few free hugepages: ", needed >> 20, " MiB needed, ",
        free_bytes >> 20, " MiB free; make more", machine.SysNote(), ": echo ", want,
        " > /sys/kernel/mm/hugepages/hugepages-", page >> 10, "kB/nr_hugepages"));
  }
  if (const std::string closed = machine.ClosedHugetlbfs(); !closed.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("this user cannot open the hugetlbfs at ",
                                                      closed, ", and EAL requires it: chmod a+rx ",
                                                      closed, ", or umount ", closed));
  }
  if (!plan.eal.private_memory && machine.HugetlbfsFolders().empty()) {
    return absl::FailedPreconditionError(
        "no hugetlbfs is mounted, and memory shared with other processes needs one: mkdir -p "
        "/dev/hugepages && mount -t hugetlbfs nodev /dev/hugepages");
  }
  return absl::OkStatus();
}

absl::StatusOr<MempoolSize> ChooseMempool(const Profile& profile, const Preflight& plan) {
  MempoolNeeds needs = {.queues = static_cast<uint32_t>(profile.ports.size()) * profile.queues,
                        .rx_descriptors = profile.rx_descriptors,
                        .tx_descriptors = profile.tx_descriptors,
                        .lcores = static_cast<uint32_t>(plan.lcores.size()),
                        .burst = profile.burst,
                        .cache = profile.mempool_cache,
                        .mtu = profile.mtu};
  for (const Device& device : plan.devices) {
    needs.extra += device.extra_mbufs;
    needs.mtu = std::max(needs.mtu, device.mtu);
  }
  if (profile.rss.spread != RssSpread::kDevice && profile.queues > 1)
    needs.extra += 2 * kSpreadRing * needs.queues;
  for (ExceptionPath path : plan.kernel)
    if (path != ExceptionPath::kNone) needs.exception_queues += profile.queues;
  MempoolSize size = SizeMempool(needs);
  if (profile.mbufs == 0) return size;
  if (const uint64_t least = LeastMbufs(needs); profile.mbufs < least) {
    return absl::InvalidArgumentError(
        absl::StrCat(profile.file, ": /mbufs: found ", profile.mbufs, ", allowed ", least,
                     " or more for these ports, queues and descriptors, or 0 for as many as "
                     "they can hold"));
  }
  size.mbufs = profile.mbufs;
  return size;
}

uint64_t MemoryBytes(const Profile& profile, const CompiledPolicy& policy, const Preflight& plan) {
  const uint64_t flows =
      policy.has_flows ? FlowTableWithin(profile.flow_memory).bytes() * 9 / 8 : 0;  // and locks
  // During a reload, the current and the next policy are both in memory.
  const uint64_t policies = 2 * PolicyBytes(policy, profile.queues * profile.ports.size());
  return (plan.mempool.Bytes() + policies) * plan.nodes.size() + flows + kOverheadBytes;
}

int NodeOf(const Device& device, const Machine& machine) {
  return std::max(0, device.pci.empty() ? -1 : machine.PciNode(device.pci));
}

}  // namespace

absl::Status CheckMounts(const Machine& machine) {
  for (const char* folder : {"/proc", "/sys"})
    if (machine.IsEmpty(folder)) return absl::FailedPreconditionError(MountAdvice(folder, "DPDK"));
  return absl::OkStatus();
}

bool Passes(const CompiledPolicy& policy, size_t port) {
  const tp_plan& plan = policy.plans[port];
  const tp_rule& fallback = policy.rules[plan.fallback];
  const bool looks_up =
      plan.n_shapes != 0 && policy.shapes[plan.first_shape].min_rule != TP_NO_RULE;
  if (!looks_up) return kActions[fallback.action].leaves_by == TP_LEAVES_BY_KERNEL;
  return policy.passes;
}

std::vector<CapabilityNeed> NeededCapabilities(const Preflight& plan) {
  bool kernel = false, xdp = false, packet = false;
  for (ExceptionPath path : plan.kernel) kernel |= path != ExceptionPath::kNone;
  for (const Device& device : plan.devices) {
    xdp |= OnAfXdp(device);
    packet |= !device.vdevs.empty() && VdevDriver(device.vdevs.front().name) == "net_af_packet";
  }
  std::vector<CapabilityNeed> needs;
  if (xdp) {
    // CAP_BPF is enough to load, but libxdp, which the PMD uses, opens its program and maps by
    // their ids (BPF_MAP_GET_FD_BY_ID), which the kernel allows with CAP_SYS_ADMIN only.
    needs = {{CAP_NET_RAW, "CAP_NET_RAW", "AF_XDP sockets"},
             {CAP_NET_ADMIN, "CAP_NET_ADMIN", "attaching XDP programs"},
             {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "libxdp: finding its own maps"}};
    return needs;
  }
  if (packet) needs.push_back({CAP_NET_RAW, "CAP_NET_RAW", "AF_PACKET sockets"});
  if (kernel) needs.push_back({CAP_NET_ADMIN, "CAP_NET_ADMIN", "exception ports"});
  return needs;
}

uint64_t LockedBytes(const Preflight& plan) {
  const bool locks = std::any_of(
      plan.devices.begin(), plan.devices.end(),
      [](const Device& device) { return device.kind != Device::Kind::kVdev || OnAfXdp(device); });
  return locks ? plan.memory_bytes : 0;
}

absl::StatusOr<Preflight> PlanStart(const Profile& profile, const CompiledPolicy& policy,
                                    const std::vector<std::string>& eal_arguments,
                                    const Machine& machine) {
  absl::Status ports = CheckPorts(profile);
  if (!ports.ok()) return ports;
  absl::Status spread = CheckSpread(profile);
  if (!spread.ok()) return spread;
  Preflight plan;
  auto lcores = ChooseLcores(profile);
  if (!lcores.ok()) return lcores.status();
  plan.lcores = *std::move(lcores);

  EalRequest request;
  for (const PortSpec& port : profile.ports) {
    auto device = ResolveDevice(port, DeviceQueues(port, profile, machine), machine);
    if (!device.ok()) return device.status();
    const bool passes = Passes(policy, plan.devices.size());
    auto path = ChooseException(port, *device, profile, passes, machine);
    if (!path.ok()) return path.status();
    if (device->kind == Device::Kind::kPci) request.pci.push_back(device->pci);
    if (absl::Status own = CheckOwn(port, *device, plan.devices); !own.ok()) return own;
    plan.nodes.insert(NodeOf(*device, machine));
    plan.can_pass.push_back(passes || !WantsException(*device, profile));
    plan.devices.push_back(*std::move(device));
    plan.kernel.push_back(*path);
    plan.passes.push_back(passes);
  }
  if (absl::Status ends = CheckCaptures(profile, plan.devices); !ends.ok()) return ends;
  auto mempool = ChooseMempool(profile, plan);
  if (!mempool.ok()) return mempool.status();
  plan.mempool = *mempool;
  plan.memory_bytes = MemoryBytes(profile, policy, plan);

  request.lcores = plan.lcores;
  request.arguments = profile.eal;
  request.arguments.insert(request.arguments.end(), eal_arguments.begin(), eal_arguments.end());
  request.memory_bytes = plan.memory_bytes;
  request.telemetry = profile.telemetry;
  auto eal = PlanEal(request);
  if (!eal.ok()) return eal.status();
  plan.eal = *std::move(eal);
  return plan;
}

absl::StatusOr<uint64_t> ForeseeMemory(const Profile& profile, const CompiledPolicy& policy,
                                       const Machine& machine) {
  if (std::count(profile.eal.begin(), profile.eal.end(), "--no-huge") != 0) return 0;
  Preflight plan;
  plan.lcores = profile.lcores.empty() ? std::vector<uint32_t>{0} : profile.lcores;
  for (const PortSpec& port : profile.ports) {
    const Device device = ForeseeDevice(port, DeviceQueues(port, profile, machine), machine);
    plan.nodes.insert(NodeOf(device, machine));
    const bool exception = Passes(policy, plan.devices.size()) && WantsException(device, profile);
    plan.kernel.push_back(exception ? ExceptionPath::kTap : ExceptionPath::kNone);
    plan.devices.push_back(device);
  }
  auto mempool = ChooseMempool(profile, plan);
  if (!mempool.ok()) return mempool.status();
  plan.mempool = *mempool;
  return MemoryBytes(profile, policy, plan);
}

absl::StatusOr<Preflight> CheckBeforeEal(const Profile& profile, const CompiledPolicy& policy,
                                         const std::vector<std::string>& eal_arguments,
                                         const Machine& machine) {
  absl::Status mounted = CheckMounts(machine);
  if (!mounted.ok()) return mounted;
  auto plan = PlanStart(profile, policy, eal_arguments, machine);
  if (!plan.ok()) return plan.status();
  absl::Status allowed = CheckPrivileges(*plan, machine);
  if (!allowed.ok()) return allowed;
  absl::Status memory = CheckMemory(*plan, machine);
  if (!memory.ok()) return memory;
  return plan;
}

}  // namespace twinpath
