// SPDX-License-Identifier: BSD-3-Clause
// twinpath-xdp: runs a policy on the XDP path. Reads the command line, attaches, waits, and says
// what was counted. Main thread; signals are taken synchronously, by waiting for them.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "apps/policy_reloader.h"
#include "apps/program.h"
#include "apps/run_options.h"
#include "apps/service.h"
#include "apps/signals.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/control/server.h"
#include "src/telemetry/json.h"
#include "src/telemetry/server/server.h"
#include "src/xdp/xdp_path.h"
#include "src/xdp/attach/preflight.h"

namespace twinpath {
namespace {

using Clock = HeldSignals::Clock;

constexpr std::chrono::milliseconds kLookInterval(100);

struct CommandLine {
  RunOptions run;
  std::string mode = "auto", file_prefix = "twinpath-xdp";
  bool pin = false;
};

constexpr char kProgram[] = "twinpath-xdp";

void Describe(CLI::App& app, CommandLine* line) {
  AddRunOptions(app, "NAME=IFACE", "A port of the policy, and the interface that it is", &line->run)
      ->required();
  app.add_option("--mode", line->mode, "native (in the driver), generic (behind it), auto")
      ->type_name("MODE")
      ->check(CLI::IsMember({"auto", "native", "generic"}))
      ->capture_default_str();
  app.add_flag("--pin", line->pin, "Leave the programs attached at the end, pinned on the bpffs");
  app.add_option("--file-prefix", line->file_prefix, "Name of the telemetry socket's folder")
      ->type_name("NAME")
      ->capture_default_str();
  app.set_version_flag("--version", std::string("twinpath-xdp ") + TWINPATH_VERSION);
}

// Waits until `deadline`, or for a signal that ends the run: true where one came.
bool EndsBefore(Clock::time_point deadline, const HeldSignals& signals, PolicyReloader& reloader) {
  for (;;) {
    const std::optional<siginfo_t> signal = signals.Before(deadline);
    if (!signal) return false;
    if (signal->si_signo != SIGHUP || !reloader.OnHangup(*signal)) return true;
  }
}

// Until the duration is over or a signal came, printing tables as asked, and watching the ports.
// Every look at them counts up *looks.
void Wait(const CommandLine& line, const HeldSignals& signals, XdpPath& path,
          PolicyReloader& reloader, std::atomic<uint64_t>* looks) {
  const auto start = Clock::now();
  const auto end =
      line.run.duration.has_value() ? After(start, *line.run.duration) : Clock::time_point::max();
  double turn = 1;
  const auto next_table = [&] {
    return line.run.stats_interval.has_value() ? After(start, turn * *line.run.stats_interval)
                                               : Clock::time_point::max();
  };
  while (Clock::now() < end) {
    looks->fetch_add(1);
    path.Watch();
    const auto next = std::min({end, next_table(), Clock::now() + kLookInterval});
    if (EndsBefore(next, signals, reloader)) return;
    if (next != next_table() || next == end) continue;
    std::cout << SummaryTable(SummaryJson(path.TakeSnapshot())) << "\n" << std::flush;
    turn++;
  }
}

int RunProgram(const CommandLine& line, const HeldSignals& signals) {
  XdpOptions options = {
      .ports = {},
      .mode = XdpMode::kAuto,
      .pin = line.pin,
      .flow_memory = kDefaultFlowMemory,
      .on_message = [](const std::string& text) { std::cerr << "twinpath-xdp: " + text + "\n"; }};
  if (line.mode == "native") options.mode = XdpMode::kNative;
  if (line.mode == "generic") options.mode = XdpMode::kGeneric;
  std::vector<std::string> names;
  for (const std::string& text : line.run.ports) {
    auto port = ParsePortSpec(text);
    if (!port.ok()) return PrintError(kProgram, kWrong, port.status());
    names.push_back(port->name);
    options.ports.push_back(*std::move(port));
  }
  if (line.run.flow_memory.has_value()) {
    auto octets = ParseFlowMemory(*line.run.flow_memory, "--flow-memory");
    if (!octets.ok()) return PrintError(kProgram, kWrong, octets.status());
    options.flow_memory = *octets;
  }
  auto policy = MakePolicy(line.run.policy, line.run.overrides, names);
  if (!policy.ok()) return PrintError(kProgram, kWrong, policy.status());
  auto compiled = CompilePolicy(*policy, names);
  if (!compiled.ok()) return PrintError(kProgram, kWrong, compiled.status());
  // Without privileges not so much as the telemetry's folder is made.
  absl::Status status = CheckXdpPrivileges();
  if (!status.ok()) return PrintError(kProgram, kWrong, status);
  status = CheckSummary(line.run);
  if (!status.ok()) return PrintError(kProgram, kWrong, status);
  // Before anything is attached: another instance may have the telemetry socket.
  std::atomic<const XdpPath*> running = nullptr;
  std::unique_ptr<XdpPath> path;  // outlives the server, whose thread reads it
  auto server = TelemetryServer::Start(line.file_prefix,
                                       std::string("twinpath ") + TWINPATH_VERSION, [&running] {
                                         const XdpPath* current = running.load();
                                         return current ? current->TakeSnapshot() : Snapshot();
                                       });
  if (!server.ok()) return PrintError(kProgram, kWrong, server.status());
  auto created = XdpPath::Create(*policy, *std::move(compiled), options);
  if (!created.ok()) return PrintError(kProgram, kWrong, created.status());
  path = *std::move(created);
  running = path.get();

  PolicyReloader reloader(line.run.overrides, names);
  reloader.Serve(
      {.reload = [&path](const Policy& next,
                         CompiledPolicy made) { return path->Reload(next, std::move(made)); },
       .count_rejected = [&path] { path->CountRejected(); },
       .policy_file = [&path] { return path->policy_file(); },
       .say = options.on_message});
  {
    auto control = ControlServer::Start(
        line.file_prefix,
        [&reloader](const std::string& file, const std::string& text) {
          return reloader.Reload(file, text);
        },
        ControlServer::Options());
    if (!control.ok()) return PrintError(kProgram, kWrong, control.status());
    for (const PortSnapshot& port : path->TakeSnapshot().ports)
      std::cerr << "twinpath-xdp: port " << port.name << ": " << port.device << " ("
                << (port.driver.empty() ? "unknown driver" : port.driver) << "), " << port.mode
                << " mode (" << port.why << "), " << port.queues
                << (port.queues == 1 ? " queue\n" : " queues\n");
    // The kernel does the work; here it is this thread that has to go on.
    std::atomic<uint64_t> looks = 0;
    Service service;
    service.Ready("attached", [&looks] { return std::vector<uint64_t>{looks.load()}; });
    Wait(line, signals, *path, reloader, &looks);
    service.Stopping();
  }
  path->Stop();

  status = ShowSummary(SummaryJson(path->TakeSnapshot()), line.run.summary);
  return status.ok() ? FinishOutput(kProgram, kDone) : PrintError(kProgram, kFailed, status);
}

int Main(int argc, char** argv) {
  const HeldSignals signals;
  CommandLine line;
  CLI::App app("Loses and forwards packets by a policy, in the kernel, by XDP.", kProgram);
  Describe(app, &line);
  if (const std::optional<int> ended = ParseCommandLine(app, argc, argv)) return *ended;
  return RunProgram(line, signals);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath-xdp", argc, argv, twinpath::Main);
}
