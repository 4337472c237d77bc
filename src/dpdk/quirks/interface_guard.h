// SPDX-License-Identifier: BSD-3-Clause
// A second process that restores kernel interfaces, however the first one ends. libxdp, which the
// AF_XDP PMD uses, attaches its program by netlink, so the program outlives a killed process. Our
// own bpf_link is no alternative, because libxdp accepts only programs that it has loaded itself.

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
  // Claims the interfaces (given by index), then forks. Call it while the process has one thread.
  // Returns in both processes; the child must call Watch and then end. If the guard of a killed
  // program still restores an interface, waits for that guard for at most 5 s. Does not wait for a
  // running program.
  static absl::StatusOr<InterfaceGuard> Fork(const std::vector<uint32_t>& interfaces);
  // In the parent: tells the child to finish, and waits for it.
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
  void Expect(uint32_t interface) { Report(interface, 0); }
  // Announces that the program with this id is attached. Parent.
  void Protect(uint32_t interface, uint32_t program) { Report(interface, program); }

 private:
  InterfaceGuard(int socket, pid_t child) : socket_(socket), child_(child) {}
  void Report(uint32_t interface, uint32_t program);
  void Daemonize() const;
  bool ReadMessage();
  void Restore() const;
  void Answer(const FileDescriptor& claim) const;

  int socket_;
  pid_t child_;
  bool had_pins_ = false;  // the folder that libxdp creates already existed
  // By interface: a listening socket at an address that only one process of the network namespace
  // can have.
  std::map<uint32_t, FileDescriptor> claims_;
  // The programs that the parent reported for an interface.
  struct Attached {
    std::set<uint32_t> programs;
    bool expects_more = false;  // libxdp may have attached one whose id was not reported yet
  };
  std::map<uint32_t, Attached> attached_;  // by interface
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_INTERFACE_GUARD_H_
