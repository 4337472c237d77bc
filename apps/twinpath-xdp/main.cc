// SPDX-License-Identifier: BSD-3-Clause
// twinpath-xdp: runs a policy on the XDP path. Reads the command line, attaches, waits, and says
// what was counted. Main thread; signals are taken synchronously, by waiting for them.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "src/config/compile.h"
#include "src/config/policy.h"
#include "src/config/profile.h"
#include "src/config/command_line.h"
#include "src/telemetry/json.h"
#include "src/telemetry/server.h"
#include "src/xdp/path.h"
#include "src/xdp/preflight.h"

namespace twinpath {
namespace {

enum ExitStatus { kDone = 0, kFailed = 1, kWrong = 2 };

using Clock = std::chrono::steady_clock;

struct CommandLine {
  std::string policy, summary, mode = "auto", file_prefix = "twinpath-xdp";
  std::vector<std::string> ports;
  PolicyOverrides overrides;
  std::optional<double> duration, stats_interval;
  bool pin = false;
};

int Say(ExitStatus exit_status, const absl::Status& status) {
  std::cerr << "twinpath-xdp: " << std::string(status.message()) << "\n";
  return exit_status;
}

void Describe(CLI::App& app, CommandLine* line) {
  app.add_option("--policy", line->policy, "Policy (JSON)")->type_name("FILE");
  app.add_option("--port", line->ports, "A port of the policy, and the interface that it is")
      ->type_name("NAME=IFACE")
      ->required()
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--mode", line->mode, "native (in the driver), generic (behind it), auto")
      ->type_name("MODE")
      ->check(CLI::IsMember({"auto", "native", "generic"}))
      ->capture_default_str();
  app.add_option("--loss", line->overrides.loss, "Loss of the default rule: 1%, 0.01")
      ->type_name("PCT");
  app.add_option("--forward", line->overrides.forward,
                 "Where the default rule sends: pass, drop, reflect, wire or a port's name")
      ->type_name("WHAT");
  app.add_option("--seed", line->overrides.seed, "Seed of the losses")->type_name("N");
  app.add_option("--duration", line->duration, "End after S seconds")
      ->type_name("S")
      ->check(WrongSeconds);
  app.add_option("--stats-interval", line->stats_interval, "Print tables every S seconds")
      ->type_name("S")
      ->check(WrongSeconds);
  app.add_option("--summary", line->summary, "Write the summary (JSON) at the end")
      ->type_name("FILE");
  app.add_flag("--pin", line->pin, "Leave the programs attached at the end, pinned on the bpffs");
  app.add_option("--file-prefix", line->file_prefix, "Name of the telemetry socket's folder")
      ->type_name("NAME")
      ->capture_default_str();
  app.set_version_flag("--version", std::string("twinpath-xdp ") + TWINPATH_VERSION);
}

// The summary's file, made before anything is attached, so that a path that cannot be written is
// told in time. An existing file is emptied only when the summary is there.
class SummaryFile {
 public:
  ~SummaryFile() {
    if (fd_ < 0) return;
    close(fd_);
    if (made_ && !written_) unlink(path_.c_str());
  }

  absl::Status Open(const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    path_ = path;
    made_ = access(path.c_str(), F_OK) != 0;
    fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ >= 0) return absl::OkStatus();
    made_ = false;
    return absl::InvalidArgumentError(
        absl::StrCat("--summary: ", path, " cannot be written: ", std::strerror(errno)));
  }

  absl::Status Write(const std::string& text) {
    if (fd_ < 0) return absl::OkStatus();
    written_ = true;
    const bool empty = ftruncate(fd_, 0) == 0 || errno == EINVAL;  // a pipe or a device
    size_t done = 0;
    while (empty && done < text.size()) {
      const ssize_t count = write(fd_, text.data() + done, text.size() - done);
      if (count < 0 && errno != EINTR) break;
      if (count > 0) done += static_cast<size_t>(count);
    }
    if (done == text.size()) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("--summary: writing ", path_, ": ", std::strerror(errno)));
  }

 private:
  std::string path_;
  int fd_ = -1;
  bool made_ = false, written_ = false;
};

