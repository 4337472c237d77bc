// SPDX-License-Identifier: BSD-3-Clause
// All kernel objects of one run: the shared maps, and two generations of tables and programs, one
// of which is current. Control thread, except where the parts allow other threads.

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
    bool clock_given = false;                   // conditions use XdpMaps::SetClock; starts at 0
    uint32_t completes = 0;                     // XdpMaps::SetCompletes
  };
  // Creates a run whose current policy is `policy`. Attaches nothing.
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
  // The generation of the current policy.
  XdpGeneration& generation() { return *generations_[streams_.generation()]; }
  // Sets the time from which conditions count: `now` in nanoseconds of the programs' clock.
  void SetOrigin(uint64_t now);

  // Lets all programs send frames for `port` by interface `index`.
  absl::Status EnterOutPort(size_t port, uint32_t index);
  // The program of the current policy for `port`: see XdpGeneration::Program.
  absl::StatusOr<int> Program(size_t port, XdpFrames frames);

  // The next policy while it is prepared.
  struct Next {
    CompiledPolicy policy;
    std::vector<uint32_t> continued;  // ContinuedRules
    std::vector<int> programs;        // by port
    StreamPlaces places;
  };
  // Finds places for the policy's streams, and loads programs for next->policy into the other
  // generation, for the kind of frames of each port. Fills in next->places and next->programs. The
  // verifier may take a second.
  absl::Status Load(const std::vector<XdpFrames>& frames, Next* next);
  // Writes the policy for its programs. The programs may be attached afterwards.
  void Write(const Next& next);
  // Makes next.policy the current one. No program of the previous policy may run any more.
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
