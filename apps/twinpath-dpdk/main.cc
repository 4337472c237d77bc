// SPDX-License-Identifier: BSD-3-Clause
// twinpath-dpdk: runs a policy on the DPDK path. Reads the command line, sets the datapath up and
// runs it. Main thread.

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/log.h"
#include "apps/policy_reloader.h"
#include "apps/program.h"
#include "apps/run.h"
#include "apps/run_options.h"
#include "apps/twinpath-dpdk/testpmd.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/checksums.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/dpdk_path.h"
#include "src/dpdk/port/device.h"
#include "src/dpdk/quirks/interface_guard.h"

namespace twinpath {
namespace {

struct CommandLine {
  RunOptions run;
  std::string profile;
  std::optional<uint32_t> queues, rx_descriptors, tx_descriptors, burst;
  std::optional<std::string> lcores;
  std::optional<uint64_t> packets;
  std::optional<std::string> idle, file_prefix;
  bool no_huge = false;
  std::vector<std::string> eal;  // the arguments after "--"
};

constexpr char kProgram[] = "twinpath-dpdk";
constexpr std::chrono::milliseconds kWatchPeriod(100);
constexpr std::chrono::milliseconds kShortWatchPeriod(20);  // for runs that may end at any time

int Wrong(const absl::Status& status) { return PrintError(kProgram, kWrong, status); }

void Describe(CLI::App& app, CommandLine* line) {
  AddRunOptions(app, "NAME=DEVICE",
                "A port: PCI address, kernel interface or DPDK vdev; adds to the profile's ports, "
                "or replaces the one of this name",
                &line->run);
  app.add_option("--profile", line->profile,
                 "Where it runs: JSON, see twinpath-profile(5); other options override it")
      ->type_name("FILE")
      ->group(kWhereGroup);
  app.add_option("--queues", line->queues, "Queues of each port (default: the profile's, or 1)")
      ->option_text("N")  // otherwise CLI11 prints the range; the error names it
      ->check(IntegerFrom(1, 64))
      ->group(kWhereGroup);
  const auto add_count = [&app](const char* option, const char* help, uint32_t least, uint32_t most,
                                std::optional<uint32_t>* count) {
    app.add_option(option, *count, help)
        ->option_text("N")
        ->check(IntegerFrom(least, most))
        ->group(kWhereGroup);
  };
  // The ranges are those of the profile's keys.
  add_count("--rxd", "Descriptors of each RX queue (default: the profile's, or 1024)", 32, 32768,
            &line->rx_descriptors);
  add_count("--txd", "Descriptors of each TX queue (default: the profile's, or 1024)", 32, 32768,
            &line->tx_descriptors);
  add_count("--burst", "Packets received and sent at a time (default: the profile's, or 32)", 1, 64,
            &line->burst);
  app.add_option("--lcores", line->lcores,
                 "CPUs to poll on: 0-3,6 (default: the profile's, or the first one allowed)")
      ->type_name("LIST")
      ->group(kWhereGroup);
  app.add_option("--idle", line->idle,
                 "What lcores do without packets: busy (keep polling; default) or adaptive (sleep)")
      ->type_name("busy|adaptive")
      ->group(kWhereGroup);
  app.add_flag("--no-huge", line->no_huge,
               "Use ordinary memory (default: hugepages); the same as -- --no-huge")
      ->group(kWhereGroup);
  app.add_option("--file-prefix", line->file_prefix,
                 "EAL's file prefix, and the telemetry socket's folder (default: twinpath-dpdk)")
      ->type_name("NAME")
      ->group(kWhereGroup);
  app.add_option("--packets", line->packets,
                 "End after N packets received, over all queues (default: never)")
      ->type_name("N")
      ->check(WrongCount)
      ->group(kRunGroup);
  AddVersion(app, "twinpath-dpdk");
  app.footer("Arguments after -- go to EAL: -- -m 512, -- --log-level=debug");
}

// Returns EAL's arguments, including those that the program's own options stand for.
absl::StatusOr<std::vector<std::string>> EalArguments(const CommandLine& line) {
  std::vector<std::string> eal;
  if (line.no_huge && std::find(line.eal.begin(), line.eal.end(), "--no-huge") == line.eal.end())
    eal.emplace_back("--no-huge");
  if (line.file_prefix.has_value()) {
    for (const std::string& argument : line.eal)
      if (argument == "--file-prefix" || absl::StartsWith(argument, "--file-prefix="))
        return absl::InvalidArgumentError("--file-prefix is given twice: before -- and after it");
    eal.push_back(absl::StrCat("--file-prefix=", *line.file_prefix));
  }
  eal.insert(eal.end(), line.eal.begin(), line.eal.end());
  return eal;
}

// Returns the profile, changed by the options of the command line.
absl::StatusOr<Profile> MakeProfile(const CommandLine& line) {
  Profile profile;
  if (!line.profile.empty()) {
    auto loaded = LoadProfile(line.profile);
    if (!loaded.ok()) return loaded.status();
    profile = *std::move(loaded);
  }
  std::vector<std::string> given;
  for (const std::string& text : line.run.ports) {
    auto port = ParsePortSpec(text);
    if (!port.ok()) return port.status();
    if (std::find(given.begin(), given.end(), port->name) != given.end())
      return absl::InvalidArgumentError("--port: port " + port->name + " is given twice");
    given.push_back(port->name);
    auto same = std::find_if(profile.ports.begin(), profile.ports.end(),
                             [&](const PortSpec& other) { return other.name == port->name; });
    if (same != profile.ports.end())
      *same = *std::move(port);
    else
      profile.ports.push_back(*std::move(port));
  }
  if (profile.ports.empty())
    return absl::InvalidArgumentError("no port: give --port NAME=DEVICE or a profile with ports");
  absl::Status checksums = ApplyChecksums(line.run.checksums, &profile.ports);
  if (!checksums.ok()) return checksums;
  if (line.run.flow_memory.has_value()) {
    auto bytes = ParseFlowMemory(*line.run.flow_memory, "--flow-memory");
    if (!bytes.ok()) return bytes.status();
    profile.flow_memory = *bytes;
  }
  if (line.queues.has_value()) profile.queues = *line.queues;
  if (line.rx_descriptors.has_value()) profile.rx_descriptors = *line.rx_descriptors;
  if (line.tx_descriptors.has_value()) profile.tx_descriptors = *line.tx_descriptors;
  if (line.burst.has_value()) profile.burst = *line.burst;
  if (line.lcores.has_value()) {
    auto cpus = ParseCpuList(*line.lcores);
    if (!cpus.ok()) return cpus.status();
    profile.lcores = *std::move(cpus);
  }
  if (line.idle.has_value()) {
    auto idle = ParseIdle(*line.idle);
    if (!idle.ok()) return idle.status();
    profile.idle = *idle;
  }
  return profile;
}

std::vector<uint32_t> KernelInterfaces(const Profile& profile) {
  std::vector<uint32_t> interfaces;
  for (const PortSpec& port : profile.ports)
    if (const uint32_t index = AfXdpInterface(port.device); index != 0) interfaces.push_back(index);
  return interfaces;
}

int RunProgram(const CommandLine& line, MainLoop* loop) {
  auto profile = MakeProfile(line);
  if (!profile.ok()) return Wrong(profile.status());
  std::vector<std::string> names;
  for (const PortSpec& port : profile->ports) names.push_back(port.name);
  const auto eal = EalArguments(line);
  if (!eal.ok()) return Wrong(eal.status());
  const Log log(kProgram);
  PolicyReloader reloader(line.run.overrides, names, log);
  auto policy = reloader.First(line.run.policy);
  if (!policy.ok()) return Wrong(policy.status());
  auto compiled = CompilePolicy(*policy, names);
  if (!compiled.ok()) return Wrong(reloader.InFile(compiled.status()));
  absl::Status writable = CheckSummary(line.run);
  if (!writable.ok()) return Wrong(writable);

  // The guard forks before EAL starts threads, and is destroyed after the datapath.
  std::optional<InterfaceGuard> guard;
  if (const auto interfaces = KernelInterfaces(*profile); !interfaces.empty()) {
    auto forked = InterfaceGuard::Fork(interfaces);
    if (!forked.ok()) return Wrong(forked.status());
    guard.emplace(*std::move(forked));
    if (guard->in_child()) {
      guard->Watch();
      return kDone;
    }
  }
  std::atomic<const Path*> running = nullptr;
  std::unique_ptr<DpdkPath> path;  // outlives the server, whose threads read it
  auto metrics = StartMetrics(line.run.metrics, &running, log);
  if (!metrics.ok()) return Wrong(metrics.status());
  cpu_set_t cpus;  // the process's CPUs before EAL binds this thread to the main lcore's CPU
  const bool all_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
  auto created =
      DpdkPath::Create(*policy, *std::move(compiled), *profile, *eal,
                       {.packets = line.packets, .on_message = log}, guard ? &*guard : nullptr);
  if (!created.ok()) return Wrong(created.status());
  path = *std::move(created);
  running = path.get();
  reloader.Serve(path.get());
  absl::Status ran;
  {
    auto control = StartControl(path->file_prefix(), &reloader, all_cpus ? &cpus : nullptr);
    if (!control.ok()) return Wrong(control.status());
    for (const std::string& note : path->notes()) log(note);
    const RunSettings settings = {
        .duration = line.run.duration,
        .stats_interval = line.run.stats_interval,
        .watch_period =
            line.packets || profile->end_with_captures ? kShortWatchPeriod : kWatchPeriod,
        .status = "forwarding",
        .on_hangup = [&reloader](const siginfo_t& info) { return reloader.OnHangup(info); }};
    ran = path->Run([&] { loop->Run(settings, path.get()); });
  }
  if (!ran.ok()) return PrintError(kProgram, kFailed, ran);
  return ShowEnd(kProgram, *path, line.run.summary);
}

int Main(int argc, char** argv) {
  MainLoop loop;
  CommandLine line;
  CLI::App app("Loses and forwards packets by a policy, on DPDK.", kProgram);
  Describe(app, &line);
  int own = 1;
  while (own < argc && std::string(argv[own]) != "--") own++;
  for (int i = own + 1; i < argc; i++) line.eal.push_back(argv[i]);
  const std::vector<std::string> words(argv + 1, argv + own);
  if (absl::Status habits = CheckTestpmdHabits(words, line.eal); !habits.ok()) return Wrong(habits);
  if (const std::optional<int> ended = ParseCommandLine(app, own, argv)) return *ended;
  return RunProgram(line, &loop);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath-dpdk", argc, argv, twinpath::Main);
}
