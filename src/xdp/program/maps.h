// SPDX-License-Identifier: BSD-3-Clause
// The maps that all programs of a run share under every policy: the queues' counters, the streams,
// the flows and the clock. The control thread creates them, the CPUs that serve the queues write
// them, and any thread reads them.

#ifndef TWINPATH_XDP_PROGRAM_MAPS_H_
#define TWINPATH_XDP_PROGRAM_MAPS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/layout.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class XdpMaps {
 public:
  // Creates maps for the first policy. `queues` is the number of RX queues of each of the policy's
  // ports. The table of flows, if the policy needs one, takes `flow_memory` bytes. With
  // `reloadable`, there is room for the streams of other policies. ResourceExhausted, with the
  // sizes, if the kernel has no memory for the maps.
  static absl::StatusOr<std::unique_ptr<XdpMaps>> Create(const CompiledPolicy& policy,
                                                         const std::vector<uint32_t>& queues,
                                                         uint64_t flow_memory = kDefaultFlowMemory,
                                                         bool reloadable = false);
  ~XdpMaps();
  XdpMaps(const XdpMaps&) = delete;
  XdpMaps& operator=(const XdpMaps&) = delete;

  size_t ports() const { return queues_.size(); }
  uint32_t queues(size_t port) const { return queues_[port]; }
  // The index of the port's queue 0 among the queues of all ports.
  uint32_t first_queue(size_t port) const { return first_queue_[port]; }
  // The maximum number of streams of a queue.
  uint32_t slots() const { return slots_; }
  // Whether there is room for the streams of other policies.
  bool reloadable() const { return reloadable_; }

  // The counters and the own stream of a queue in generation 0 or 1.
  tp_xdp_queue& queue(size_t generation, size_t port, uint32_t queue) const;
  // The queue's streams by slot, and how much of each was marked (null: no rule marks).
  tp_state* streams(size_t port, uint32_t queue) const;
  tp_count* marked(size_t port, uint32_t queue) const;
  tp_queue_extras& extras(size_t port, uint32_t queue) const;
  // Frames of RX queues that the maps have no room for. They are dropped.
  const tp_count& strays(size_t port) const;

  // The interface by which the port's frames leave, for all programs at once: its number (0: it is
  // gone), and the longest frame in bytes that the kernel redirects there (0: it is down). At first
  // any frame.
  void SetOutPort(size_t port, uint32_t interface, uint32_t longest);
  // Frames for the port that were longer. They are tx_full.
  const tp_count& too_long(size_t port) const;
  // Whether frames that the port received and that are too long for a redirect go to tp_send_long.
  void SetLongFrames(size_t port, bool sent);

  // The size of the table of flows; 0 places if there is none.
  const FlowTableShape& flows() const { return flows_; }
  // Copies one bucket of that table; false: the kernel does not give it.
  bool ReadFlows(uint32_t bucket, tp_flow_bucket* copy) const;
  // Creates a table of flows of `flow_memory` bytes, for programs loaded from now on.
  absl::Status MakeFlows(uint64_t flow_memory);

  // Sets the time of conditions, in nanoseconds, for programs loaded after the first call. Programs
  // loaded before it use the kernel's CLOCK_MONOTONIC_COARSE.
  void SetClock(uint64_t now);
  bool clock_given() const { return clock_given_; }

  // The ports whose programs finish the checksums of what they send, as bits, for programs loaded
  // afterwards. Not in generic mode, where the kernel knows which are unfinished.
  void SetCompletes(uint32_t ports) { completes_ = ports; }
  bool Completes(size_t port) const { return (completes_ >> port & 1) != 0; }

  // The descriptor of the shared map of this name, which stays owned here; -1: there is none.
  int SharedMap(std::string_view name) const;
  // Pins every shared map in `folder`, which must be on a bpffs.
  absl::Status Pin(const std::string& folder) const;

 private:
  struct Kernel;  // the skeleton object and the maps in memory
  explicit XdpMaps(const std::vector<uint32_t>& queues);

  std::vector<uint32_t> queues_, first_queue_;
  uint32_t total_queues_ = 0;
  uint32_t slots_ = 0;
  bool reloadable_ = false, has_marked_ = false, clock_given_ = false;
  uint32_t completes_ = 0;
  FlowTableShape flows_;
  FileDescriptor flow_buckets_, flow_regions_;  // those that a later policy needed
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_MAPS_H_
