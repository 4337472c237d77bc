// SPDX-License-Identifier: BSD-3-Clause
// Decides whether a DEVICE is a PCI address, a kernel interface or a vdev. Control thread.

#include "src/dpdk/port/device.h"

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/config/profile/checksums.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"
#include "src/kernel/shell_word.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

// An AF_XDP frame is one page, which also holds the headroom and the kernel's tailroom
// (mempool.cc). This many bytes are left for the frame without its Ethernet header.
constexpr uint32_t kAfXdpMaxMtu = 3168;
// XSK_RING_CONS__DEFAULT_NUM_DESCS: the size of the fill ring and of the completion ring of an
// AF_XDP queue, in frames.
constexpr uint32_t kAfXdpRing = 2048;

absl::Status Wrong(const PortSpec& port, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("port ", port.name, ": ", what));
}

absl::StatusOr<Device> Native(const PortSpec& port, const std::string& pci, const std::string& how,
                              const Machine& machine) {
  if (!machine.PciExists(pci))
    return Wrong(port, absl::StrCat("there is no PCI device ", pci, "; `lspci -D` lists them"));
  const std::string driver = machine.PciDriver(pci);
  Device device;
  device.kind = Device::Kind::kPci;
  device.given = port.device;
  device.pci = pci;
  device.mode = "native";
  device.why = absl::StrCat(how, " is bound to ", driver);
  // The kernel keeps mlx4, mlx5 and mana NICs while their PMDs drive the queues.
  for (const char* ours :
       {"vfio-pci", "igb_uio", "uio_pci_generic", "mlx4_core", "mlx5_core", "mana"})
    if (driver == ours) return device;
  const std::string bound =
      driver.empty() ? "bound to no driver" : absl::StrCat("bound to ", driver);
  std::string interfaces = absl::StrJoin(machine.PciInterfaces(pci), ", ");
  std::string rather = interfaces.empty()
                           ? ""
                           : absl::StrCat(" (or give the interface, ", interfaces, ", for AF_XDP)");
  if (machine.PciServesElsewhere(pci))
    return Wrong(port, absl::StrCat("PCI device ", pci, " is ", bound,
                                    ", not to vfio-pci, and no interface of it is in this network "
                                    "namespace: it may serve another one, such as the host's"));
  return Wrong(port, absl::StrCat("PCI device ", pci, " is ", bound, ", not to vfio-pci; bind it",
                                  machine.SysNote(), ": ", machine.BindCommand(pci), rather));
}

// The PMD gets the interface in a list of "key=value" arguments. These characters are special there
// and cannot be quoted: the PMD would open another interface, or none.
absl::Status CheckName(const PortSpec& port, const std::string& name) {
  if (name.find_first_of(",=[") == std::string::npos) return absl::OkStatus();
  return Wrong(port, absl::StrCat("interface ", name,
                                  ": DPDK supports no interface whose name contains ',', '=' or "
                                  "'['; rename it: ip link set dev ",
                                  ShellWord(name), " name NAME; or use twinpath-xdp"));
}

absl::Status CheckInterface(const PortSpec& port, const std::string& name, uint32_t queues,
                            const Channels& channels, const Machine& machine) {
  if (absl::Status named = CheckName(port, name); !named.ok()) return named;
  const std::string word = ShellWord(name);
  const uint32_t index = IndexOfLink(name);
  auto xdp = ReadXdp(index);
  if (!xdp.ok()) return Wrong(port, std::string(xdp.status().message()));
  if (xdp->program != 0) {
    return Wrong(port,
                 absl::StrCat("interface ", name, " already has an XDP program (",
                              XdpProgramName(xdp->program), ", id ", xdp->program, ", ", xdp->mode,
                              "); to detach it, stop the program that owns it, or: ",
                              XdpDetachCommand(index, name, *xdp)));
  }
  // An out-of-tree NIC driver may support more than it reports, so only virtual devices are
  // checked.
  const std::string refusal =
      machine.InterfacePci(name).has_value() ? "" : NoNativeXdp(index, EthtoolDriver(name));
  if (!refusal.empty()) return Wrong(port, NeedsNativeXdp(name, refusal));
  const uint32_t there = InterfaceQueues(name, machine);
  if (queues > there) {
    return Wrong(port, absl::StrCat("interface ", name, " has ", there, " RX queue",
                                    there == 1 ? "" : "s", ", fewer than the ", queues,
                                    " asked for; change one: --queues ", there, ", or ethtool -L ",
                                    word, channels.combined != 0 ? " combined " : " rx ", queues));
  }
  const uint32_t mtu = machine.InterfaceMtu(name);
  if (mtu > kAfXdpMaxMtu) {
    return Wrong(port, absl::StrCat("interface ", name, " has an MTU of ", mtu,
                                    " bytes, and AF_XDP supports at most ", kAfXdpMaxMtu,
                                    ": ip link set dev ", word, " mtu ", kAfXdpMaxMtu));
  }
  return absl::OkStatus();
}

