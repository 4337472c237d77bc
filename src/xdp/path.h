// SPDX-License-Identifier: BSD-3-Clause
// The XDP datapath of a running program: a policy's programs on their interfaces, from attaching to
// detaching. Made and ended by the control thread; snapshots are taken by any thread.

#ifndef TWINPATH_XDP_PATH_H_
#define TWINPATH_XDP_PATH_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile.h"
#include "src/config/policy.h"
#include "src/config/profile.h"
#include "src/telemetry/snapshot.h"
#include "src/xdp/bpf_object.h"
#include "src/xdp/interface.h"
#include "src/xdp/link.h"

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
  uint64_t flow_memory = kDefaultFlowMemory;  // octets of the table of flows
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

  Snapshot TakeSnapshot() const;

  // One line for each port whose link came up, went down or is gone since this was last asked. The
  // thread that made the path.
  std::vector<std::string> LinkChanges();

 private:
  struct Port {
    PortSpec spec;
    Interface interface;
    XdpLink link;
    std::string mode, why, link_state = "up";
  };
  XdpPath(const Policy& policy, const XdpOptions& options);
  absl::Status CheckPorts();
  absl::Status AttachAll();
  // A port that frames leave by and that does not take them from native mode; null: none.
  const Port* Unreachable() const;
  absl::Status Attach(size_t index);
  absl::Status AttachGeneric(size_t index, const std::string& why);
  absl::Status Pin();
  void RemovePins();

  const XdpOptions options_;
  Snapshot header_;  // what stays the same
  std::vector<Port> ports_;
  std::unique_ptr<XdpTables> tables_;
  std::chrono::steady_clock::time_point start_;
  std::atomic<int64_t> ran_ns_{-1};  // set by Stop
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PATH_H_
