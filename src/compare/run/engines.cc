// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/run/engines.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "src/compare/lab/child.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

constexpr char kBridge[] = "compare0";
constexpr char kGeneratorsDestination[] = "02:00:00:00:00:02", kNextHop[] = "169.254.0.2",
               kReceiverMac[] = "02:00:00:00:00:03";
constexpr int kNftParts = 100'000;  // of which some are dropped

bool IsPci(const EngineContext& c) { return NormalPci(c.lan).has_value(); }

Command Ours(const EngineContext& c, const char* program, std::vector<std::string> more) {
  Command command = {c.programs + "/" + program,
                     "--policy",
                     c.policy,
                     "--port",
                     "lan=" + c.lan,
                     "--port",
                     "wan=" + c.wan,
                     "--file-prefix",
                     c.file_prefix};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

Command Xdp(const EngineContext& c, const char* mode) {
  return Ours(c, "twinpath-xdp", {"--mode", mode});
}
std::vector<Command> XdpNative(const EngineContext& c) { return {Xdp(c, "native")}; }
std::vector<Command> XdpGeneric(const EngineContext& c) { return {Xdp(c, "generic")}; }

std::vector<Command> Dpdk(const EngineContext& c) {
  std::vector<std::string> more = {"--queues", absl::StrCat(c.queues), "--lcores",
                                   absl::StrJoin(c.cpus, ",")};
  if (c.huge_folder.empty()) more.emplace_back("--no-huge");
  more.emplace_back("--");
  if (!c.huge_folder.empty()) more.insert(more.end(), {"--huge-dir", c.huge_folder});
  if (c.links.own) more.emplace_back("--no-pci");
  return {Ours(c, "twinpath-dpdk", more)};
}

std::vector<Command> Socket(const EngineContext& c, const char* engine) {
  return {Ours(c, "twinpath-socket", {"--engine", engine, "--queues", absl::StrCat(c.queues)})};
}
std::vector<Command> AfXdp(const EngineContext& c) { return Socket(c, "af_xdp"); }
std::vector<Command> PacketMmap(const EngineContext& c) { return Socket(c, "packet_mmap"); }
std::vector<Command> Pcap(const EngineContext& c) { return Socket(c, "pcap"); }

// One forwarding core, as the engines have; its main lcore only waits for the end.
std::vector<Command> Testpmd(const EngineContext& c, const char* mode) {
  std::string lcores = absl::StrCat("0@", c.cpus[0]);
  for (size_t i = 0; i < c.cpus.size(); i++) absl::StrAppend(&lcores, ",", i + 1, "@", c.cpus[i]);
  Command command = {"dpdk-testpmd", "--lcores", lcores, "--file-prefix", c.file_prefix};
  if (c.huge_folder.empty()) {
    command.insert(command.end(), {"--no-huge", "-m", "256"});
  } else {
    command.insert(command.end(), {"--huge-dir", c.huge_folder});
  }
  if (IsPci(c)) {
    command.insert(command.end(), {"-a", c.lan, "-a", c.wan});
  } else {
    command.emplace_back("--no-pci");
    int n = 0;
    for (const std::string& device : {c.lan, c.wan})
      command.insert(command.end(), {"--vdev", absl::StrCat("net_af_xdp", n++, ",iface=", device)});
  }
  command.insert(command.end(), {"--", absl::StrCat("--forward-mode=", mode), "--auto-start",
                                 absl::StrCat("--nb-cores=", c.cpus.size()),
                                 "--total-num-mbufs=16384", "--rxd=2048", "--txd=2048"});
  return {command};
}
std::vector<Command> TestpmdIo(const EngineContext& c) { return Testpmd(c, "io"); }
std::vector<Command> TestpmdMacswap(const EngineContext& c) { return Testpmd(c, "macswap"); }
std::vector<Command> Testpmd5tswap(const EngineContext& c) { return Testpmd(c, "5tswap"); }

std::vector<Command> NoCommands(const EngineContext&) { return {}; }

std::vector<Command> Bridge(const EngineContext& c) {
  return {{"ip", "link", "add", kBridge, "type", "bridge", "mcast_snooping", "0"},
          {"ip", "link", "set", c.lan, "master", kBridge},
          {"ip", "link", "set", c.wan, "master", kBridge},
          {"ip", "link", "set", kBridge, "up"}};
}
std::vector<Command> NoBridge(const EngineContext&) { return {{"ip", "link", "del", kBridge}}; }

// One next hop for every destination. The kernel forwards only frames that are addressed to lan's
// own MAC address, so lan takes the address to which the generator sends.
std::vector<Command> Route(const EngineContext& c) {
  return {{"ip", "link", "set", c.lan, "address", kGeneratorsDestination},
          {"sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"},
          {"ip", "link", "set", "lo", "up"},  // makes the kernel's table of local addresses
          {"ip", "neigh", "replace", kNextHop, "lladdr", kReceiverMac, "dev", c.wan, "nud",
           "permanent"},
          {"ip", "route", "replace", "default", "via", kNextHop, "dev", c.wan, "onlink"}};
}
std::vector<Command> NoRoute(const EngineContext& c) {
  return {{"ip", "route", "del", "default"},
          {"ip", "neigh", "del", kNextHop, "dev", c.wan},
          {"sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"},
          {"ip", "link", "set", c.lan, "address", kLanMac}};
}

Command Qdisc(const EngineContext& c, std::vector<std::string> kind) {
  Command command = {"tc", "qdisc", "add", "dev", c.wan, "root"};
  command.insert(command.end(), kind.begin(), kind.end());
  return command;
}
std::vector<Command> Netem(const EngineContext& c) {
  std::vector<Command> commands = Bridge(c);
  commands.push_back(Qdisc(c, {"netem", "limit", "10000", "loss", c.loss.empty() ? "0%" : c.loss}));
  return commands;
}
std::vector<Command> Tbf(const EngineContext& c) {
  std::vector<Command> commands = Bridge(c);
  commands.push_back(Qdisc(c, {"tbf", "rate", "100gbit", "burst", "16mb", "latency", "50ms"}));
  return commands;
}
std::vector<Command> NoQdisc(const EngineContext& c) {
  std::vector<Command> commands = {{"tc", "qdisc", "del", "dev", c.wan, "root"}};
  for (const Command& command : NoBridge(c)) commands.push_back(command);
  return commands;
}

std::vector<Command> Nft(const EngineContext& c) {
  const std::string file = c.folder + "/rules.nft";
  std::ofstream(file) << NftRules(c);
  return {{"nft", "-f", file}};
}
std::vector<Command> NoNft(const EngineContext&) {
  return {{"nft", "delete", "table", "netdev", "compare"}};
}

bool NeedsPci(const EngineContext& c, std::string* why, std::string* needs) {
  if (IsPci(c)) return false;
  *why = "no NIC is bound to DPDK here";
  *needs = "two NICs on vfio-pci, and --port lan=PCI-ADDRESS --port wan=PCI-ADDRESS";
  return true;
}

bool NeedsInterface(const EngineContext& c, std::string* why, std::string* needs) {
  if (!IsPci(c)) return false;
  *why = "the kernel does not own the ports";
  *needs = "kernel interfaces as ports";
  return true;
}

bool NeedsPfRing(const EngineContext& c, std::string* why, std::string* needs) {
  if (NeedsInterface(c, why, needs)) return true;
  if (access("/proc/net/pf_ring", F_OK) == 0) return false;
  *why = "this kernel has no PF_RING";
  *needs = "ntop's pf_ring module, and its libpcap in place of the distribution's";
  return true;
}

// Whether the kernel knows a queueing discipline: tried on lo, which only a lab of one's own has.
bool LacksQdisc(const EngineContext& c, Command kind, std::string* why, std::string* needs) {
  if (NeedsInterface(c, why, needs)) return true;
  Command command = {"tc", "qdisc", "add", "dev", "lo", "root"};
  command.insert(command.end(), kind.begin(), kind.end());
  const auto tried = RunChild(command, c.folder, std::chrono::seconds(10));
  if (tried.ok()) {
    RunChild({"tc", "qdisc", "del", "dev", "lo", "root"}, c.folder, std::chrono::seconds(10))
        .IgnoreError();
    return false;
  }
  *why = absl::StrCat("this kernel has no ", kind[0]);
  *needs = absl::StrCat("a kernel with the module sch_", kind[0]);
  return true;
}
bool NeedsNetem(const EngineContext& c, std::string* why, std::string* needs) {
  return LacksQdisc(c, {"netem"}, why, needs);
}
bool NeedsTbf(const EngineContext& c, std::string* why, std::string* needs) {
  return LacksQdisc(c, {"tbf", "rate", "100gbit", "burst", "16mb", "latency", "50ms"}, why, needs);
}

constexpr auto kRuns = EngineKeep::kProgram;
constexpr auto kMade = EngineKeep::kCommands;
constexpr auto kTold = EngineCounters::kTelemetry;
constexpr auto kUntold = EngineCounters::kNone;

constexpr CompareEngine kEngineTable[] = {
    {"xdp-native", "the policy in XDP, in the driver", false, kRuns, kTold, "twinpath-xdp", "",
     XdpNative, nullptr, NeedsInterface},
    {"xdp-generic", "the policy in XDP, behind the driver (any interface)", false, kRuns, kTold,
     "twinpath-xdp", "", XdpGeneric, nullptr, NeedsInterface},
    {"dpdk", "the policy on DPDK's own drivers", false, kRuns, kTold, "twinpath-dpdk", "", Dpdk,
     nullptr, NeedsPci},
    {"dpdk-af_xdp", "the policy on DPDK's AF_XDP driver", false, kRuns, kTold, "twinpath-dpdk", "",
     Dpdk, nullptr, NeedsInterface},
    {"af_xdp", "the policy on AF_XDP sockets without DPDK", false, kRuns, kTold, "twinpath-socket",
     "", AfXdp, nullptr, NeedsInterface},
    {"packet_mmap", "the policy on AF_PACKET rings", false, kRuns, kTold, "twinpath-socket", "",
     PacketMmap, nullptr, NeedsInterface},
    {"pcap", "the policy on libpcap", false, kRuns, kTold, "twinpath-socket", "", Pcap, nullptr,
     NeedsInterface},
    {"pf_ring", "the policy on PF_RING's libpcap", false, kRuns, kTold, "twinpath-socket", "", Pcap,
     nullptr, NeedsPfRing},
    {"testpmd-io", "dpdk-testpmd, which forwards frames as they are", true, kRuns, kUntold,
     "dpdk-testpmd", "dpdk", TestpmdIo, nullptr, nullptr},
    {"testpmd-macswap", "dpdk-testpmd, which swaps MAC addresses", true, kRuns, kUntold,
     "dpdk-testpmd", "dpdk", TestpmdMacswap, nullptr, nullptr},
    {"testpmd-5tswap", "dpdk-testpmd, which swaps MAC and IP addresses and ports", true, kRuns,
     kUntold, "dpdk-testpmd", "dpdk", Testpmd5tswap, nullptr, nullptr},
    {"xdp-drop", "an XDP program that drops every frame; nothing is forwarded", true,
     EngineKeep::kBuiltIn, kUntold, "", "", NoCommands, nullptr, NeedsInterface, true,
     BareKind::kDrop, EngineSink::kEngine},
    {"xdp-tx", "an XDP program that sends every frame back", true, EngineKeep::kBuiltIn, kUntold,
     "", "", NoCommands, nullptr, NeedsInterface, true, BareKind::kReflect, EngineSink::kGenerator},
    {"xdp-redirect", "an XDP program of one instruction: redirect", true, EngineKeep::kBuiltIn,
     kUntold, "", "", NoCommands, nullptr, NeedsInterface, true},
    {"xdp-dilih", "as dilih: drops half at random, two perf events for each packet", true,
     EngineKeep::kBuiltIn, kUntold, "", "", NoCommands, nullptr, NeedsInterface, true,
     BareKind::kTwoEvents},
    {"route", "the kernel's IPv4 forwarding", true, kMade, kUntold, "ip", "iproute2", Route,
     NoRoute, NeedsInterface, true},
    {"bridge", "the kernel's bridge", true, kMade, kUntold, "ip", "iproute2", Bridge, NoBridge,
     NeedsInterface, true},
    {"nft", "nftables at the ingress hook: random drop by numgen, else forward", true, kMade,
     EngineCounters::kNft, "nft", "nftables", Nft, NoNft, NeedsInterface, true},
    {"tc-netem", "the kernel's bridge, with netem's random loss", true, kMade, kUntold, "tc",
     "iproute2", Netem, NoQdisc, NeedsNetem, true},
    {"tc-tbf", "the kernel's bridge, with a token bucket that limits nothing", true, kMade, kUntold,
     "tc", "iproute2", Tbf, NoQdisc, NeedsTbf, true},
};

}  // namespace

