// SPDX-License-Identifier: BSD-3-Clause

#include "apps/run_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apps/command_line.h"
#include "apps/tables.h"
#include "src/config/policy/actions.h"
#include "src/kernel/file_descriptor.h"
#include "src/metrics/server.h"

namespace twinpath {

CLI::Option* AddRunOptions(CLI::App& app, const std::string& device, const std::string& port_help,
                           RunOptions* options) {
  CLI::Option* policy =
      app.add_option("--policy", options->policy, "Policy (JSON; default: pass everything)")
          ->option_text("FILE")  // otherwise CLI11 prints the excluded options, too
          ->group(kPolicyGroup);
  CLI::Option* port = app.add_option("--port", options->ports, port_help)
                          ->type_name(device)
                          ->expected(1)
                          ->take_all()
                          ->allow_extra_args(false)
                          ->group(kPolicyGroup);
  CLI::Option* loss = app.add_option("--loss", options->overrides.loss,
                                     "Loss of the default rule: 1%, 0.01 (default: the policy's)")
                          ->type_name("PCT")
                          ->group(kPolicyGroup);
  app.add_option("--match", options->overrides.match,
                 "Packets that --loss applies to: src=10.0.0.0/8,proto=udp (default: all)")
      ->option_text("MATCH")
      ->needs(loss)
      ->excludes(policy)
      ->group(kPolicyGroup);
  app.add_option(
         "--forward", options->overrides.forward,
         absl::StrCat("Where the default rule sends packets: ", absl::StrJoin(ActionWords(), ", "),
                      ", wire or a port's name (default: the policy's)"))
      ->type_name("WHAT")
      ->group(kPolicyGroup);
  app.add_option("--seed", options->overrides.seed,
                 "Seed of the losses (default: the policy's, or 0)")
      ->type_name("N")
      ->group(kPolicyGroup);
  app.add_option("--flow-memory", options->flow_memory,
                 "Size of the flow table, for losses of scope flow (default: 64MiB)")
      ->type_name("SIZE")
      ->group(kPolicyGroup);
  app.add_option("--checksums", options->checksums,
                 "complete or leave TCP and UDP checksums that a port's senders left to their NIC; "
                 "for one port NAME=complete (default: complete for veth, TAP, virtio)")
      ->type_name("HOW")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->group(kWhereGroup);
  AddRunTimes(app, options);
  return port;
}

void AddRunTimes(CLI::App& app, RunOptions* options) {
  app.add_option("--duration", options->duration,
                 "End after S seconds (default: run until SIGINT or SIGTERM)")
      ->type_name("S")
      ->check(WrongSeconds)
      ->group(kRunGroup);
  app.add_option("--stats-interval", options->stats_interval,
                 "Print the counters every S seconds (default: at the end only)")
      ->type_name("S")
      ->check(WrongSeconds)
      ->group(kRunGroup);
  app.add_option("--metrics", options->metrics,
                 "Serve metrics for Prometheus at http://ADDRESS/metrics (default: nowhere)")
      ->type_name("ADDRESS")
      ->check(WrongMetricsAddress)
      ->group(kRunGroup);
  app.add_option("--summary", options->summary,
                 "Write the summary (JSON) to FILE at the end (default: nowhere)")
      ->type_name("FILE")
      ->group(kRunGroup);
}

void AddVersion(CLI::App& app, const std::string& program) {
  app.set_version_flag("--version", program + " " + TWINPATH_VERSION)->group(kOtherGroup);
  // Added again, because --help lists groups in the order of their first options.
  app.set_help_flag("-h,--help", "Print this help message and exit")->group(kOtherGroup);
}

absl::Status CheckSummary(const RunOptions& options) {
  const std::string& path = options.summary;
  if (path.empty()) return absl::OkStatus();
  std::error_code ignored;
  if (std::filesystem::equivalent(path, options.policy, ignored))
    return absl::InvalidArgumentError(absl::StrCat("--summary: ", path, " is the policy"));
  const bool there = access(path.c_str(), F_OK) == 0;
  const std::string touched = there ? path : std::filesystem::absolute(path).parent_path().string();
  int error = access(touched.c_str(), W_OK) == 0 ? 0 : errno;
  if (there && std::filesystem::is_directory(path)) error = EISDIR;
  if (error == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--summary: ", path, " cannot be written: ", std::strerror(error)));
}

absl::Status ShowSummary(const nlohmann::ordered_json& summary, const std::string& path) {
  std::cout << ProgramTable(summary) << std::flush;
  if (path.empty()) return absl::OkStatus();
  const std::string text = summary.dump(2) + "\n";
  // O_NONBLOCK makes a named pipe without a reader an error. Otherwise open() would wait for a
  // reader.
  FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644));
  bool good = file.get() >= 0 && fcntl(file.get(), F_SETFL, 0) == 0;
  for (size_t done = 0; good && done < text.size();) {
    const ssize_t count = write(file.get(), text.data() + done, text.size() - done);
    good = count >= 0 || errno == EINTR;
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (good) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("--summary: writing ", path, ": ", std::strerror(errno)));
}

}  // namespace twinpath
