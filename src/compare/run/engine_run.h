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

// Bare XDP programs, which this library cannot load itself. Each is attached as long as its handle
// exists.
struct BareXdpMaker {
  using Handle = std::shared_ptr<void>;
  std::function<absl::StatusOr<Handle>(const std::string&interface)> drop, pass;
  std::function<absl::StatusOr<Handle>(const std::string& interface, const std::string& out)>
      redirect;
};

// What an engine says of itself.
struct EngineReading {
  bool counts = false;  // it has counters
  uint64_t in = 0, lost = 0, denied = 0, malformed = 0, pass = 0, no_port = 0, tx_full = 0;
  uint64_t dropped_on_purpose = 0;  // of nft
  // By rule: matched and lost packets.
  std::map<std::string, std::pair<uint64_t, uint64_t>> rules;
};

class EngineRun {
 public:
  // Starts the engine and waits until it says that it is ready. An error has the engine's own
  // words.
  static absl::StatusOr<std::unique_ptr<EngineRun>> Start(const CompareEngine& engine,
                                                          const EngineContext& context,
                                                          const BareXdpMaker& bare);
  EngineRun(const EngineRun&) = delete;
  EngineRun& operator=(const EngineRun&) = delete;
  // Ends the engine.
  ~EngineRun();

  absl::StatusOr<EngineReading> Read() const;
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
  BareXdpMaker::Handle bare_;
  bool made_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RUN_ENGINE_RUN_H_
