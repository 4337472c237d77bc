// SPDX-License-Identifier: BSD-3-Clause
// The socket datapath of a running program: guards its interfaces from the kernel's stack, opens an
// engine's ends on them, runs a worker for each queue, and undoes all of it. The control thread
// creates, watches and stops it. Any thread may reload the policy and take snapshots.

#ifndef TWINPATH_SOCKETS_SOCKET_PATH_H_
#define TWINPATH_SOCKETS_SOCKET_PATH_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/host_datapath.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/checksums.h"
#include "src/config/profile/profile.h"
#include "src/engine/path.h"
#include "src/kernel/link/interface.h"
#include "src/kernel/link/link_setup.h"
#include "src/kernel/link/promiscuous.h"
#include "src/kernel/link/stack_guard.h"
#include "src/sockets/engine.h"
#include "src/sockets/worker/worker.h"
#include "src/telemetry/decisions.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

struct SocketOptions {
  std::vector<PortSpec> ports;  // those of the compiled policy, in its order; devices: interfaces
  uint32_t queues = 1;          // of each port, and so workers
  uint64_t flow_memory = kDefaultFlowMemory;           // size of the table of flows, in bytes
  std::function<void(const std::string&)> on_message;  // gets a line for each fault, from Watch
};

class SocketPath : public PolicyPath {
 public:
  // Checks everything, then opens the ports and starts the workers. `compiled` was made from
  // `policy`. After an error nothing is left of it.
  static absl::StatusOr<std::unique_ptr<SocketPath>> Create(const Policy& policy,
                                                            CompiledPolicy compiled,
                                                            std::unique_ptr<Engine> engine,
                                                            const SocketOptions& options);
  ~SocketPath() override;

  // Serves what came in so far, then lets the kernel's stack receive again.
  absl::Status Stop() override;

  // Each worker changes to the new policy between two of its bursts.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) override;
  void CountRejected() override { rejected_.fetch_add(1, std::memory_order_relaxed); }
  std::string policy_file() const override;
  absl::StatusOr<PacketState> StateFor(size_t port, uint32_t queue,
                                       absl::Span<const uint8_t> frame) const override;

  Snapshot TakeSnapshot() const override;
  // Reports links that go down or come up, and opens interfaces again that come back.
  void Watch(Clock::time_point now) override;
  // How often each worker's loop has turned.
  std::vector<uint64_t> Progress() override;

  // What set-up chose, and what the user should know: lines for the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  // A policy with its tables.
  struct Generation {
    Policy policy;
    CompiledPolicy compiled;
  };
  struct Port {
    PortSpec spec;
    Interface interface;
    StackGuard guard;  // outlives the ends
    Promiscuous promiscuous;
    std::unique_ptr<PortEnds> ends;
    LinkSetup opened;                    // the interface when it was opened
    std::string link, mode, why;         // guarded by snapshot_
    std::string refusal;                 // the last reported reason why it cannot be opened again
    std::atomic<uint64_t> lost = 0;      // RingLosses of all ends so far
    std::atomic<uint64_t> too_long = 0;  // TxQueue::too_long of all ends so far
    uint64_t lost_before = 0, too_long_before = 0;  // of ends that were closed
    uint64_t lost_seen = 0, too_long_seen = 0;      // at the last look
  };

  SocketPath(const Policy& policy, CompiledPolicy compiled, std::unique_ptr<Engine> engine,
             const SocketOptions& options);
  absl::Status CheckPorts();
  absl::Status OpenPort(Port* port);
  absl::Status MakeFlows();
  absl::Status MakeWorkers();
  void WriteNotes();
  const tp_flow_table* flows() const { return flows_ != nullptr ? flows_->table() : nullptr; }
  static absl::Status Begin(const Port& port);
  // Whether the port finishes unfinished checksums.
  static bool Completes(const Port& port) {
    return CompletesChecksums(port.spec.checksums, port.interface.driver);
  }
  absl::Status CheckTags(const CompiledPolicy& policy) const;
  void Connect(SocketQueue* queue) const;
  void ReadLosses(Port* port);
  void LookAt(Port* port, Clock::time_point now);
  void LookAtSetups(Clock::time_point now);
  absl::Status OpenAgain(Port* port);

  const SocketOptions options_;
  const std::unique_ptr<Engine> engine_;
  std::vector<std::string> notes_;
  std::unique_ptr<Generation> in_force_;
  std::unique_ptr<HostFlows> flows_;                    // made for the first policy that needs it
  std::vector<std::unique_ptr<Port>> ports_;            // outlive the workers
  std::vector<std::unique_ptr<SocketWorker>> workers_;  // one for each queue
  RuleDecisions decisions_;                             // of the policy in force; under snapshot_
  FaultLedger faults_;
  Clock::time_point next_setup_look_;
  std::mutex reload_;            // held while policies or ends change; taken before snapshot_
  mutable std::mutex snapshot_;  // held while a reader's data is read or replaced
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  Clock::time_point start_;
  uint64_t origin_ = 0;              // when the workers started, of their clock
  std::atomic<int64_t> ran_ns_{-1};  // duration of the run, set by Stop
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_SOCKET_PATH_H_
