// SPDX-License-Identifier: BSD-3-Clause
// One trial: sends frames at a rate through an engine that runs, and counts what became of them.
// Main thread.

#ifndef TWINPATH_COMPARE_RUN_BENCH_H_
#define TWINPATH_COMPARE_RUN_BENCH_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/compare/lab/facts.h"
#include "src/compare/lab/lab.h"
#include "src/compare/result/results.h"
#include "src/compare/run/engine_run.h"

namespace twinpath {

struct BenchSetup {
  LabLinks links;
  std::string folder;    // for files of trials
  std::string programs;  // the folder of twinpath's programs
  uint32_t generator_cpu = 0;
  size_t cpus = 1;
  int root = 0;  // the process, as `accounts` number it, whose descendants belong to the comparison
  uint32_t flows = 1;
  std::map<std::string, double> loss_asked;  // by rule: the share that its model loses
};

struct TrialRequest {
  double rate = 0;  // packets a second; 0: as fast as possible
  double seconds = 0.5;
  uint32_t size = 64;
  bool latency = false;
};

class Bench {
 public:
  Bench(BenchSetup setup, MachineAccounts accounts, BareProgramMaker bare)
      : setup_(std::move(setup)), accounts_(std::move(accounts)), bare_(std::move(bare)) {}

  // Measures what the machine uses while nothing happens.
  void MeasureIdle(double seconds);

  // Sends a few frames until some arrive, or the engine takes them as its policy says. An error
  // says that nothing came through.
  absl::Status WarmUp(EngineRun* engine, uint32_t size);

  // Without key and purpose.
  absl::StatusOr<Trial> Measure(EngineRun* engine, const TrialRequest& request);

  void set_loss_asked(std::map<std::string, double> asked) { setup_.loss_asked = std::move(asked); }

  // The command that generates those frames.
  Command GeneratorCommand(const TrialRequest& request) const;

 private:
  struct Reading {
    InterfaceCounts generator, lan, wan, receiver;
    EngineReading engine;
    CpuAccounts cpus;
    ProcessTimes processes;
  };
  absl::StatusOr<Reading> Read(const EngineRun& engine, bool machine) const;
  // Reads until nothing moves any more.
  absl::StatusOr<Reading> Settle(const EngineRun& engine) const;
  absl::StatusOr<nlohmann::json> RunGenerator(const TrialRequest& request);
  Trial TrialOf(EngineSink sink, const Reading& before, const Reading& after,
                const nlohmann::json& sent) const;
  absl::Status Receive(EngineSink sink, bool latency);

  BenchSetup setup_;
  MachineAccounts accounts_;
  BareProgramMaker bare_;
  CpuTimes idle_;
  std::unique_ptr<BareProgramRun> sink_;
  std::string sink_at_;
  bool passing_ = false;  // the sink leaves frames to the stack
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_RUN_BENCH_H_
