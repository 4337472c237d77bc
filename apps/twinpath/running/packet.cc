// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/running/packet.h"

#include <string>
#include <utility>

#include "apps/twinpath/running/sources.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

absl::StatusOr<RunningPacket> Read(const ordered_json& answer) {
  const absl::StatusOr<RunningSources> sources = ReadRunningSources(answer);
  if (!sources.ok()) return sources.status();
  const std::vector<std::string>& ports = sources->ports;
  auto policy = BuildPolicy(*sources);
  if (!policy.ok()) return policy.status();
  auto compiled = CompilePolicy(*policy, ports);
  if (!compiled.ok()) return compiled.status();
  RunningPacket packet = {.policy = *std::move(policy),
                          .compiled = *std::move(compiled),
                          .port = answer.at("port").get<size_t>(),
                          .queue = answer.at("queue").get<uint32_t>(),
                          .at_ns = answer.at("at_ns").get<uint64_t>(),
                          .completes = answer.at("completes").get<bool>(),
                          .matched = answer.at("matched").get<std::vector<uint64_t>>(),
                          .flow_matched = answer.at("flow_matched").get<std::vector<uint64_t>>(),
                          .age_ns = answer.at("age_ns").get<std::vector<uint64_t>>()};
  const size_t rules = packet.compiled.rules.size();
  if (packet.matched.size() != rules || packet.flow_matched.size() != rules ||
      packet.age_ns.size() != rules || packet.port >= ports.size())
    return absl::DataLossError("the program's answer does not fit its policy");
  return packet;
}

}  // namespace

void RunningPacket::SetOrigins() {
  for (size_t r = 0; r < age_ns.size(); r++)
    if (compiled.rules[r].flags & TP_RULE_TIMED)
      compiled.whens[compiled.rules[r].when].origin = at_ns - age_ns[r];
}

absl::StatusOr<RunningPacket> ReadRunningPacket(const ordered_json& answer) {
  try {
    return Read(answer);
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(std::string("the program's answer: ") + error.what());
  }
}

}  // namespace twinpath