absl::StatusOr<Device> AfXdp(const PortSpec& port, uint32_t queues, const Machine& machine) {
  const std::string name = machine.InterfaceName(port.device), word = ShellWord(name);
  const Channels channels = InterfaceChannels(name);
  absl::Status fit = CheckInterface(port, name, queues, channels, machine);
  if (!fit.ok()) return fit;

  Device device;
  device.kind = Device::Kind::kAfXdp;
  device.given = port.device;
  device.interface = name;
  device.mac_filter = name;
  device.sends_by = name;
  device.mtu = machine.InterfaceMtu(name);
  device.vdev_a_queue = channels.combined == 0;
  const std::string driver = machine.InterfaceDriver(name);
  device.why =
      absl::StrCat("kernel interface", name == port.device ? "" : " " + name, ", driver ", driver);
  const uint32_t count = device.vdev_a_queue ? queues : 1;
  for (uint32_t i = 0; i < count; i++) {
    device.vdevs.push_back({absl::StrCat("net_af_xdp_", port.name, "_", i),
                            absl::StrCat("iface=", name, ",start_queue=", i,
                                         ",queue_count=", device.vdev_a_queue ? 1 : queues)});
  }
  device.extra_mbufs = 2 * kAfXdpRing * queues;
  const uint32_t there = std::max(channels.combined, machine.InterfaceRxQueues(name));
  if (queues < there) {
    device.warnings.push_back(absl::StrCat(
        "port ", port.name, ": ", name, " has ", there, " RX queues and ", queues,
        " are served; the kernel receives the frames of the others, without the policy: --queues ",
        there, ", or ethtool -L ", word, channels.combined != 0 ? " combined " : " rx ", queues));
  }
  if (!(machine.InterfaceFlags(name) & IFF_UP)) {
    device.warnings.push_back(absl::StrCat("port ", port.name, ": interface ", name,
                                           " is down: ip link set dev ", word, " up"));
  }
  return device;
}

// Whether a file begins like a pcap or pcapng file. Always true for a pipe, which cannot be read
// twice.
bool BeginsAsCapture(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return true;
  uint32_t magic = 0;
  std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(&magic), sizeof(magic));
  // pcap in microseconds, in nanoseconds, and with longer record headers; pcapng.
  constexpr uint32_t kMagics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0x0a0d0d0a};
  return std::any_of(std::begin(kMagics), std::end(kMagics), [magic](uint32_t one) {
    return magic == one || magic == __builtin_bswap32(one);
  });
}

