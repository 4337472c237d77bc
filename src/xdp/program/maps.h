// SPDX-License-Identifier: BSD-3-Clause
// The maps that all programs of a run share: the queues' counters, the streams, the flows and the
// clock. They stay the same when the policy changes. The control thread creates them, the CPUs that
// serve the queues write them, and any thread may read them.

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
  // ports. The flow table, if the policy needs one, takes `flow_memory` bytes. `reloadable` adds
  // room for the streams of other policies. ResourceExhausted, with the sizes, if the kernel has no
  // memory for the maps.
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

  // The record of a queue in generation 0 or 1: its counters and its own stream.
  tp_xdp_queue& queue(size_t generation, size_t port, uint32_t queue) const;
  // The queue's streams by slot, and the further counters of each (null: no rule needs them).
  tp_state* streams(size_t port, uint32_t queue) const;
  tp_rule_extras* rule_extras(size_t port, uint32_t queue) const;
  tp_queue_extras& extras(size_t port, uint32_t queue) const;
  // Frames on RX queues that the maps have no room for. They are dropped.
  const tp_count& strays(size_t port) const;

  // Sets the interface by which frames for the port leave, for all programs at once. `interface` is
  // its index (0: it is gone), `longest` the longest frame in bytes that the kernel redirects there
  // (0: it is down). Before the first call there is no limit.
  void SetOutPort(size_t port, uint32_t interface, uint32_t longest);
  // Frames for the port that were longer than that. They count as tx_full.
  const tp_count& too_long(size_t port) const;
  // Sets whether frames that the port received and that are too long for a redirect go to
  // tp_send_long.
  void SetLongFrames(size_t port, bool sent);

  // The size of the flow table; 0 places if there is none.
  const FlowTableShape& flows() const { return flows_; }
  // Copies one bucket of the flow table. False if the kernel refuses the lookup.
  bool ReadFlows(uint32_t bucket, tp_flow_bucket* copy) const;
  // Creates a flow table of `flow_memory` bytes for programs that are loaded afterwards.
  absl::Status MakeFlows(uint64_t flow_memory);

  // Sets the time that conditions use, in nanoseconds. Programs that were loaded before the first
  // call use the kernel's CLOCK_MONOTONIC_COARSE instead.
  void SetClock(uint64_t now);
  bool clock_given() const { return clock_given_; }

  // Sets which ports' programs finish checksums before they send, as bits, for programs that are
  // loaded afterwards. Not used in generic mode, where the kernel keeps track of unfinished
  // checksums.
  void SetCompletes(uint32_t ports) { completes_ = ports; }
  bool Completes(size_t port) const { return (completes_ >> port & 1) != 0; }

  // The descriptor of the shared map of this name, owned by this object; -1: there is none.
  int SharedMap(std::string_view name) const;
  // Pins every shared map in `folder`, which must be on a bpffs.
  absl::Status Pin(const std::string& folder) const;

 private:
  struct Kernel;  // the skeleton object and the maps in memory
  explicit XdpMaps(const std::vector<uint32_t>& queues);

  std::vector<uint32_t> queues_, first_queue_;
  uint32_t total_queues_ = 0;
  uint32_t slots_ = 0;
  bool reloadable_ = false, has_rule_extras_ = false, clock_given_ = false;
  uint32_t completes_ = 0;
  FlowTableShape flows_;
  FileDescriptor flow_buckets_, flow_regions_;  // created for a later policy
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_MAPS_H_
