// SPDX-License-Identifier: BSD-3-Clause
// The XDP datapath of a running program: a policy's programs on their interfaces, from attaching to
// detaching. Made and ended by the control thread; snapshots are taken by any thread.

#ifndef TWINPATH_XDP_XDP_PATH_H_
#define TWINPATH_XDP_XDP_PATH_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/reload.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/telemetry/faults.h"
#include "src/kernel/link_state.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/program/bpf_object.h"
#include "src/xdp/program/generation.h"
#include "src/xdp/attach/interface.h"
#include "src/xdp/attach/link.h"

namespace twinpath {

enum class XdpMode {
  kAuto,     // native, else generic
  kNative,   // in the driver
  kGeneric,  // in the stack, behind the driver
};

struct XdpOptions {
  std::vector<PortSpec> ports;  // the compiled policy's, in its order; devices are interfaces
  XdpMode mode = XdpMode::kAuto;
  bool pin = false;  // leave the programs attached, pinned under PinFolder(port)
  uint64_t flow_memory = kDefaultFlowMemory;           // octets of the table of flows
  std::function<void(const std::string&)> on_message;  // Watch's thread: a fault began or ended
};

class XdpPath {
 public:
  // Checks everything, then attaches one program a port. `policy` is what `compiled` was made of.
  // On an error nothing is left attached or pinned; an interface that carries an XDP program
  // already is never touched (FailedPrecondition, naming both).
  static absl::StatusOr<std::unique_ptr<XdpPath>> Create(const Policy& policy,
                                                         CompiledPolicy compiled,
                                                         const XdpOptions& options);
  // Detaches, unless pinned.
  ~XdpPath();
  XdpPath(const XdpPath&) = delete;
  XdpPath& operator=(const XdpPath&) = delete;

  // Detaches, unless pinned, and waits until no CPU runs the programs: the counters are then at
  // rest. Once is enough; again does nothing.
  void Stop();

  // Lets frames go by `policy`, compiled for the same ports to `compiled`: on each queue from one
  // frame to the next. Rules that are what they were go on where they are
  // (src/config/compile/reload.h). Any thread; returns when no frame is on its way under the policy
  // before. On an error nothing has changed: FailedPrecondition for what the ports cannot do as
  // they are attached, ResourceExhausted where there is no room for the tables.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled);
  // Counts a policy that did not get as far as Reload.
  void CountRejected() { rejected_.fetch_add(1, std::memory_order_relaxed); }
  // The file of the policy in force; empty: none.
  std::string policy_file() const;

  Snapshot TakeSnapshot() const;

  // Looks at the ports: says (XdpOptions::on_message) which link went down or came up and which
  // interface is gone, and where one of its name is there again, attaches to it as before. The
  // thread that made the path, a few times a second.
  void Watch();

 private:
  struct Port {
    PortSpec spec;
    Interface interface;
    XdpLink attachment;
    std::optional<XdpProgram> first;  // the first policy's
    XdpProgram::Frames frames = XdpProgram::Frames::kPlain;
    int attached = -1;  // the program that is, borrowed
    std::string mode, why, link = kLinkUp;
    std::string refusal;  // why it is not attached again, as it was said
  };
  XdpPath(const Policy& policy, const XdpOptions& options);
  absl::Status CheckPorts();
  absl::Status AttachAll();
  // Why not: a port that frames leave by and that does not take them from native mode. Empty: none.
  std::string Unreachable(const CompiledPolicy& policy) const;
  absl::Status CheckReload(const CompiledPolicy& policy) const;
  static absl::Status NoTags(const Port& port, const std::string& why);
  // Returns when every CPU that ran a program has left it.
  static void WaitForRunningPrograms();
  static uint64_t ProgramsNow();  // nanoseconds of the clock that the programs read
  absl::Status AttachAgain(size_t index);
  static absl::Status PinAgain(Port& port);
  void Leave(size_t index);
  absl::Status ReplaceAll(const XdpGeneration& by);
  absl::Status Attach(size_t index);
  absl::Status AttachGeneric(size_t index, const std::string& why);
  absl::Status Pin();
  void RemovePins();

  const XdpOptions options_;
  Policy policy_;    // in force
  Snapshot header_;  // what stays the same
  std::vector<Port> ports_;
  FaultLedger faults_;
  std::unique_ptr<XdpTables> tables_;
  std::unique_ptr<XdpGeneration> instances_[2];  // in turn; none before the first reload
  std::mutex reload_;                            // one at a time; taken before snapshot_
  mutable std::mutex snapshot_;                  // held while the policy is replaced, or read
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::atomic<int64_t> ran_ns_{-1};  // set by Stop
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_XDP_PATH_H_