// The mbufs that net_pcap's infinite_rx needs: at most as many as its files can hold frames. An
// error if a file cannot be read or written or is not a capture, because the PMD would only report
// "Operation not permitted".
absl::StatusOr<uint32_t> PcapMbufs(const PortSpec& port, const std::string& arguments) {
  uint64_t frames = 0;
  static const std::regex capture("rx_pcap=([^,]+)");
  for (std::sregex_iterator at(arguments.begin(), arguments.end(), capture), end; at != end; ++at) {
    const std::string file = (*at)[1].str();
    if (access(file.c_str(), R_OK) != 0)
      return Wrong(port, absl::StrCat("rx_pcap=", file, ": ", std::strerror(errno)));
    if (!BeginsAsCapture(file))
      return Wrong(port, absl::StrCat("rx_pcap=", file, " is neither a pcap nor a pcapng file"));
    std::error_code error;  // a pipe has no size
    const uint64_t bytes = std::filesystem::file_size(file, error);
    if (!error) frames += bytes / (16 + 14);  // a record's header, and the shortest frame
  }
  static const std::regex output("tx_pcap=([^,]+)");
  for (std::sregex_iterator at(arguments.begin(), arguments.end(), output), end; at != end; ++at) {
    const std::filesystem::path file = (*at)[1].str();
    std::error_code error;
    const bool there = std::filesystem::exists(file, error);
    const std::string target =
        there ? file.string() : (std::filesystem::absolute(file, error).parent_path()).string();
    if (access(target.c_str(), there ? W_OK : W_OK | X_OK) != 0)
      return Wrong(port, absl::StrCat("tx_pcap=", file.string(), ": ", std::strerror(errno)));
  }
  if (!absl::StrContains(arguments, "infinite_rx=1")) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(frames, 1u << 24));
}

Vdev ParseVdev(const std::string& given) {
  const size_t comma = given.find(',');
  return {given.substr(0, comma), comma == std::string::npos ? "" : given.substr(comma + 1)};
}

std::string InterfaceArgument(const Vdev& vdev, const std::string& keys) {
  const std::regex interface(absl::StrCat("(?:.*,)?(?:", keys, ")=([^,]+)(?:,.*)?"));
  std::smatch match;
  return std::regex_match(vdev.arguments, match, interface) ? match[1].str() : "";
}

// net_af_packet has frames of a fixed size in its rings. It cuts longer ones that it receives, and
// drops longer ones that it should send, but counts them as sent.
void LimitToRing(const std::string& port, const Vdev& vdev, Device* device) {
  constexpr uint32_t kDefault = 2048;             // "framesz"
  constexpr uint32_t kReceived = 66, kSent = 32;  // headers: tpacket_rcv, eth_af_packet_tx
  uint32_t bytes = kDefault;
  static const std::regex size("(?:.*,)?framesz=([0-9]+)(?:,.*)?");
  std::smatch match;
  if (std::regex_match(vdev.arguments, match, size) &&
      (!absl::SimpleAtoi(match[1].str(), &bytes) || bytes <= kReceived))
    return;  // the PMD refuses it
  device->longest_sent = bytes - kSent;
  const std::string word = ShellWord(device->interface);
  device->warnings.push_back(absl::StrCat(
      "port ", port, ": ", vdev.name, " cuts received frames to ", bytes - kReceived,
      " bytes, also segments that nobody has cut yet (TSO, GRO): ethtool -K ", word,
      " gro off lro off, at its senders ethtool -K IFACE tso off gso off, or use the interface "
      "itself as the device: --port ",
      port, "=", word));
}

absl::StatusOr<Device> VirtualDevice(const PortSpec& port, const Machine& machine) {
  Device device;
  device.given = port.device;
  device.mode = "vdev";
  device.why = "given as a DPDK vdev";
  Vdev vdev = ParseVdev(port.device);
  const std::string driver = VdevDriver(vdev.name);
  device.kernel_behind = driver != "net_null" && driver != "net_pcap" && driver != "net_ring";
  const std::string interface = InterfaceArgument(vdev, "iface|rx_iface|rx_iface_in");
  const bool reads_interface =
      driver == "net_af_packet" || driver == "net_af_xdp" || driver == "net_pcap";
  if (reads_interface && !interface.empty()) {
    if (!machine.InterfaceExists(interface))
      return Wrong(port, absl::StrCat("there is no interface '", interface,
                                      "'; `ip -brief link` lists them"));
    if (driver == "net_af_packet") device.interface = interface;
    device.mac_filter = interface;
  }
  if (reads_interface) device.sends_by = InterfaceArgument(vdev, "iface|tx_iface");
  device.packet_socket = driver == "net_af_packet" || driver == "net_pcap";
  if (driver == "net_af_packet") LimitToRing(port.name, vdev, &device);
  if (driver == "net_pcap") {
    auto mbufs = PcapMbufs(port, vdev.arguments);
    if (!mbufs.ok()) return mbufs.status();
    device.extra_mbufs = *mbufs;
    static const std::regex live("(?:.*,)?(?:iface|rx_iface|rx_iface_in)=.*|.*infinite_rx=1.*");
    device.endless = std::regex_match(vdev.arguments, live);
    device.reads_capture = !device.endless && absl::StrContains(vdev.arguments, "rx_pcap=");
  }
  device.vdevs.push_back(std::move(vdev));
  return device;
}

