// SPDX-License-Identifier: BSD-3-Clause
// A set of policy tables with the programs over it. Two generations take turns: the one that no
// queue runs is given the next policy, and then takes the other's place. A program is loaded, and
// verified, when a policy first needs its tier, and takes one policy after the other. Control
// thread.

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

// How frames come: see bpf/twinpath.bpf.c.
enum class XdpFrames { kPlain, kFragments, kShared };

class XdpGeneration {
 public:
  // Tables for `policy`, and for somewhat larger ones where the maps are reloadable. `number` is
  // the generation's, 0 or 1. `maps` and `out_ports` must outlive it.
  static absl::StatusOr<std::unique_ptr<XdpGeneration>> Create(const XdpMaps* maps,
                                                               const OutPorts* out_ports,
                                                               size_t number,
                                                               const CompiledPolicy& policy);
  ~XdpGeneration();

  // Whether the tables have room for `policy`, and its programs know a table of flows if the policy
  // needs one.
  bool Holds(const CompiledPolicy& policy) const;

  // The program that decides `policy`, whose streams lie in `places`, on `port`, for frames that
  // come so: the cheapest one that can. Its descriptor is the generation's, and is valid until
  // another policy's program is asked for. Loads the program if the one loaded last for this tier
  // has other traits (tp_traits). The general tier takes the verifier some tenths of a second,
  // once; the others take milliseconds.
  absl::StatusOr<int> Program(const CompiledPolicy& policy, size_t port, XdpFrames frames,
                              const StreamPlaces& places);

  // Writes `policy`, whose streams lie in `places`, for all programs, those loaded later included.
  // No queue may run one of them meanwhile.
  void Write(const CompiledPolicy& policy, const StreamPlaces& places);
  // The times of the conditions, `whens` of them, count from `now`, in nanoseconds of the programs'
  // clock. Programs may run.
  void SetOrigin(uint64_t now, size_t whens);

  // Lets every program send frames out of the port's interface, which changed.
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
