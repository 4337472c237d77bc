// SPDX-License-Identifier: BSD-3-Clause
// DPDK's telemetry protocol, version 2, without the sockets. Pure functions; any thread.

#include "src/telemetry/server/protocol.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/telemetry/json.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxCommand = 56;  // an answer repeats this many bytes of the command, as in DPDK

std::string Dump(const ordered_json& document) {
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json GreetingJson(const std::string& version) {
  return {{"version", version}, {"pid", getpid()}, {"max_output_len", kMaxAnswer}};
}

// All commands, sorted as DPDK lists them.
std::vector<TelemetryCommand> AllCommands(const Snapshot& snapshot) {
  std::vector<TelemetryCommand> all = TelemetryCommandsOf(snapshot);
  all.insert(all.end(), {{"/", "All commands. No parameters"},
                         {"/help", "What a command does. Parameters: COMMAND"},
                         {"/info", "Version, process and longest answer. No parameters"}});
  std::sort(all.begin(), all.end(),
            [](const TelemetryCommand& a, const TelemetryCommand& b) { return a.name < b.name; });
  return all;
}

ordered_json Answer(std::string_view command, std::string_view parameters,
                    const std::string& version, const std::function<Snapshot()>& snapshot) {
  if (command == "/info") return GreetingJson(version);
  const Snapshot now = snapshot();
  const std::vector<TelemetryCommand> all = AllCommands(now);
  const auto find = [&](std::string_view name) {
    return std::find_if(all.begin(), all.end(), [&](const auto& c) { return name == c.name; });
  };
  if (find(command) == all.end()) return nullptr;
  if (command == "/") {
    ordered_json names = ordered_json::array();
    for (const TelemetryCommand& known : all) names.push_back(known.name);
    return names;
  }
  if (command == "/help") {
    const auto known = find(parameters);
    if (known == all.end()) return nullptr;
    return {{known->name, known->help}};
  }
  return AnswerCommand(now, command, parameters);
}

}  // namespace

std::string RuntimeFolder(const std::string& file_prefix) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  std::string folder = variable("RUNTIME_DIRECTORY");
  if (folder.empty()) folder = getuid() == 0 ? "/var/run" : variable("XDG_RUNTIME_DIR");
  if (folder.empty()) folder = "/tmp";
  return folder + "/dpdk/" + file_prefix;
}

absl::StatusOr<std::string> TelemetrySocketPath(const std::string& file_prefix) {
  if (file_prefix.empty() || file_prefix[0] == '.' || file_prefix.find('/') != std::string::npos ||
      file_prefix.find('\0') != std::string::npos)
    return absl::InvalidArgumentError(
        absl::StrCat("file prefix: found \"", file_prefix,
                     "\", allowed a file name without '/' that does not start with '.'"));
  std::string path = RuntimeFolder(file_prefix) + "/dpdk_telemetry.v2";
  constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kMaxPath)
    return absl::InvalidArgumentError(absl::StrCat("file prefix: ", path, " has ", path.size(),
                                                   " bytes, a socket's path may have ", kMaxPath));
  return path;
}

std::string Greeting(const std::string& version) { return Dump(GreetingJson(version)); }

std::string AnswerRequest(std::string_view request, const std::string& version,
                          const std::function<Snapshot()>& snapshot) {
  // DPDK reads a request as a C string, skips leading commas and cuts at the next one.
  request = request.substr(0, std::min(request.find('\0'), kMaxRequest));
  request.remove_prefix(std::min(request.find_first_not_of(','), request.size()));
  const size_t comma = std::min(request.find(','), request.size());
  const std::string_view command = request.substr(0, comma);
  const std::string_view parameters = request.substr(std::min(comma + 1, request.size()));
  const std::string key(command.substr(0, kMaxCommand));
  return Dump({{key, Answer(command, parameters, version, snapshot)}});
}

}  // namespace twinpath
