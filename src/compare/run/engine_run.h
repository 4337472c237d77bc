// SPDX-License-Identifier: BSD-3-Clause
// An engine that runs: started as a user would, ready, read, and ended. Main thread.

#ifndef TWINPATH_COMPARE_RUN_ENGINE_RUN_H_
#define TWINPATH_COMPARE_RUN_ENGINE_RUN_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/compare/lab/child.h"
#include "src/compare/run/engines.h"

namespace twinpath {

// A bare XDP program, which this library cannot load itself. Attached as long as it exists.
class BareProgramRun {
 public:
  virtual ~BareProgramRun() = default;
  // Packets that it dropped at random so far.
  virtual uint64_t Dropped() const = 0;
};

// Attaches a program to an interface. `out` is where the programs that redirect send to.
using BareProgramMaker = std::function<absl::StatusOr<std::unique_ptr<BareProgramRun>>(
    BareKind kind, const std::string& interface, const std::string& out)>;

// What an engine says of itself.
struct EngineReading {
  bool counts = false;  // it has counters
  uint64_t in = 0, lost = 0, denied = 0, malformed = 0, pass = 0, no_port = 0, tx_full = 0;
  uint64_t dropped_on_purpose = 0;  // of engines without these counters
  // By rule: matched and lost packets.
  std::map<std::string, std::pair<uint64_t, uint64_t>> rules;
};

class EngineRun {
 public:
  // Starts the engine and waits until it says that it is ready. An error has the engine's own
  // words.
  static absl::StatusOr<std::unique_ptr<EngineRun>> Start(const CompareEngine& engine,
                                                          const EngineContext& context,
                                                          const BareProgramMaker& bare);
  EngineRun(const EngineRun&) = delete;
  EngineRun& operator=(const EngineRun&) = delete;
  // Ends the engine.
  ~EngineRun();

  absl::StatusOr<EngineReading> Read() const;
  EngineSink sink() const { return engine_->sink; }
  // What to say of an engine that ended by itself; empty: it runs.
  std::string Ended();

 private:
  EngineRun(const CompareEngine& engine, const EngineContext& context)
      : engine_(&engine), context_(context) {}
  absl::Status Make();
  absl::Status WaitUntilReady();
  std::string Words() const;

  const CompareEngine* engine_;
  EngineContext context_;
  std::optional<Child> child_;
  std::unique_ptr<BareProgramRun> bare_;
  bool made_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RUN_ENGINE_RUN_H_
