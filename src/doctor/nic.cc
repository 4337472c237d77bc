// SPDX-License-Identifier: BSD-3-Clause
// Checks NICs: their drivers, their users, their support for XDP and AF_XDP, and the needs of VFIO.
// Main thread.

#include <net/if.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/doctor/checks.h"
#include "src/kernel/shell_word.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;
using Path = Finding::Path;

// Bifurcated drivers: the PMD drives the queues while the kernel keeps the NIC.
constexpr const char* kBifurcated[] = {"mlx4_core", "mlx5_core", "mana"};
constexpr const char* kUserspace[] = {"vfio-pci", "igb_uio", "uio_pci_generic"};
// Drivers that have AF_XDP zero-copy in some release. Used if the kernel does not report it (before
// 6.3).
constexpr const char* kZeroCopy[] = {"i40e",      "ice", "igb",    "igc",   "ixgbe",
                                     "mlx5_core", "nfp", "stmmac", "tsnep", "virtio_net"};
constexpr uint32_t kAfXdpMaxMtu = 3168;  // see src/dpdk/port/device.cc

template <size_t n>
bool In(const char* const (&names)[n], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// How the user's connection depends on these interfaces; empty: not at all.
std::string Holds(const DoctorHost& host, const std::vector<std::string>& interfaces) {
  for (const Login& login : host.Logins())
    for (const std::string& name : interfaces)
      if (host.Carries(name, login.interface))
        return name == login.interface ? login.how
                                       : absl::StrCat(login.how, ", through ", login.interface);
  return "";
}

std::string Label(const DoctorNeeds::Nic& nic) {
  const std::string device = nic.native || nic.interface.empty() ? nic.pci : nic.interface;
  return nic.port.empty() ? device : absl::StrCat("port ", nic.port, ", ", device);
}

// A NIC for DPDK's own PMD.
void CheckNative(const DoctorHost& host, const DoctorNeeds::Nic& nic, Findings* findings) {
  const Machine& machine = host.machine();
  Finding finding = {.path = Path::kDpdk, .check = "NIC", .subject = Label(nic)};
  if (!machine.PciExists(nic.pci)) {
    finding.grade = Grade::kMissing;
    finding.found = "no such PCI device";
    finding.needed = "a PCI address of this machine";
    finding.fix = "lspci -D | grep -i ethernet";
    findings->push_back(finding);
    return;
  }
  const std::string driver = machine.PciDriver(nic.pci);
  const std::vector<std::string> interfaces = machine.PciInterfaces(nic.pci);
  const int node = machine.PciNode(nic.pci);
  finding.found = driver.empty() ? "bound to no driver" : "bound to " + driver;
  absl::StrAppend(&finding.found, node < 0 ? "" : absl::StrCat(", node ", node));
  if (!interfaces.empty())
    absl::StrAppend(&finding.found, ", the kernel's ", absl::StrJoin(interfaces, ", "));
  const std::string holds = Holds(host, interfaces);
  if (!holds.empty()) absl::StrAppend(&finding.found, "; ", holds);
  const bool usable = In(kUserspace, driver) || In(kBifurcated, driver);
  if (!usable) {
    finding.grade = nic.port.empty() ? Grade::kNote : Grade::kMissing;
    finding.needed = absl::StrCat(
        nic.port.empty() ? "vfio-pci, for DPDK's own PMD" : "bound to vfio-pci", machine.SysNote());
    finding.fix = machine.BindCommand(nic.pci);
    if (machine.PciServesElsewhere(nic.pci)) {
      absl::StrAppend(&finding.found, ", and no interface of it is in this network namespace");
      finding.needed =
          absl::StrCat(finding.needed,
                       "; not from here: the NIC may serve another namespace, such as the host's");
    }
  }
  if (!holds.empty() && !In(kBifurcated, driver)) {
    if (finding.grade != Grade::kMissing) finding.grade = Grade::kWarning;
    finding.needed =
        "another NIC: binding it to vfio-pci removes its interface and ends your session";
    finding.fix = "lspci -D | grep -i ethernet";
  }
  findings->push_back(finding);
  if (driver != "vfio-pci" || nic.port.empty()) return;
  const std::string group = host.IommuGroup(nic.pci);
  const std::string file =
      absl::StrCat("/dev/vfio/", host.UnsafeNoIommu() ? "noiommu-" : "", group);
  if (const std::string holder = group.empty() ? "" : host.Holder(file); !holder.empty()) {
    findings->push_back({.grade = Grade::kMissing,
                         .path = Path::kDpdk,
                         .check = "NIC",
                         .subject = Label(nic),
                         .found = "held by process " + holder,
                         .needed = "no other user: a VFIO group has one user",
                         .fix = "kill " + holder.substr(0, holder.find(' '))});
  }
  if (!group.empty() && !host.MayUse(file)) {
    findings->push_back({.grade = Grade::kMissing,
                         .path = Path::kDpdk,
                         .check = "NIC",
                         .subject = Label(nic),
                         .found = file + " is not accessible to this user",
                         .needed = "read and write access",
                         .fix = "sudo chown \"$USER\" " + file});
  }
}

std::string XdpAbility(const InterfaceFacts& facts, const std::string& driver) {
  const bool zero_copy = facts.zero_copy.value_or(In(kZeroCopy, driver));
  const std::string who = facts.zero_copy.has_value() ? "" : ", judging by the driver";
  std::string text = absl::StrCat("AF_XDP ", zero_copy ? "zero-copy" : "by copy", who);
  if (facts.native.has_value())
    absl::StrAppend(&text, ", XDP ", *facts.native ? "native" : "generic only");
  return text;
}

// A kernel interface, for AF_XDP or XDP.
void CheckInterface(const DoctorHost& host, const DoctorNeeds& needs, const DoctorNeeds::Nic& nic,
                    const InterfaceFacts& facts, Findings* findings) {
  const Machine& machine = host.machine();
  const std::string &name = nic.interface, word = ShellWord(name);
  const bool wanted = !nic.port.empty();
  std::string driver = machine.InterfaceDriver(name);
  if (driver == "unknown" && !facts.driver.empty()) driver = facts.driver;
  const int node = nic.pci.empty() ? -1 : machine.PciNode(nic.pci);
  const uint32_t queues = machine.InterfaceRxQueues(name), mtu = machine.InterfaceMtu(name);
  Finding finding = {.check = "interface", .subject = Label(nic)};
  finding.found =
      absl::StrCat("driver ", driver, node < 0 ? "" : absl::StrCat(", node ", node), ", ", queues,
                   queues == 1 ? " RX queue, " : " RX queues, ", XdpAbility(facts, driver));
  const std::string holds = Holds(host, {name});
  if (!holds.empty()) {
    finding.grade = wanted ? Grade::kWarning : Grade::kNote;
    absl::StrAppend(&finding.found, "; ", holds);
    if (wanted) finding.needed = "another one: the policy would decide about your own session";
    if (wanted) finding.fix = "ip -brief link";
  }
  findings->push_back(finding);

  auto lacks = [&](Grade grade, const std::string& found, const std::string& needed,
                   const std::string& fix) {
    findings->push_back({.grade = grade,
                         .path = wanted ? Path::kDpdk : Path::kBoth,
                         .check = "interface",
                         .subject = Label(nic),
                         .found = found,
                         .needed = needed,
                         .fix = fix});
  };
  if (!facts.xdp_program.empty()) {
    lacks(wanted ? Grade::kMissing : Grade::kWarning, "has the XDP program " + facts.xdp_program,
          "no XDP program: twinpath does not replace it. Stop the program's owner if it runs",
          facts.xdp_detach);
  }
  if (facts.guard_left) {
    lacks(Grade::kWarning,
          "has filters of a killed twinpath-socket: the host receives nothing by it",
          "no such filters; the next twinpath-socket on this interface removes them, too",
          absl::StrCat("tc filter del dev ", word, " ingress prio 1; tc filter del dev ", word,
                       " egress prio 1"));
  }
  if (!wanted) return;
  if (!(machine.InterfaceFlags(name) & IFF_UP))
    lacks(Grade::kWarning, "down", "up", absl::StrCat("ip link set dev ", word, " up"));
  if (nic.queues > queues)
    lacks(Grade::kMissing, absl::StrCat(queues, queues == 1 ? " RX queue" : " RX queues"),
          absl::StrCat(nic.queues, ", as in the profile"),
          facts.max_queues != 0 && facts.max_queues < nic.queues
              ? absl::StrCat(needs.command, " --queues ", facts.max_queues)
              : absl::StrCat("ethtool -L ", word, driver == "veth" ? " rx " : " combined ",
                             nic.queues));
  const auto peer = host.PeerOf(name);
  if (driver == "veth" && peer && peer->tx_queues > queues)
    lacks(Grade::kMissing, absl::StrCat("its peer has ", peer->tx_queues, " TX queues"),
          absl::StrCat("at most ", queues,
                       ", its own RX queues: otherwise the kernel refuses native ", "XDP"),
          facts.max_queues != 0 && facts.max_queues < peer->tx_queues
              ? absl::StrCat("ethtool -L ", ShellWord(peer->name), " tx ", queues)
              : absl::StrCat("ethtool -L ", word, " rx ", peer->tx_queues));
  else if (facts.native == false && nic.pci.empty())
    lacks(Grade::kMissing,
          driver == "veth" ? "its peer has more TX queues than it has RX queues" : "no native XDP",
          "native XDP, for AF_XDP", absl::StrCat("twinpath-xdp --port ", nic.port, "=", word));
  if (mtu > kAfXdpMaxMtu)
    lacks(Grade::kMissing, absl::StrCat("an MTU of ", mtu, " bytes"),
          absl::StrCat("at most ", kAfXdpMaxMtu),
          absl::StrCat("ip link set dev ", word, " mtu ", kAfXdpMaxMtu));
}

}  // namespace

