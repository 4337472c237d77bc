// SPDX-License-Identifier: BSD-3-Clause
// A second process that gives kernel interfaces back as they were, whatever way the first one ends.
// libxdp, beneath the AF_XDP PMD, attaches its program by netlink: that, like promiscuous mode,
// outlives a killed process, and no bpf_link of ours can take its place, for libxdp accepts no
// program that it did not load.

#ifndef TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_
#define TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class InterfaceGuard {
 public:
  // Forks: to be called while the process has one thread. Returns in both processes; the child is
  // to call Watch and to end. Claims the interfaces before: where a program that had one was
  // killed, and its guard is not done yet, waits for that, for five seconds at the most. An
  // interface whose program lives on is not waited for.
  static absl::StatusOr<InterfaceGuard> Fork(const std::vector<std::string>& interfaces);
  // In the parent: lets the child do what is left to do, and waits for it.
  ~InterfaceGuard();
  InterfaceGuard(InterfaceGuard&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        child_(std::exchange(other.child_, -1)),
        pins_there_(other.pins_there_),
        claims_(std::move(other.claims_)) {}
  InterfaceGuard& operator=(InterfaceGuard&&) = delete;

  bool in_child() const { return child_ == 0; }

  // The child's life: returns when the parent is gone and its interfaces are clean.
  void Watch();

  // The parent's word that `interface`, which carries no XDP program, is about to be given one by
  // libxdp, and is made promiscuous for it only.
  void Expect(const std::string& interface, bool promiscuous) { Tell(interface, 0, promiscuous); }
  // That it is done, and which program it is.
  void Protect(const std::string& interface, uint32_t program, bool promiscuous) {
    Tell(interface, program, promiscuous);
  }

 private:
  InterfaceGuard(int socket, pid_t child) : socket_(socket), child_(child) {}
  void Tell(const std::string& interface, uint32_t program, bool promiscuous);
  void Withdraw() const;
  void Answer(const FileDescriptor& claim) const;

  int socket_;
  pid_t child_;
  bool pins_there_ = false;  // the folder that libxdp makes was there before
  // By interface: a listening socket of a name that only one process of the network namespace can
  // have.
  std::map<std::string, FileDescriptor> claims_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_
