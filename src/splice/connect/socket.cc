// SPDX-License-Identifier: BSD-3-Clause
// TCP socket calls.

#include "src/splice/connect/socket.h"

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "absl/strings/str_cat.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

namespace twinpath::splice {
namespace {

// TCP states, as in the kernel's <net/tcp_states.h>. User space has them in <netinet/tcp.h>, which
// conflicts with <linux/tcp.h>.
constexpr uint8_t kTimeWait = 6, kClose = 7, kCloseWait = 8, kLastAck = 9, kClosing = 11;

absl::Status CallError(const char* call, const Address& address, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("--listen: ", call, " ", address.text(), ": ", std::strerror(error)));
}

void Set(int fd, int level, int option, int value) {
  // This fails on a socket that is closing, when options do not matter any more.
  static_cast<void>(setsockopt(fd, level, option, &value, sizeof(value)));
}

tcp_info TcpInfo(int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  static_cast<void>(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
  return info;
}

// Updates the index of the address's zone, if it has one. False with errno set: ENODEV if no
// interface has the zone's name. Uses `fd` for the ioctl, so that no other descriptor is needed.
bool LookUpZone(int fd, Address* address) {
  if (address->zone.empty()) return true;
  ifreq request = {};
  address->zone.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  if (ioctl(fd, SIOCGIFINDEX, &request)) return false;
  reinterpret_cast<sockaddr_in6*>(&address->storage)->sin6_scope_id =
      static_cast<uint32_t>(request.ifr_ifindex);
  return true;
}

}  // namespace

absl::StatusOr<FileDescriptor> Listen(const Address& address) {
  FileDescriptor fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return CallError("socket", address, errno);
  Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) Set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd.get(), address.get(), address.size)) return CallError("bind", address, errno);
  // Accepted sockets inherit this option, so an urgent byte stays in the stream even if it arrives
  // before accept().
  Set(fd.get(), SOL_SOCKET, SO_OOBINLINE, 1);
  if (listen(fd.get(), SOMAXCONN)) return CallError("listen", address, errno);
  return fd;
}

Address LocalAddress(int fd) {
  Address address;
  address.size = sizeof(address.storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size)) return {};
  return address;
}

Address PeerAddress(int fd) {
  Address address;
  address.size = sizeof(address.storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size)) return {};
  return address;
}

bool IsAcceptedBy(const Address& target, const Address& listen) {
  if (target.port() != listen.port()) return false;
  if (target.text() == listen.text()) return true;
  // A connect() to 0.0.0.0 or :: goes to loopback.
  if (target.IsWildcard()) {
    const char* loopback = target.family() == AF_INET ? "127.0.0.1:" : "[::1]:";
    return listen.text() == absl::StrCat(loopback, listen.port()) ||
           (listen.IsWildcard() && (target.family() == AF_INET || listen.family() == AF_INET6));
  }
  if (!listen.IsWildcard() || (listen.family() == AF_INET && target.family() == AF_INET6))
    return false;
  // If a socket can be bound to the address, it belongs to this host.
  Address local = target;
  reinterpret_cast<sockaddr_in*>(&local.storage)->sin_port = 0;
  const FileDescriptor fd(socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd.get() >= 0 && bind(fd.get(), local.get(), local.size) == 0;
}

bool IsConnectedToItself(int fd) {
  const Address local = LocalAddress(fd), peer = PeerAddress(fd);
  return peer.size != 0 && local.port() == peer.port() && local.text() == peer.text();
}

absl::StatusOr<FileDescriptor> StartConnect(const Address& address, int* error) {
  *error = 0;
  FileDescriptor fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Address now = address;
  if (fd.get() >= 0 && LookUpZone(fd.get(), &now)) {
    Set(fd.get(), SOL_SOCKET, SO_OOBINLINE, 1);
    if (connect(fd.get(), now.get(), now.size) == 0 || errno == EINPROGRESS) return fd;
  }
  *error = errno;
  return absl::UnavailableError(std::strerror(*error));
}

void ApplyOptions(int fd, const SocketOptions& options) {
  if (options.nodelay) Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!options.keepalive_s.has_value()) return;
  Set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(*options.keepalive_s));
  Set(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(*options.keepalive_s));
}

int TakeError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size)) return errno;
  return error;
}

void ResetOnClose(int fd) {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
}

void RepeatReadEvent(int fd) { Set(fd, SOL_SOCKET, SO_RCVLOWAT, 1); }

uint64_t ReceivedBytes(int fd) {
  const tcp_info info = TcpInfo(fd);
  const uint8_t state = info.tcpi_state;
  const bool fin = state == kTimeWait || state == kClose || state == kCloseWait ||
                   state == kLastAck || state == kClosing;
  return info.tcpi_bytes_received - (fin && info.tcpi_bytes_received != 0 ? 1 : 0);
}

uint64_t QueuedBytes(int fd) {
  // The order matters: a byte that is acknowledged in between is missed, but not counted twice.
  const uint64_t acknowledged = TcpInfo(fd).tcpi_bytes_acked;
  return acknowledged + UnacknowledgedBytes(fd);
}

uint32_t UnacknowledgedBytes(int fd) {
  int bytes = 0;
  if (ioctl(fd, SIOCOUTQ, &bytes) || bytes < 0) return 0;
  return static_cast<uint32_t>(bytes);
}

uint64_t SendQueueMemory(int fd) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof(memory);
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size)) return 0;
  return memory[SK_MEMINFO_WMEM_QUEUED];
}

void SetSendBuffer(int fd, uint64_t bytes) {
  const int value = static_cast<int>(std::min<uint64_t>(bytes, INT_MAX / 2));
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &value, sizeof(value)))
    Set(fd, SOL_SOCKET, SO_SNDBUF, value);
}

}  // namespace twinpath::splice
