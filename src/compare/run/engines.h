// SPDX-License-Identifier: BSD-3-Clause
// The engines and yardsticks, in one table: how each is started, what it needs, and where its
// counters are. Control thread.

#ifndef TWINPATH_COMPARE_RUN_ENGINES_H_
#define TWINPATH_COMPARE_RUN_ENGINES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/compare/lab/lab.h"

namespace twinpath {

// Where an engine runs, and with what.
struct EngineContext {
  LabLinks links;
  std::string lan, wan;     // the ports' devices: interfaces, or PCI addresses
  std::string policy;       // the file
  std::string loss;         // of --loss; empty: the policy's own
  std::string folder;       // for its files
  std::string programs;     // the folder of twinpath's programs
  std::string file_prefix;  // of its telemetry
  std::string huge_folder;  // a hugetlbfs with free pages; empty: without hugepages
  uint32_t queues = 1;
  std::vector<uint32_t> cpus = {0};  // where it runs, if it can choose; not empty
};

using Command = std::vector<std::string>;

enum class EngineKeep {
  kProgram,   // it runs as long as its program
  kCommands,  // commands make it, others undo it
  kBuiltIn,   // a bare XDP program of this process
};

// The bare XDP programs: two for the receiver, the others are yardsticks.
enum class BareKind { kDrop, kPass, kRedirect, kReflect, kTwoEvents };

// Where an engine's frames end, and so which interface counts those that were handled.
enum class EngineSink {
  kReceiver,
  kGenerator,  // they come back
  kEngine,     // it drops all of them
};

enum class EngineCounters { kTelemetry, kNft, kNone };

struct CompareEngine {
  const char* name;
  const char* title;
  bool yardstick;
  EngineKeep keep;
  EngineCounters counters;
  const char* program;  // without which it does not run; in the programs' folder or in PATH
  const char* package;  // that has it; empty: this project
  // The command that runs (kProgram), or the commands that make it.
  std::vector<Command> (*start)(const EngineContext& context);
  std::vector<Command> (*undo)(const EngineContext& context);  // null: nothing
  // Why it cannot run there, and what it needs; null: nothing to check.
  bool (*missing)(const EngineContext& context, std::string* why, std::string* needs);
  bool changes_links = false;           // bridges or filters interfaces: only in a lab of one's own
  BareKind bare = BareKind::kRedirect;  // for kBuiltIn
  EngineSink sink = EngineSink::kReceiver;
};

absl::Span<const CompareEngine> CompareEngines();
// nullptr: there is none of this name.
const CompareEngine* FindEngine(const std::string& name);
// InvalidArgument, with all names, where there is none of this name.
absl::Status CheckEngineName(const std::string& name);

// Whether the engine cannot run there. Looks for programs and kernel features; starts nothing.
bool IsMissing(const CompareEngine& engine, const EngineContext& context, std::string* why,
               std::string* needs);

// nft's rules for `loss` ("1%"; empty: none), as text for nft -f: a ruleset that drops so many
// frames at random and forwards the rest.
std::string NftRules(const EngineContext& context);
// The packets that its rule dropped, from `nft -j list ruleset`.
uint64_t NftDropped(const std::string& json);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RUN_ENGINES_H_
