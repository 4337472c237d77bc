// SPDX-License-Identifier: BSD-3-Clause
// What one run of the XDP programs has in the kernel: the maps that are shared, and two generations
// of tables and programs over them, of which one is in force. Control thread, but for what the
// parts themselves allow.

#ifndef TWINPATH_XDP_PROGRAM_RUN_H_
#define TWINPATH_XDP_PROGRAM_RUN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/xdp/program/counters.h"
#include "src/xdp/program/generation.h"
#include "src/xdp/program/maps.h"
#include "src/xdp/program/out_ports.h"
#include "src/xdp/program/streams.h"

namespace twinpath {

class XdpRun {
 public:
  struct Options {
    std::vector<uint32_t> queues;               // RX queues of each of the policy's ports
    uint64_t flow_memory = kDefaultFlowMemory;  // bytes, for the first policy that needs flows
    bool reloadable = false;                    // other policies may follow
    bool clock_given = false;                   // conditions use XdpMaps::SetClock, from 0 on
  };
  // `policy` is in force, and runs nowhere yet.
  static absl::StatusOr<std::unique_ptr<XdpRun>> Create(CompiledPolicy policy, OutPorts out_ports,
                                                        const Options& options);
  XdpRun(const XdpRun&) = delete;
  XdpRun& operator=(const XdpRun&) = delete;

  const CompiledPolicy& policy() const { return streams_.policy(); }
  XdpMaps& maps() { return *maps_; }
  const XdpMaps& maps() const { return *maps_; }
  OutPorts& out_ports() { return out_ports_; }
  const OutPorts& out_ports() const { return out_ports_; }
  const XdpStreams& streams() const { return streams_; }
  const XdpCounters& counters() const { return counters_; }
  // Of the policy in force.
  XdpGeneration& generation() { return *generations_[streams_.generation()]; }
  void SetOrigin(uint64_t now);

  // Frames that leave by `port` go out of interface `index` from now on, from every program.
  absl::Status EnterOutPort(size_t port, uint32_t index);
  // The program of the policy in force for `port`: see XdpGeneration::Program.
  absl::StatusOr<int> Program(size_t port, XdpFrames frames);

  // A policy that is going to be in force.
  struct Next {
    CompiledPolicy policy;
    std::vector<uint32_t> continued;  // ContinuedRules
    std::vector<int> programs;        // by port
    StreamPlaces places;
  };
  // Places the policy's streams, and loads, into the generation that is not in force, programs that
  // can run next->policy, for frames that come to each port so; fills in next->places and
  // next->programs. The verifier may take a second.
  absl::Status Load(const std::vector<XdpFrames>& frames, Next* next);
  // Writes the policy to where its programs read it. After this, the programs may be attached.
  void Write(const Next& next);
  // next->policy is in force, and no program of the policy before runs any more.
  void Commit(Next next);

 private:
  absl::Status Place(Next* next);
  XdpRun(std::unique_ptr<XdpMaps> maps, OutPorts out_ports, uint64_t flow_memory);

  std::unique_ptr<XdpMaps> maps_;
  OutPorts out_ports_;
  const uint64_t flow_memory_;
  XdpStreams streams_;
  XdpCounters counters_;
  std::unique_ptr<XdpGeneration> generations_[TP_GENERATIONS];
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_RUN_H_
