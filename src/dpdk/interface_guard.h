// SPDX-License-Identifier: BSD-3-Clause
// A second process that gives kernel interfaces back as they were, whatever way the first one ends.
// libxdp, beneath the AF_XDP PMD, attaches its program by netlink: that, like promiscuous mode,
// outlives a killed process, and no bpf_link of ours can take its place, for libxdp accepts no
// program that it did not load.

#ifndef TWINPATH_DPDK_INTERFACE_GUARD_H_
#define TWINPATH_DPDK_INTERFACE_GUARD_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace twinpath {

class InterfaceGuard {
 public:
  // Forks: to be called while the process has one thread. Returns in both processes; the child is
  // to call Watch and to end.
  static absl::StatusOr<InterfaceGuard> Fork();
  // In the parent: lets the child do what is left to do, and waits for it.
  ~InterfaceGuard();
  InterfaceGuard(InterfaceGuard&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), child_(std::exchange(other.child_, -1)) {}
  InterfaceGuard& operator=(InterfaceGuard&&) = delete;

  bool in_child() const { return child_ == 0; }

  // The child's life: returns when the parent is gone and its interfaces are clean.
  void Watch();

  // The parent's word that `interface` carries its XDP program `program`, and is promiscuous for it
  // only.
  void Protect(const std::string& interface, uint32_t program, bool promiscuous);

 private:
  InterfaceGuard(int socket, pid_t child) : socket_(socket), child_(child) {}
  int socket_;
  pid_t child_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_INTERFACE_GUARD_H_
