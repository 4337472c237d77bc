// SPDX-License-Identifier: BSD-3-Clause
// An instance of the programs that take one policy after the other: verified once, its tables are
// written while no frame meets it. Two of them take turns. Control thread.

#ifndef TWINPATH_XDP_PROGRAM_GENERATION_H_
#define TWINPATH_XDP_PROGRAM_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile/compile.h"
#include "src/xdp/program/bpf_object.h"

namespace twinpath {

class XdpGeneration {
 public:
  // Loads a program a port, for frames that come as `frames` says; `tables` must outlive it. There
  // is room for `policy` and for some larger ones; a table of flows is made in `tables` if the
  // policy is the first that needs one, of `flow_memory` octets. The verifier takes some tenths of
  // a second for each port.
  static absl::StatusOr<std::unique_ptr<XdpGeneration>> Load(
      XdpTables* tables, const CompiledPolicy& policy,
      const std::vector<XdpProgram::Frames>& frames, uint64_t flow_memory);
  ~XdpGeneration();

  // Whether it has room for `policy`.
  bool Holds(const CompiledPolicy& policy) const;
  // Makes `policy`, whose streams are placed, what the programs go by; `only` by port, as in
  // tp_live. No frame may meet them meanwhile.
  void Write(const CompiledPolicy& policy, const std::vector<uint32_t>& only);
  // Of the port's program.
  int fd(size_t port) const;

 private:
  struct Loaded;
  explicit XdpGeneration(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_GENERATION_H_