void CheckIommu(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  bool native = false, vfio = false;
  for (const DoctorNeeds::Nic& nic : needs.nics) {
    const std::string driver = nic.native ? host.machine().PciDriver(nic.pci) : "";
    native |= nic.native && !nic.port.empty();
    vfio |= nic.native && (driver == "vfio-pci" || !In(kBifurcated, driver));
  }
  if (!vfio) return;
  const Grade lack = native ? Grade::kMissing : Grade::kNote;
  const uint32_t groups = host.IommuGroups();
  Finding iommu = {.path = Path::kDpdk, .check = "IOMMU"};
  iommu.found = groups != 0            ? absl::StrCat("on, ", groups, " groups")
                : host.UnsafeNoIommu() ? "off; vfio works without it (unsafe)"
                                       : "off";
  if (groups == 0 && !host.UnsafeNoIommu()) {
    iommu.grade = lack;
    iommu.needed = "on, for NICs bound to vfio-pci; also enable VT-d or AMD-Vi in the firmware";
    iommu.fix = KernelArguments("iommu", "intel_iommu=on iommu=pt");
  }
  findings->push_back(iommu);
  for (const char* module : {"vfio_pci", "vfio_iommu_type1"}) {
    const bool there = host.HasModule(module);
    findings->push_back({.grade = there ? Grade::kOk : lack,
                         .path = Path::kDpdk,
                         .check = "module",
                         .subject = module,
                         .found = there ? "loaded" : "not loaded",
                         .needed = there ? "" : "for NICs bound to vfio-pci",
                         .fix = there ? "" : "sudo modprobe vfio-pci"});
  }
}

void CheckVdevs(const DoctorNeeds& needs, Findings* findings) {
  for (const std::string& warning : needs.warnings) {
    const size_t colon = warning.find(": ");
    findings->push_back({.grade = Grade::kWarning,
                         .path = Path::kDpdk,
                         .check = warning.substr(0, colon),
                         .found = warning.substr(colon + 2)});
  }
}

void CheckNics(const DoctorHost& host, const DoctorNeeds& needs, const InterfaceFactsOf& facts,
               Findings* findings) {
  for (const DoctorNeeds::Nic& nic : needs.nics) {
    if (nic.native)
      CheckNative(host, nic, findings);
    else if (host.machine().InterfaceExists(nic.interface))
      CheckInterface(host, needs, nic, facts(nic.interface), findings);
    else
      findings->push_back({.grade = Grade::kMissing,
                           .path = Path::kDpdk,
                           .check = "interface",
                           .subject = Label(nic),
                           .found = "no such interface",
                           .needed = "an interface, a PCI address or a vdev",
                           .fix = "ip -brief link"});
  }
}

}  // namespace twinpath
