// SPDX-License-Identifier: BSD-3-Clause
// The XDP program and its maps in the kernel: XdpTables owns one set of maps, filled from a
// compiled policy; XdpProgram owns one loaded instance of the program over them. Set up by the
// control thread; the counters are then written by the CPUs that serve the queues, and read by
// anyone.

#ifndef TWINPATH_XDP_PROGRAM_BPF_OBJECT_H_
#define TWINPATH_XDP_PROGRAM_BPF_OBJECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bpf/layout.h"
#include "src/config/compile/compile.h"
#include "src/config/compile/flow_memory.h"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/snapshot.h"

struct bpf_map;

namespace twinpath {

class XdpTables {
 public:
  // The tables of `policy`, the first one. `queues` is the number of RX queues of each of the
  // policy's ports; a table of flows, if the policy needs one, takes `flow_memory` octets. Where it
  // is to be `reloadable`, there is room for the streams of other policies (XdpGeneration).
  // ResourceExhausted, with the sizes, where the kernel has no room for the maps.
  static absl::StatusOr<std::unique_ptr<XdpTables>> Create(
      CompiledPolicy policy, const std::vector<uint32_t>& queues,
      uint64_t flow_memory = kDefaultFlowMemory, bool reloadable = false);
  ~XdpTables();
  XdpTables(const XdpTables&) = delete;
  XdpTables& operator=(const XdpTables&) = delete;

  // The one in force.
  const CompiledPolicy& policy() const { return policy_; }
  uint32_t queues(size_t port) const { return queues_[port]; }

  // What a queue counted so far, and the CPU that last served it (-1: none yet).
  tp_queue_counters Counters(size_t port, uint32_t queue) const;
  tp_queue_extras Extras(size_t port, uint32_t queue) const;
  int32_t Cpu(size_t port, uint32_t queue) const;
  // Whether the port's first plan can reach one rule only. Its stream then counts nothing but
  // packets: the queue's counters are its counts.
  bool sole(size_t port) const { return sole_[port]; }
  // What a rule of the policy in force took of a queue; no name.
  RuleSnapshot Counts(size_t port, uint32_t queue, uint32_t rule) const;
  // What the rules counted that went, or began anew.
  const RuleSnapshot& retired() const { return retired_; }
  // A queue's streams under the first policy: one for each rule, in order, or the only one. Valid
  // as long as the tables are; the kernel writes them.
  absl::Span<const tp_state> states(size_t port, uint32_t queue) const;
  // The table of flows; of no places where the policy has none.
  const FlowTableShape& flows() const { return flows_; }
  // Lets conditions go by this time, in nanoseconds, in programs loaded from now on and until it is
  // set again; until then they go by the kernel's CLOCK_MONOTONIC_COARSE.
  void SetClock(uint64_t now);
  // Times of the policy that the tables were made for count from `now`, of that clock.
  void SetOrigin(uint64_t now);
  // Frames of RX queues beyond those the tables were made for: dropped.
  const tp_count& strays(size_t port) const;

  // What leaves by port i goes out of interface `indexes[i]`, in programs loaded from now on; where
  // it came in by the same port, too, `xdp_tx[i]` says whether the driver's XDP_TX serves;
  // until this is called, all of them do, and nothing leaves by another port.
  void SetOutPorts(std::vector<uint32_t> indexes, std::vector<bool> xdp_tx) {
    out_ports_ = std::move(indexes);
    xdp_tx_ = std::move(xdp_tx);
  }
  // The same for one port; 0: it has no interface now. Programs that are loaded are told by
  // EnterOutPort.
  void SetOutPort(size_t port, uint32_t index) { out_ports_[port] = index; }
  // Lets `program` send what leaves by `port` out of the port's interface.
  absl::Status EnterOutPort(int program, size_t port) const;
  // False: the kernel took the port out of the program's devmap, as it does when its interface goes
  // to another network namespace, from where it may have come back as it was.
  bool OutPortEntered(int program, size_t port) const;

  // Where the streams of `next` are to be, which goes on by `continued` (ContinuedRules) from the
  // policy in force: sets its rules' slots, and the streams of those that begin anew to packet 0.
  // Returns each port's XdpGeneration::Write `only`. Nothing of the policy in force is touched.
  // ResourceExhausted where there are too few free slots.
  absl::StatusOr<std::vector<uint32_t>> PlaceStreams(const std::vector<uint32_t>& continued,
                                                     CompiledPolicy* next);
  // `next`, placed so, is in force, and no frame meets the one before any more.
  void Commit(const std::vector<uint32_t>& continued, const std::vector<uint32_t>& only,
              CompiledPolicy next);

  // Pins every map in `folder`, which must be on a bpffs.
  absl::Status Pin(const std::string& folder) const;

 private:
  friend class XdpProgram;
  friend class XdpGeneration;
  struct Kernel;  // the skeleton object and the maps in memory
  XdpTables(CompiledPolicy policy, const std::vector<uint32_t>& queues);
  uint32_t QueueIndex(size_t port, uint32_t queue) const { return first_queue_[port] + queue; }
  const tp_xdp_queue& SharedQueue(size_t port, uint32_t queue) const;
  // What tp_constants has that is every policy's.
  void SetConstants(size_t port, tp_constants* constants) const;
  static void SetLive(const CompiledPolicy& policy, size_t port, uint32_t only_rule, tp_live* live);
  // Interfaces that are gone are left out, but for where `all` are to be there.
  absl::Status EnterOutPorts(const bpf_map* devmap, bool all) const;

  CompiledPolicy policy_;
  std::vector<uint32_t> queues_, first_queue_, out_ports_;
  std::vector<bool> xdp_tx_;
  uint32_t total_queues_ = 0;
  uint32_t slots_ = 0;  // of each queue
  std::vector<bool> slot_used_;
  std::vector<bool> sole_;           // by port
  std::vector<uint32_t> only_rule_;  // by port: as in tp_live
  RuleSnapshot retired_;
  uint64_t reloads_ = 0;
  FlowTableShape flows_;
  FileDescriptor flows_map_, flow_regions_map_;  // where a later policy made them
  bool clock_given_ = false;
  std::unique_ptr<Kernel> kernel_;
};

class XdpProgram {
 public:
  // How frames come: see bpf/twinpath.bpf.c.
  enum class Frames { kPlain, kFragments, kShared };

  // Loads the instance for `port`; `tables` must outlive it.
  static absl::StatusOr<XdpProgram> Load(const XdpTables& tables, size_t port, Frames frames);

  int fd() const { return fd_.get(); }

 private:
  explicit XdpProgram(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_BPF_OBJECT_H_
