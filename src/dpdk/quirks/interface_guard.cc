// SPDX-License-Identifier: BSD-3-Clause
// Parent and child share a socket pair. The child stores the parent's messages; when the socket
// closes, the parent has ended. For each interface, the child listens at an abstract address, where
// the next program asks whether this one is running.

#include "src/dpdk/quirks/interface_guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/kernel/machine.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestClaim(5);
constexpr std::chrono::milliseconds kBetweenClaims(5);
constexpr char kAlive = '1';

// The name of the program that libxdp attaches for AF_XDP.
constexpr char kAfXdpProgram[] = "xsk_def_prog";

// A message from the parent to the child.
struct Message {
  uint32_t interface;  // its index, because its name may change
  uint32_t program;    // 0: not attached yet
};

// Detaches a program that libxdp attached just before the parent was killed, so that the parent
// could not report it.
void DetachUnreported(uint32_t interface) {
  auto xdp = ReadXdp(interface);
  if (xdp.ok() && xdp->program != 0 && XdpProgramName(xdp->program) == kAfXdpProgram)
    DetachXdp(interface, xdp->program).IgnoreError();
}

FileDescriptor Socket() { return FileDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// The address of one interface's guard, in this network namespace.
struct Address {
  explicit Address(uint32_t interface) {
    const std::string name = absl::StrCat(std::string(1, '\0'), "twinpath-guard-", interface);
    unix.sun_family = AF_UNIX;
    name.copy(unix.sun_path, sizeof(unix.sun_path));
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&unix); }
  sockaddr_un unix = {};
  socklen_t length = 0;
};

// Whether a guard at this address answers, so that its program runs.
bool OwnerRuns(const Address& address) {
  const FileDescriptor asks = Socket();
  char answer = 0;
  return connect(asks.get(), address.get(), address.length) == 0 &&
         read(asks.get(), &answer, 1) == 1;
}

// Returns a listening socket at the address. No descriptor, and *error, if the address is in use
// (EADDRINUSE) or another call fails.
FileDescriptor TryToClaim(const Address& address, int* error) {
  FileDescriptor claim = Socket();
  if (bind(claim.get(), address.get(), address.length) == 0 && listen(claim.get(), 8) == 0)
    return claim;
  *error = errno;
  return FileDescriptor();
}

// Claims an interface. Waits while the guard of a killed program still restores it. Returns no
// descriptor if a running program uses the interface.
FileDescriptor Claim(uint32_t interface) {
  const Address address(interface);
  const auto end = Clock::now() + kLongestClaim;
  int error = 0;
  do {
    if (FileDescriptor claim = TryToClaim(address, &error); claim.get() >= 0) return claim;
    if (error != EADDRINUSE || OwnerRuns(address)) break;
    std::this_thread::sleep_for(kBetweenClaims);
  } while (Clock::now() < end);
  return FileDescriptor();
}

}  // namespace

absl::StatusOr<InterfaceGuard> InterfaceGuard::Fork(const std::vector<uint32_t>& interfaces) {
  std::map<uint32_t, FileDescriptor> claims;
  for (const uint32_t interface : std::set<uint32_t>(interfaces.begin(), interfaces.end()))
    if (FileDescriptor claim = Claim(interface); claim.get() >= 0)
      claims.emplace(interface, std::move(claim));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return absl::ErrnoToStatus(errno, "socketpair");
  const bool pins_there = access(kLibxdpPins, F_OK) == 0;
  pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return absl::ErrnoToStatus(error, "fork");
  }
  close(ends[child == 0 ? 1 : 0]);
  InterfaceGuard guard(ends[child == 0 ? 0 : 1], child);
  guard.had_pins_ = pins_there;
  if (child == 0) guard.claims_ = std::move(claims);
  return guard;
}

InterfaceGuard::~InterfaceGuard() {
  if (socket_ >= 0) close(socket_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

// Detaches from the parent's terminal, session and files.
void InterfaceGuard::Daemonize() const {
  prctl(PR_SET_NAME, "tp-guard");
  setsid();
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  int null = open("/dev/null", O_RDWR);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  std::set<unsigned> keep = {static_cast<unsigned>(socket_)};
  for (const auto& [interface, claim] : claims_) keep.insert(static_cast<unsigned>(claim.get()));
  unsigned from = 3;
  for (const unsigned fd : keep) {
    if (fd > from) close_range(from, fd - 1, 0);
    from = fd + 1;
  }
  close_range(from, ~0u, 0);
}

// Answers a program that asks whether the parent is running.
void InterfaceGuard::Answer(const FileDescriptor& claim) const {
  const FileDescriptor asker(accept4(claim.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (asker.get() < 0) return;
  send(asker.get(), &kAlive, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Reads a message of the parent. False: the parent has ended.
bool InterfaceGuard::ReadMessage() {
  Message message;
  const ssize_t n = read(socket_, &message, sizeof(message));
  if (n != sizeof(message)) return n > 0 || (n < 0 && errno == EINTR);
  Attached& attached = attached_[message.interface];
  attached.expects_more = message.program == 0;
  if (!attached.expects_more) attached.programs.insert(message.program);
  // An interface that came back has a new index, so it is not claimed yet.
  int error = 0;
  if (claims_.count(message.interface) != 0) return true;
  if (FileDescriptor claim = TryToClaim(Address(message.interface), &error); claim.get() >= 0)
    claims_.emplace(message.interface, std::move(claim));
  return true;
}

// Detaches the programs that the parent reported. The PMD may have detached them already.
void InterfaceGuard::Restore() const {
  for (const auto& [interface, attached] : attached_) {
    for (const uint32_t program : attached.programs) DetachXdp(interface, program).IgnoreError();
    if (attached.expects_more && claims_.count(interface) != 0) DetachUnreported(interface);
  }
  // If the folder stays, libxdp fails for other users. rmdir removes it only if it is empty.
  if (!had_pins_) rmdir(kLibxdpPins);
}

void InterfaceGuard::Watch() {
  Daemonize();
  for (bool alive = true; alive;) {
    std::vector<pollfd> polled = {{.fd = socket_, .events = POLLIN, .revents = 0}};
    for (const auto& [interface, claim] : claims_)
      polled.push_back({.fd = claim.get(), .events = POLLIN, .revents = 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    // The parent's socket comes first, so that no program hears that a dead parent is running.
    if (polled[0].revents != 0) {
      alive = ReadMessage();
      continue;
    }
    size_t at = 1;
    for (const auto& [interface, claim] : claims_)
      if (polled[at++].revents != 0) Answer(claim);
  }
  Restore();
}

void InterfaceGuard::Report(uint32_t interface, uint32_t program) {
  const Message message = {.interface = interface, .program = program};
  // If the guard has ended, this fails, and only the PMD restores the interface.
  send(socket_, &message, sizeof(message), MSG_NOSIGNAL);
}

}  // namespace twinpath
