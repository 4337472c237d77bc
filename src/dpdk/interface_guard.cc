// SPDX-License-Identifier: BSD-3-Clause
// Parent and child share a socket pair: what the parent says is remembered, and when its end closes
// it is gone.

#include "src/dpdk/interface_guard.h"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "src/dpdk/xdp_state.h"

namespace twinpath {
namespace {

// One message.
struct Protected {
  char interface[IFNAMSIZ];
  uint32_t program;
  uint32_t promiscuous;
};

void ClearPromiscuous(const char* interface) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ifreq request = {};
  std::string(interface).copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_PROMISC) {
    request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_PROMISC);
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  close(fd);
}

// Leaves the parent's terminal, session and files alone.
void Withdraw(int keep) {
  prctl(PR_SET_NAME, "tp-guard");
  setsid();
  signal(SIGHUP, SIG_IGN);
  int null = open("/dev/null", O_RDWR);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (keep > 3) close_range(3, static_cast<unsigned>(keep) - 1, 0);
  close_range(static_cast<unsigned>(keep) + 1, ~0u, 0);
}

}  // namespace

absl::StatusOr<InterfaceGuard> InterfaceGuard::Fork() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return absl::ErrnoToStatus(errno, "socketpair");
  pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return absl::ErrnoToStatus(error, "fork");
  }
  close(ends[child == 0 ? 1 : 0]);
  return InterfaceGuard(ends[child == 0 ? 0 : 1], child);
}

InterfaceGuard::~InterfaceGuard() {
  if (socket_ >= 0) close(socket_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

void InterfaceGuard::Watch() {
  Withdraw(socket_);
  std::vector<Protected> all;
  Protected one;
  for (ssize_t n; (n = read(socket_, &one, sizeof(one))) != 0;) {
    if (n == sizeof(one)) all.push_back(one);
    if (n < 0 && errno != EINTR) break;
  }
  for (const Protected& it : all) {
    DetachXdp(it.interface, it.program).IgnoreError();  // gone already, by the PMD's hand
    if (it.promiscuous) ClearPromiscuous(it.interface);
  }
}

void InterfaceGuard::Protect(const std::string& interface, uint32_t program, bool promiscuous) {
  Protected one = {.interface = {}, .program = program, .promiscuous = promiscuous};
  interface.copy(one.interface, IFNAMSIZ - 1);
  // A guard that is gone cannot be told; the interface is then cleaned by the PMD alone.
  send(socket_, &one, sizeof(one), MSG_NOSIGNAL);
}

}  // namespace twinpath
