// SPDX-License-Identifier: BSD-3-Clause
// twinpath-socket: runs a policy on the socket path. Reads the command line, opens the ports
// and waits. Main thread.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
#include "src/sockets/engines.h"
#include "src/sockets/socket_path.h"

namespace twinpath {
namespace {

constexpr std::chrono::milliseconds kWatchPeriod(100);

struct CommandLine {
  RunOptions run;
  std::string engine = kEngines[0].name, file_prefix = "twinpath-socket";
  uint32_t queues = 1;
};

constexpr char kProgram[] = "twinpath-socket";

int Wrong(const absl::Status& status) { return PrintError(kProgram, kWrong, status); }

void Describe(CLI::App& app, CommandLine* line) {
  AddRunOptions(app, "NAME=IFACE", "A port of the policy, and its interface", &line->run)
      ->required();
  std::vector<std::string> engines;
  for (const EngineKind& kind : kEngines) engines.emplace_back(kind.name);
  app.add_option("--engine", line->engine,
                 absl::StrCat("The sockets to use: ", absl::StrJoin(engines, ", ")))
      ->type_name("ENGINE")
      ->check(OneOf(engines))
      ->capture_default_str()
      ->group(kWhereGroup);
  app.add_option("--queues", line->queues, "Queues of each port, each with a thread")
      ->option_text("N [1]")  // otherwise CLI11 prints the range; the error names it
      ->check(IntegerFrom(1, 64))
      ->group(kWhereGroup);
  app.add_option("--file-prefix", line->file_prefix, "Name of the telemetry socket's folder")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(kWhereGroup);
  AddVersion(app, "twinpath-socket");
}

// Returns the datapath's options from the command line.
absl::StatusOr<SocketOptions> MakeOptions(const CommandLine& line) {
  SocketOptions options = {.ports = {},
                           .queues = line.queues,
                           .flow_memory = kDefaultFlowMemory,
                           .on_message = Log(kProgram)};
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
  absl::Status status = CheckSummary(line.run);
  if (!status.ok()) return Wrong(status);
  auto engine = MakeEngine(line.engine);
  if (!engine.ok()) return Wrong(engine.status());
  std::atomic<const Path*> running = nullptr;
  std::unique_ptr<SocketPath> path;  // outlives the server, whose thread reads it
  auto server = StartTelemetry(line.file_prefix, &running);
  if (!server.ok()) return Wrong(server.status());
  auto metrics = StartMetrics(line.run.metrics, &running, Log(kProgram));
  if (!metrics.ok()) return Wrong(metrics.status());
  auto created = SocketPath::Create(*policy, *std::move(compiled), *std::move(engine), *options);
  if (!created.ok()) return Wrong(created.status());
  path = *std::move(created);
  running = path.get();

  reloader.Serve(path.get());
  {
    auto control = StartControl(line.file_prefix, &reloader);
    if (!control.ok()) return Wrong(control.status());
    for (const std::string& note : path->notes()) options->on_message(note);
    loop->Run({.duration = line.run.duration,
               .stats_interval = line.run.stats_interval,
               .watch_period = kWatchPeriod,
               .status = "forwarding",
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
  CLI::App app("Loses and forwards packets by a policy, by sockets.", kProgram);
  Describe(app, &line);
  if (const std::optional<int> ended = ParseCommandLine(app, argc, argv)) return *ended;
  return RunProgram(line, &loop);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  return twinpath::RunMain("twinpath-socket", argc, argv, twinpath::Main);
}
