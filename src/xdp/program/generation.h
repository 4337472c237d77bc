// SPDX-License-Identifier: BSD-3-Clause
// A set of policy tables, and the programs that use it. There are two generations. A new policy is
// written to the generation that no queue uses, which then replaces the other one. A program is
// loaded when a policy first needs its tier, and then serves later policies, too. Control thread.

#ifndef TWINPATH_XDP_PROGRAM_GENERATION_H_
#define TWINPATH_XDP_PROGRAM_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/xdp/program/maps.h"
#include "src/xdp/program/out_ports.h"
#include "src/xdp/program/streams.h"

namespace twinpath {

// The kind of frames that a program receives: see bpf/twinpath.bpf.c.
enum class XdpFrames { kPlain, kFragments, kShared };

class XdpGeneration {
 public:
  // Creates tables for `policy`, with spare room if the maps are reloadable. `number`, 0 or 1, is
  // the number of this generation. `maps` and `out_ports` must outlive it.
  static absl::StatusOr<std::unique_ptr<XdpGeneration>> Create(const XdpMaps* maps,
                                                               const OutPorts* out_ports,
                                                               size_t number,
                                                               const CompiledPolicy& policy);
  ~XdpGeneration();

  // Whether the tables have room for `policy`. Also false if the policy needs a flow table and the
  // programs were loaded without one.
  bool Holds(const CompiledPolicy& policy) const;

  // Returns the descriptor of the cheapest program that can decide `policy` on `port` for this kind
  // of frames. `places` says where the policy's streams are. The generation owns the descriptor; it
  // is valid until the next call for another policy. Loads a program if the last one of this tier
  // has other traits (tp_traits). The verifier takes some tenths of a second for the general tier,
  // once, and milliseconds for the others.
  absl::StatusOr<int> Program(const CompiledPolicy& policy, size_t port, XdpFrames frames,
                              const StreamPlaces& places);

  // Writes `policy`, whose streams are in `places`, for all programs, including those loaded later.
  // No queue may run one of the programs meanwhile.
  void Write(const CompiledPolicy& policy, const StreamPlaces& places);
  // Sets the time from which conditions count: `now` in nanoseconds of the programs' clock. `whens`
  // is the number of conditions. Programs may run meanwhile.
  void SetOrigin(uint64_t now, size_t whens);

  // Lets every program use the port's interface after it changed.
  absl::Status EnterOutPort(size_t port) const;

  // Pins the tables in `folder`, which must be on a bpffs.
  absl::Status Pin(const std::string& folder) const;

 private:
  struct Loaded;
  explicit XdpGeneration(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_GENERATION_H_
