// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/lab/lab.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/compare/lab/child.h"
#include "src/kernel/ethtool.h"

namespace twinpath {
namespace {

constexpr uint32_t kEthernet = 14, kUsualMtu = 1500;
constexpr std::chrono::seconds kPatience(20);

uint64_t ReadCounter(const std::string& interface, const char* name) {
  uint64_t value = 0;
  std::string text = ReadFile(absl::StrCat("/sys/class/net/", interface, "/statistics/", name));
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

}  // namespace

std::vector<std::vector<std::string>> LabCommands(const LabLinks& l, uint32_t queues,
                                                  uint32_t longest) {
  const std::string n = absl::StrCat(queues);
  const std::string mtu = absl::StrCat(std::max(kUsualMtu, longest - kEthernet));
  std::vector<std::vector<std::string>> commands;
  for (const auto& [a, b] : {std::pair(l.generator, l.lan), std::pair(l.wan, l.receiver)})
    commands.push_back(
        {"ip",   "link", "add",  a, "mtu", mtu, "numtxqueues", n, "numrxqueues", n, "type",
         "veth", "peer", "name", b, "mtu", mtu, "numtxqueues", n, "numrxqueues", n});
  commands.push_back({"ip", "link", "set", l.lan, "address", kLanMac});
  for (const std::string& name : {l.generator, l.lan, l.wan, l.receiver})
    commands.push_back({"ip", "link", "set", name, "up"});
  return commands;
}

absl::Status MakeLab(const LabLinks& links, uint32_t queues, uint32_t longest,
                     const std::string& folder) {
  // Without IPv6 nobody sends router solicitations into the measurement.
  for (const char* which : {"all", "default"})
    std::ofstream(absl::StrCat("/proc/sys/net/ipv6/conf/", which, "/disable_ipv6")) << "1";
  for (const std::vector<std::string>& command : LabCommands(links, queues, longest)) {
    const auto made = RunChild(command, folder, kPatience);
    if (!made.ok()) return made.status();
  }
  // A veth takes frames from XDP only while its NAPI runs, which GRO or an XDP program starts.
  for (const std::string& name : {links.generator, links.lan, links.wan, links.receiver})
    if (!SetGro(name, true))
      return absl::InternalError(absl::StrCat("switching GRO on at ", name, " failed"));
  return absl::OkStatus();
}

InterfaceCounts ReadCounts(const std::string& interface) {
  return {.rx_packets = ReadCounter(interface, "rx_packets"),
          .tx_packets = ReadCounter(interface, "tx_packets"),
          .rx_dropped =
              ReadCounter(interface, "rx_dropped") + ReadCounter(interface, "rx_missed_errors"),
          .tx_dropped = ReadCounter(interface, "tx_dropped")};
}

}  // namespace twinpath
