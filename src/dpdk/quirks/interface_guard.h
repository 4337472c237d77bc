// SPDX-License-Identifier: BSD-3-Clause
// A second process that restores kernel interfaces however the first one ends. libxdp, which the
// AF_XDP PMD uses, attaches its program by netlink: the program outlives a killed process. A
// bpf_link of ours cannot take its place, because libxdp accepts no program that it did not load.

#ifndef TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_
#define TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

class InterfaceGuard {
 public:
  // Forks; to be called while the process has one thread. Returns in both processes; the child then
  // calls Watch and ends. Claims the interfaces, which are given by their numbers, first: where the
  // guard of a killed program still restores one, waits for it for at most 5 s. Does not wait for
  // an interface whose program is running.
  static absl::StatusOr<InterfaceGuard> Fork(const std::vector<uint32_t>& interfaces);
  // In the parent: lets the child finish, and waits for it.
  ~InterfaceGuard();
  InterfaceGuard(InterfaceGuard&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        child_(std::exchange(other.child_, -1)),
        had_pins_(other.had_pins_),
        claims_(std::move(other.claims_)) {}
  InterfaceGuard& operator=(InterfaceGuard&&) = delete;

  bool in_child() const { return child_ == 0; }

  // The child's main function: returns when the parent has ended and the interfaces are restored.
  void Watch();

  // Announces that libxdp is about to attach a program to `interface`, which has none. Parent.
  void Expect(uint32_t interface) { Tell(interface, 0); }
  // Announces that the program is attached, by its id. Parent.
  void Protect(uint32_t interface, uint32_t program) { Tell(interface, program); }

 private:
  InterfaceGuard(int socket, pid_t child) : socket_(socket), child_(child) {}
  void Tell(uint32_t interface, uint32_t program);
  void Withdraw() const;
  bool Hear();
  void Restore() const;
  void Answer(const FileDescriptor& claim) const;

  int socket_;
  pid_t child_;
  bool had_pins_ = false;  // the folder that libxdp creates existed before
  // By interface: a listening socket with a name that only one process of the network namespace can
  // have.
  std::map<uint32_t, FileDescriptor> claims_;
  // What the parent told of an interface.
  struct Told {
    std::set<uint32_t> programs;
    bool expects = false;  // one more, whose id is still to come
  };
  std::map<uint32_t, Told> told_;  // by interface
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_
