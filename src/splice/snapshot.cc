// SPDX-License-Identifier: BSD-3-Clause

#include "src/splice/snapshot.h"

namespace twinpath::splice {

Sections MakeSections(const SpliceSnapshot& splice) {
  Sections sections = {.help = "Mode and counters of the splicer. No parameters"};
  sections.about = {{"listen", splice.listen},
                    {"mode", splice.mode},
                    {"why", splice.why},
                    {"workers", uint64_t{splice.workers}},
                    {"max_connections", uint64_t{splice.max_connections}}};
  for (const auto& [name, count] : splice.counters) sections.totals.emplace_back(name, count);
  SectionList targets = {.name = kTargets, .help = "Targets, up or down. Parameters: [FIRST]"};
  for (const TargetSnapshot& target : splice.targets)
    targets.rows.push_back({{"address", target.address},
                            {"state", target.state},
                            {"connections", target.connections},
                            {"failures", target.failures}});
  SectionList connections = {.name = kConnections,
                             .help = "Open connections, by number. Parameters: [FIRST]",
                             .key = "number"};
  for (const ConnectionSnapshot& connection : splice.connections)
    connections.rows.push_back({{"number", connection.number},
                                {"client", connection.client},
                                {"target", connection.target},
                                {"mode", connection.mode},
                                {"state", connection.state},
                                {"age_s", connection.age_s},
                                {"to_target_bytes", connection.to_target_bytes},
                                {"to_client_bytes", connection.to_client_bytes}});
  sections.lists = {std::move(targets), std::move(connections)};
  return sections;
}

}  // namespace twinpath::splice
