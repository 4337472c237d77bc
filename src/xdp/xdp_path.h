// SPDX-License-Identifier: BSD-3-Clause
// The XDP datapath of a running program: attaches a policy's XDP programs to their interfaces,
// watches and reloads them, and detaches them. The control thread creates and stops it. Any thread
// may reload the policy and take snapshots.

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
#include "src/kernel/link/interface.h"
#include "src/kernel/link/link_setup.h"
#include "src/kernel/link/promiscuous.h"
#include "src/telemetry/decisions.h"
#include "src/telemetry/faults.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/attach/link.h"
#include "src/xdp/attach/long_frames.h"
#include "src/xdp/program/run.h"

namespace twinpath {

enum class XdpMode {
  kAuto,     // native if the driver supports it, otherwise generic
  kNative,   // in the driver
  kGeneric,  // in the kernel's stack, after the driver
};

struct XdpOptions {
  std::vector<PortSpec> ports;  // those of the compiled policy, in its order; devices: interfaces
  XdpMode mode = XdpMode::kAuto;
  bool pin = false;  // leave the programs attached at the end, pinned under PinFolder(port)
  uint64_t flow_memory = kDefaultFlowMemory;           // size of the flow table, in bytes
  std::function<void(const std::string&)> on_message;  // Watch calls it with each log line
};

class XdpPath : public PolicyPath {
 public:
  // Checks everything, then attaches one program to each port. `compiled` was made from `policy`.
  // After an error nothing is attached or pinned. FailedPrecondition if an interface already has an
  // XDP program; the message names both.
  static absl::StatusOr<std::unique_ptr<XdpPath>> Create(const Policy& policy,
                                                         CompiledPolicy compiled,
                                                         const XdpOptions& options);
  // Detaches, unless pinned.
  ~XdpPath() override;

  // Detaches, unless pinned, and waits until no CPU runs the programs. The counters are final
  // afterwards.
  absl::Status Stop() override;

  // Each queue changes to the new policy between two frames. FailedPrecondition if the policy needs
  // something that a port cannot do in its current mode.
  absl::StatusOr<ReloadOutcome> Reload(const Policy& policy, CompiledPolicy compiled) override;
  // Whether the port's program finishes unfinished checksums.
  bool CompletesChecksums(size_t port) const {
    return ports_[port].mode == "native" && run_->maps().Completes(port);
  }
  void CountRejected() override { rejected_.fetch_add(1, std::memory_order_relaxed); }
  std::string policy_file() const override;
  absl::StatusOr<PacketState> StateFor(size_t port, uint32_t queue,
                                       absl::Span<const uint8_t> frame) const override;

  Snapshot TakeSnapshot() const override;

  // Reports links that go down or come up, and interfaces that disappear or come back, to
  // XdpOptions::on_message. Attaches again to an interface that came back. Called by the thread
  // that created the path.
  void Watch(Clock::time_point now) override;
  // Empty: the kernel does the work, so no thread of this path can stall.
  std::vector<uint64_t> Progress() override { return {}; }

 private:
  struct Port {
    PortSpec spec;
    Interface interface;
    Promiscuous promiscuous;
    XdpLink attachment;
    FileDescriptor long_frames;  // the attachment of LongFrames, in generic mode
    uint64_t too_long = 0;       // XdpMaps::too_long at the last look
    LinkSetup opened;  // the interface when it was attached; rx_queues: what the tables support
    XdpFrames frames = XdpFrames::kPlain;
    int attached = -1;  // descriptor of the attached program; owned by run_
    std::string mode, why, link = kLinkUp;
    std::string refusal;             // the last logged reason why it cannot be attached again
    std::vector<std::string> notes;  // lines that are not logged yet: what the port cannot do
  };
  XdpPath(const Policy& policy, const XdpOptions& options);
  absl::Status CheckPorts();
  absl::Status AttachAll();
  // Returns an error message for a port that would drop the frames that `policy` sends to it from
  // native mode. Empty: there is no such port.
  std::string Unreachable(const CompiledPolicy& policy) const;
  // The ports to which ports in native mode send frames, as a mask.
  uint32_t SentToFromNative(const CompiledPolicy& policy) const;
  static std::string WhyUnreachable(const Port& port);
  absl::Status CheckReload(const CompiledPolicy& policy) const;
  static absl::Status NoTags(const Port& port, const std::string& why);
  static void WaitForRunningPrograms();
  static void ReceiveAll(Port* port);
  bool InterfaceExists(size_t index);
  static void ReadOpened(Port* port);
  void LookAtSetups(Clock::time_point now);
  absl::Status AttachAgain(size_t index);
  static absl::Status PinAgain(Port& port);
  void DetachMissing(size_t index);
  absl::Status ReplaceAll(const std::vector<int>& programs);
  // Attaches the port's program for frames of this kind. Returns 0, or the errno with which the
  // kernel refused it.
  absl::StatusOr<int> Try(Port& port, size_t index, XdpFrames frames, uint32_t flags);
  absl::Status Attach(size_t index);
  absl::Status AttachGeneric(size_t index, const std::string& why);
  absl::Status LeaveChecksums(Port& port, const std::string& why);
  void SendLongFrames(size_t index);
  void DetachAll();
  // Tells the programs the current limits of the port's interface.
  void SetOutPort(size_t index);
  absl::Status Pin();
  void RemovePins();

  const XdpOptions options_;
  Policy policy_;    // the current one
  Snapshot header_;  // the fields that stay the same for the whole run
  std::vector<Port> ports_;
  FaultLedger faults_;
  Clock::time_point next_setup_look_;
  std::unique_ptr<XdpRun> run_;
  std::unique_ptr<LongFrames> long_frames_;  // created for the first port in generic mode
  std::optional<RuleDecisions> decisions_;   // of the current policy; set when run_ is
  std::mutex reload_;            // held while ports or programs change; taken before snapshot_
  mutable std::mutex snapshot_;  // held while a reader's data is read or replaced
  std::atomic<uint64_t> reloads_ = 0, rejected_ = 0;
  std::chrono::steady_clock::time_point start_;
  uint64_t origin_ = 0;              // when the ports were attached, in ns of the programs' clock
  std::atomic<int64_t> ran_ns_{-1};  // duration of the run, set by Stop
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_XDP_PATH_H_
