// SPDX-License-Identifier: BSD-3-Clause
// twinpath-xdp: runs a policy on the XDP path. Reads the command line, attaches the programs and
// waits. Main thread.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "apps/command_line.h"
#include "apps/log.h"
#include "apps/policy_reloader.h"
#include "apps/program.h"
#include "apps/run.h"
#include "apps/run_options.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/checksums.h"
#include "src/config/profile/profile.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/xdp_path.h"

namespace twinpath {
namespace {

constexpr std::chrono::milliseconds kWatchPeriod(100);

struct CommandLine {
  RunOptions run;
  std::string mode = "auto", file_prefix = "twinpath-xdp";
  bool pin = false;
};

constexpr char kProgram[] = "twinpath-xdp";

int Wrong(const absl::Status& status) { return PrintError(kProgram, kWrong, status); }

void Describe(CLI::App& app, CommandLine* line) {
  AddRunOptions(app, "NAME=IFACE", "A port of the policy, and its interface", &line->run)
      ->required();
  app.add_option("--mode", line->mode, "native (in the driver), generic (after the driver), auto")
      ->type_name("MODE")
      ->check(OneOf({"auto", "native", "generic"}))
      ->capture_default_str()
      ->group(kWhereGroup);
  app.add_flag("--pin", line->pin,
               "Leave the programs attached at the end, pinned on the bpffs (default: detach them)")
      ->group(kWhereGroup);
  app.add_option("--file-prefix", line->file_prefix, "Name of the telemetry socket's folder")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(kWhereGroup);
  AddVersion(app, "twinpath-xdp");
}

// Returns the datapath's options from the command line.
absl::StatusOr<XdpOptions> MakeOptions(const CommandLine& line) {
  XdpOptions options = {.ports = {},
                        .mode = XdpMode::kAuto,
                        .pin = line.pin,
                        .flow_memory = kDefaultFlowMemory,
                        .on_message = Log(kProgram)};
  if (line.mode == "native") options.mode = XdpMode::kNative;
  if (line.mode == "generic") options.mode = XdpMode::kGeneric;
  for (const std::string& text : line.run.ports) {
    auto port = ParsePortSpec(text);
    if (!port.ok()) return port.status();
    options.ports.push_back(*std::move(port));
  }
  absl::Status checksums = ApplyChecksums(line.run.checksums, &options.ports);
  if (!checksums.ok()) return checksums;
  if (line.run.flow_memory.has_value()) {
    auto bytes = ParseFlowMemory(*line.run.flow_memory, "--flow-memory");
    if (!bytes.ok()) return bytes.status();
    options.flow_memory = *bytes;
  }
  return options;
}

void ShowPorts(const XdpPath& path, const Log& log) {
  size_t index = 0;
  for (const PortSnapshot& port : path.TakeSnapshot().ports)
    log(absl::StrCat("port ", port.name, ": ", port.device, " (",
                     port.driver.empty() ? "unknown driver" : port.driver, "), ", port.mode,
                     " mode (", port.why, "), ", port.queues,
                     port.queues == 1 ? " queue" : " queues",
                     path.CompletesChecksums(index++) ? ", completes checksums" : ""));
}

int RunProgram(const CommandLine& line, MainLoop* loop) {
  const auto options = MakeOptions(line);
  if (!options.ok()) return Wrong(options.status());
  std::vector<std::string> names;
  for (const PortSpec& port : options->ports) names.push_back(port.name);
  PolicyReloader reloader(line.run.overrides, names, options->on_message);
  auto policy = reloader.First(line.run.policy);
  if (!policy.ok()) return Wrong(policy.status());
  auto compiled = CompilePolicy(*policy, names);
  if (!compiled.ok()) return Wrong(reloader.InFile(compiled.status()));
  // These checks come before StartTelemetry, which creates a folder.
  absl::Status status = CheckXdpPrivileges();
  if (!status.ok()) return Wrong(status);
  status = CheckXdpMounts();
  if (!status.ok()) return Wrong(status);
  status = CheckSummary(line.run);
  if (!status.ok()) return Wrong(status);
  std::atomic<const Path*> running = nullptr;
  std::unique_ptr<XdpPath> path;  // outlives the server, whose thread reads it
  auto server = StartTelemetry(line.file_prefix, &running);
  if (!server.ok()) return Wrong(server.status());
  auto metrics = StartMetrics(line.run.metrics, &running, Log(kProgram));
  if (!metrics.ok()) return Wrong(metrics.status());
  auto created = XdpPath::Create(*policy, *std::move(compiled), *options);
  if (!created.ok()) return Wrong(created.status());
  path = *std::move(created);
  running = path.get();

  reloader.Serve(path.get());
  {
    auto control = StartControl(line.file_prefix, &reloader);
    if (!control.ok()) return Wrong(control.status());
    ShowPorts(*path, Log(kProgram));
    loop->Run({.duration = line.run.duration,
               .stats_interval = line.run.stats_interval,
               .watch_period = kWatchPeriod,
               .status = "attached",
               .on_hangup = [&reloader](const siginfo_t& info) { return reloader.OnHangup(info); }},
              path.get());
  }
  status = path->Stop();
  if (!status.ok()) return PrintError(kProgram, kFailed, status);
  return ShowEnd(kProgram, *path, line.run.summary);
}

int Main(int argc, char** argv) {
  MainLoop loop;
  CommandLine line;
  CLI::App app("Loses and forwards packets by a policy, in the kernel, by XDP.", kProgram);
  Describe(app, &line);
  if (const std::optional<int> ended = ParseCommandLine(app, argc, argv)) return *ended;
  return RunProgram(line, &loop);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath-xdp", argc, argv, twinpath::Main);
}