bool IsVdev(const std::string& given) {
  static const std::regex vdev("(net|eth)_[a-z0-9_]+(,.*)?");
  return std::regex_match(given, vdev);
}

absl::StatusOr<Device> FindDevice(const PortSpec& port, uint32_t queues, const Machine& machine) {
  const std::string& given = port.device;
  // The kernel's names come first: an interface may have any name.
  if (machine.InterfaceExists(given)) return AfXdp(port, queues, machine);
  if (auto pci = NormalPci(given)) return Native(port, *pci, "the PCI device", machine);
  if (IsVdev(given)) return VirtualDevice(port, machine);
  if (auto pci = machine.PredictedPci(given))
    return Native(port, *pci, absl::StrCat(*pci, ", the NIC of ", given, ","), machine);
  if (absl::StrContains(given, ":")) {
    return absl::InvalidArgumentError(
        absl::StrCat("port ", port.name, ": '", given,
                     "' is not a PCI address (0000:03:00.0), and no interface has this name"));
  }
  return Wrong(port,
               absl::StrCat("there is no interface '", given,
                            "'; `ip -brief link` lists them. Give a NIC that is bound to vfio-pci "
                            "by its PCI address, and a vdev by its name (net_null0)"));
}

}  // namespace

Device ForeseeDevice(const PortSpec& port, uint32_t queues, const Machine& machine) {
  if (auto device = ResolveDevice(port, queues, machine); device.ok()) return *std::move(device);
  Device device;
  const std::string& given = port.device;
  auto pci = machine.InterfaceExists(given) ? std::nullopt : NormalPci(given);
  if (!pci && !machine.InterfaceExists(given)) pci = machine.PredictedPci(given);
  if (pci) {
    device.kind = Device::Kind::kPci;
    device.pci = *pci;
  } else if (!IsVdev(given) || VdevDriver(given.substr(0, given.find(','))) == "net_af_xdp") {
    device.kind = Device::Kind::kAfXdp;
    device.extra_mbufs = 2 * kAfXdpRing * queues;
    device.mtu = std::min(machine.InterfaceMtu(given), kAfXdpMaxMtu);
  }
  return device;
}

std::string NeedsNativeXdp(const std::string& interface, const std::string& refusal) {
  return absl::StrCat("interface ", interface, ": ", refusal,
                      ", and the AF_XDP PMD needs it; use twinpath-xdp, which has generic mode");
}

bool OnAfXdp(const Device& device) {
  return device.kind == Device::Kind::kAfXdp ||
         (!device.vdevs.empty() && VdevDriver(device.vdevs.front().name) == "net_af_xdp");
}

uint32_t AfXdpInterface(const std::string& given) {
  if (const uint32_t index = IndexOfLink(given); index != 0) return index;
  const Vdev vdev = ParseVdev(given);
  return VdevDriver(vdev.name) == "net_af_xdp" ? IndexOfLink(InterfaceArgument(vdev, "iface")) : 0;
}

uint32_t InterfaceQueues(const std::string& name, const Machine& machine) {
  const uint32_t combined = InterfaceChannels(machine.InterfaceName(name)).combined;
  return combined != 0 ? combined : machine.InterfaceRxQueues(name);
}

std::string VdevDriver(const std::string& name) {
  return name.substr(0, name.find_last_not_of("0123456789") + 1);
}

absl::StatusOr<Device> ResolveDevice(const PortSpec& port, uint32_t queues,
                                     const Machine& machine) {
  auto device = FindDevice(port, queues, machine);
  if (!device.ok()) return device;
  const std::string driver =
      device->mac_filter.empty() ? "" : machine.InterfaceDriver(device->mac_filter);
  device->completes = CompletesChecksums(port.checksums, driver);
  return device;
}

}  // namespace twinpath
