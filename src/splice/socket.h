// SPDX-License-Identifier: BSD-3-Clause
// TCP sockets: made, asked and reset. None of these blocks. Any thread, a socket by one at a time.

#ifndef TWINPATH_SPLICE_SOCKET_H_
#define TWINPATH_SPLICE_SOCKET_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/splice/address.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath::splice {

struct SocketOptions {
  bool nodelay = true;                  // TCP_NODELAY (RFC 896, Nagle, off)
  std::optional<uint32_t> keepalive_s;  // probes after so much silence, and as often; nullopt: none
};

// Listens on `address`; an IPv6 wildcard takes IPv4, too. The error names the call and the address.
absl::StatusOr<FileDescriptor> Listen(const Address& address);

// The address a socket is bound to, or its peer's.
Address LocalAddress(int fd);
Address PeerAddress(int fd);

// Whether a connection to `target` comes to a socket of this host that listens on `listen`.
bool Reaches(const Address& target, const Address& listen);

// Starts to connect; it is done when the socket can be written, and then TakeError() says how it
// went. The error is errno's, as a positive number.
absl::StatusOr<FileDescriptor> StartConnect(const Address& address, int* error);

void ApplyOptions(int fd, const SocketOptions& options);

// What the socket's pending error was, 0 for none.
int TakeError(int fd);

// Makes close() send a reset and throw away what is queued.
void ResetOnClose(int fd);

// Tells the socket's reader, as if it had just come, of what waits to be read; nothing, if nothing
// does. (SO_RCVLOWAT is set to 1, which it is.)
void TellReaderAgain(int fd);

// Octets of payload that the socket's TCP has taken in order since it was made; the FIN, which
// tcpi_bytes_received counts once it has come, is not one of them.
uint64_t ReceivedOctets(int fd);

// Octets that the send queue took since the socket was made, besides a constant: what was
// acknowledged and what was not yet. Only before this end's FIN is sent. Never more than the truth:
// what is acknowledged between the two questions is missing for once.
uint64_t QueuedOctets(int fd);

// Octets (and the FIN) that the peer has not acknowledged.
uint32_t UnacknowledgedOctets(int fd);

// Memory in the send queue, in octets, and how much it may become.
struct SendQueue {
  uint64_t used = 0, allowed = 0;
};
SendQueue SendQueueOf(int fd);

// Sets what the send queue may become to twice `octets`, beyond net.core.wmem_max if this process
// may (CAP_NET_ADMIN), and wakes what waits for room in it. The kernel no longer tunes it then.
void SetSendBuffer(int fd, uint64_t octets);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_SOCKET_H_