absl::Span<const CompareEngine> CompareEngines() { return kEngineTable; }

const CompareEngine* FindEngine(const std::string& name) {
  for (const CompareEngine& engine : kEngineTable)
    if (name == engine.name) return &engine;
  return nullptr;
}

absl::Status CheckEngineName(const std::string& name) {
  if (FindEngine(name)) return absl::OkStatus();
  std::vector<std::string> names;
  for (const CompareEngine& engine : kEngineTable) names.emplace_back(engine.name);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no engine ", name, "; there are: ", absl::StrJoin(names, ", ")));
}

bool IsMissing(const CompareEngine& engine, const EngineContext& context, std::string* why,
               std::string* needs) {
  if (engine.changes_links && !context.links.own) {
    *why = "it would change how the machine's interfaces forward";
    *needs = "a lab of its own: no --port";
    return true;
  }
  const std::string program = engine.program;
  if (!program.empty() && ProgramInPath(program).empty() &&
      access(absl::StrCat(context.programs, "/", program).c_str(), X_OK) != 0) {
    *why = absl::StrCat("there is no ", program);
    *needs = *engine.package ? absl::StrCat("apt-get install ", engine.package)
                             : "all programs of twinpath, in one folder";
    return true;
  }
  return engine.missing && engine.missing(context, why, needs);
}

std::string NftRules(const EngineContext& context) {
  double share = 0;
  std::string text = context.loss;
  const bool percent = absl::EndsWith(text, "%");
  if (percent) text.pop_back();
  if (!absl::SimpleAtod(text, &share)) share = 0;
  const auto dropped = std::lround(share * kNftParts / (percent ? 100 : 1));
  return absl::StrCat("table netdev compare {\n  chain ingress {\n",
                      "    type filter hook ingress device \"", context.lan, "\" priority 0;\n",
                      "    numgen random mod ", kNftParts, " < ", dropped,
                      " counter drop\n    fwd to \"", context.wan, "\"\n  }\n}\n");
}

uint64_t NftDropped(const std::string& json) {
  const auto list = nlohmann::json::parse(json, nullptr, false);
  if (!list.is_object() || !list.contains("nftables")) return 0;
  uint64_t packets = 0;
  for (const auto& item : list["nftables"]) {
    if (!item.contains("rule")) continue;
    for (const auto& part : item["rule"]["expr"])
      if (part.contains("counter") && part["counter"].is_object())
        packets += part["counter"].value("packets", uint64_t{0});
  }
  return packets;
}

}  // namespace twinpath