// SIGINT and SIGTERM, blocked from the start (threads made later inherit that) and waited for.
sigset_t HoldSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Waits until `deadline` (none: for ever) or a signal; true where a signal came.
bool SignalBefore(const sigset_t& signals, std::optional<Clock::time_point> deadline) {
  for (;;) {
    if (!deadline.has_value()) {
      if (sigwaitinfo(&signals, nullptr) > 0) return true;
      continue;  // interrupted by a stop and a continue
    }
    const auto left = std::chrono::nanoseconds(*deadline - Clock::now()).count();
    if (left <= 0) return false;
    const timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    if (sigtimedwait(&signals, nullptr, &timeout) > 0) return true;
  }
}

Clock::time_point After(Clock::time_point start, double seconds) {
  return start +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Until the duration is over or a signal came, printing tables as asked.
void Wait(const CommandLine& line, const sigset_t& signals, const XdpPath& path) {
  const auto start = Clock::now();
  std::optional<Clock::time_point> end;
  if (line.duration.has_value()) end = After(start, *line.duration);
  for (double turn = 1;; turn++) {
    std::optional<Clock::time_point> next = end;
    if (line.stats_interval.has_value()) {
      const auto table = After(start, turn * *line.stats_interval);
      if (!end.has_value() || table < *end) next = table;
    }
    if (SignalBefore(signals, next) || next == end) return;
    std::cout << SummaryTable(SummaryJson(path.TakeSnapshot())) << "\n" << std::flush;
  }
}

int RunProgram(const CommandLine& line, const sigset_t& signals) {
  XdpOptions options = {.ports = {}, .mode = XdpMode::kAuto, .pin = line.pin};
  if (line.mode == "native") options.mode = XdpMode::kNative;
  if (line.mode == "generic") options.mode = XdpMode::kGeneric;
  std::vector<std::string> names;
  for (const std::string& text : line.ports) {
    auto port = ParsePortSpec(text);
    if (!port.ok()) return Say(kWrong, port.status());
    names.push_back(port->name);
    options.ports.push_back(*std::move(port));
  }
  auto policy = MakePolicy(line.policy, line.overrides, names);
  if (!policy.ok()) return Say(kWrong, policy.status());
  auto compiled = CompilePolicy(*policy, names);
  if (!compiled.ok()) return Say(kWrong, compiled.status());
  // Without privileges not so much as the summary's file or the telemetry's folder is made.
  absl::Status status = CheckXdpPrivileges();
  if (!status.ok()) return Say(kWrong, status);
  SummaryFile summary_file;
  status = summary_file.Open(line.summary);
  if (!status.ok()) return Say(kWrong, status);
  // Before anything is attached: another instance may have the telemetry socket.
  std::atomic<const XdpPath*> running = nullptr;
  std::unique_ptr<XdpPath> path;  // outlives the server, whose thread reads it
  auto server = TelemetryServer::Start(line.file_prefix,
                                       std::string("twinpath ") + TWINPATH_VERSION, [&running] {
                                         const XdpPath* current = running.load();
                                         return current ? current->TakeSnapshot() : Snapshot();
                                       });
  if (!server.ok()) return Say(kWrong, server.status());
  auto created = XdpPath::Create(*policy, *std::move(compiled), options);
  if (!created.ok()) return Say(kWrong, created.status());
  path = *std::move(created);
  running = path.get();

  for (const PortSnapshot& port : path->TakeSnapshot().ports)
    std::cerr << "twinpath-xdp: port " << port.name << ": " << port.device << " ("
              << (port.driver.empty() ? "unknown driver" : port.driver) << "), " << port.mode
              << " mode (" << port.why << "), " << port.queues
              << (port.queues == 1 ? " queue\n" : " queues\n");
  Wait(line, signals, *path);
  path->Stop();

  const nlohmann::ordered_json summary = SummaryJson(path->TakeSnapshot());
  std::cout << SummaryTable(summary) << std::flush;
  status = summary_file.Write(summary.dump(2) + "\n");
  return status.ok() ? kDone : Say(kFailed, status);
}

int Main(int argc, char** argv) {
  const sigset_t signals = HoldSignals();
  CommandLine line;
  CLI::App app("Loses and forwards packets by a policy, in the kernel, by XDP.");
  Describe(app, &line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::cerr << "twinpath-xdp: " << error.what() << "\n";
    return kWrong;
  }
  return RunProgram(line, signals);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
