// SPDX-License-Identifier: BSD-3-Clause
// Keeps what an interface receives from the kernel's own stack, while a program that taps the
// interface (packet(7)) decides what becomes of it, and lets the program hand single frames to the
// stack after all. A program of the classifier at the interface's ingress drops every frame that
// does not carry the guard's mark; a tap gets its copy before. Another one at its egress takes a
// frame that a socket with this mark (SO_MARK) sends by the interface, and lets the interface
// receive it. Control thread.

#ifndef TWINPATH_KERNEL_LINK_STACK_GUARD_H_
#define TWINPATH_KERNEL_LINK_STACK_GUARD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/classifier_program.h"

namespace twinpath {

// How the programs are attached.
enum class GuardBy {
  kAuto,    // by links where the kernel has them, else by filters
  kLinks,   // the kernel detaches them when the process ends, in whatever way (since 6.6)
  kFilters  // those of a killed process stay, and drop everything, until the next Hold
};

class StackGuard {
 public:
  // Of no interface.
  StackGuard() = default;
  // Guards the interface with this number. `port` names it in errors. Removes what a killed process
  // left of an earlier guard. FailedPrecondition: another process guards the interface.
  static absl::StatusOr<StackGuard> Hold(uint32_t index, const std::string& port,
                                         GuardBy by = GuardBy::kAuto);
  StackGuard(StackGuard&& other) noexcept { *this = std::move(other); }
  StackGuard& operator=(StackGuard&& other) noexcept;
  // The interface's stack receives again.
  ~StackGuard();

  // The mark of frames that are for the stack; not 0. A tap must not take them.
  uint32_t mark() const { return mark_; }
  bool by_filters() const { return filters_; }
  // A program that the kernel runs before the guard's, and that may end the chain.
  std::optional<ClassifierProgram> Preceded() const;

 private:
  absl::Status Attach(GuardBy by);
  FileDescriptor lock_;  // a socket: one guard for each interface
  FileDescriptor ingress_, egress_;
  uint32_t index_ = 0;  // 0: no interface
  uint32_t mark_ = 0;
  bool filters_ = false, own_clsact_ = false;
};

// Whether filters of a guard are on the interface that no process holds: what a killed process
// left. Reads only.
bool GuardLeftBehind(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_STACK_GUARD_H_
