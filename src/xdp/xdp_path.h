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
#include "src/config/compile/compile.h"
#include "src/config/compile/reload.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/engine/path.h"
#include "src/kernel/link.h"
#include "src/kernel/promiscuous.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/attach/interface.h"
#include "src/xdp/attach/link.h"
#include "src/xdp/program/run.h"

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

class XdpPath : public PolicyPath {
 public:
  // Checks everything, then attaches one program a port. `policy` is what `compiled` was made of.
  // On an error nothing is left attached or pinned; an interface that carries an XDP program
  // already is never touched (FailedPrecondition, naming both).
  static absl::StatusOr<std::unique_ptr<XdpPath>> Create(const Policy& policy,
                                                         CompiledPolicy compiled,
                                                         const XdpOptions& options);
  // Detaches, unless pinned.
  ~XdpPath() override;

  // Detaches, unless pinned, and waits until no CPU runs the programs: the counters are final then.
  absl::Status Stop() override;

  // Each queue changes policies from one frame to the next. FailedPrecondition for what the ports
  // cannot do in the mode in which they are attached.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) override;
  void CountRejected() override { rejected_.fetch_add(1, std::memory_order_relaxed); }
  std::string policy_file() const override;

  Snapshot TakeSnapshot() const override;

  // Reports (XdpOptions::on_message) which link went down or came up and which interface
  // disappeared; attaches again to an interface that is back. The thread that made the path.
  void Watch(Clock::time_point now) override;
  // None: the kernel does the work.
  std::vector<uint64_t> Progress() override { return {}; }

 private:
  struct Port {
    PortSpec spec;
    Interface interface;
    Promiscuous promiscuous;
    XdpLink attachment;
    LinkSetup opened;  // the interface when it was attached to; its queues: what the tables have
    XdpFrames frames = XdpFrames::kPlain;
    int attached = -1;  // the attached program; the run's
    std::string mode, why, link = kLinkUp;
    std::string refusal;   // why it is not attached again, as it was said
    std::string filtered;  // why the interface is not promiscuous, until that was said
  };
  XdpPath(const Policy& policy, const XdpOptions& options);
  absl::Status CheckPorts();
  absl::Status AttachAll();
  // Why not: a port that frames leave by and that does not take them from native mode. Empty: none.
  std::string Unreachable(const CompiledPolicy& policy) const;
  // The ports that frames leave by from native mode, as a mask.
  uint32_t SentToFromNative(const CompiledPolicy& policy) const;
  static std::string WhyUnreachable(const Port& port);
  absl::Status CheckReload(const CompiledPolicy& policy) const;
  static absl::Status NoTags(const Port& port, const std::string& why);
  // Returns when every CPU that ran a program has left it.
  static void WaitForRunningPrograms();
  static void ReceiveAll(Port* port);
  bool InterfaceThere(size_t index);
  static void ReadOpened(Port* port);
  void LookAtSetups(Clock::time_point now);
  absl::Status AttachAgain(size_t index);
  static absl::Status PinAgain(Port& port);
  void Leave(size_t index);
  absl::Status ReplaceAll(const std::vector<int>& programs);
  // The errno with which the kernel refused the port's program for frames that come so; 0: none.
  absl::StatusOr<int> Try(Port& port, size_t index, XdpFrames frames, uint32_t flags);
  absl::Status Attach(size_t index);
  absl::Status AttachGeneric(size_t index, const std::string& why);
  absl::Status Pin();
  void RemovePins();

  const XdpOptions options_;
  Policy policy_;    // in force
  Snapshot header_;  // what stays the same
  std::vector<Port> ports_;
  FaultLedger faults_;
  Clock::time_point next_setup_look_;
  std::unique_ptr<XdpRun> run_;
  std::mutex reload_;            // one at a time; taken before snapshot_
  mutable std::mutex snapshot_;  // held while the policy is replaced, or read
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::atomic<int64_t> ran_ns_{-1};  // set by Stop
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_XDP_PATH_H_
