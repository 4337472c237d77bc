// SPDX-License-Identifier: BSD-3-Clause
// TCP socket calls. None of them blocks. Any thread; one thread at a time per socket.

#ifndef TWINPATH_SPLICE_CONNECT_SOCKET_H_
#define TWINPATH_SPLICE_CONNECT_SOCKET_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/splice/connect/address.h"

namespace twinpath::splice {

struct SocketOptions {
  bool nodelay = true;  // TCP_NODELAY: Nagle's algorithm (RFC 896) off
  // Silence before the first keepalive probe and between probes, in seconds; nullopt: no probes.
  std::optional<uint32_t> keepalive_s;
};

// Listens on `address`. An IPv6 wildcard accepts IPv4, too. The error names the failed call and the
// address.
absl::StatusOr<FileDescriptor> Listen(const Address& address);

// The address that a socket is bound to, and its peer's. Empty if the kernel gives none.
Address LocalAddress(int fd);
Address PeerAddress(int fd);

// Whether a connection to `target` would be accepted by a socket of this host that listens on
// `listen`.
bool IsAcceptedBy(const Address& target, const Address& listen);

// Whether a connected socket is its own peer. A connect() to a local port within the ephemeral
// range can choose the same port as its source. If no socket listens there, the kernel treats it as
// a simultaneous open (RFC 9293, section 3.5) and connects the socket to itself.
bool IsConnectedToItself(int fd);

// Starts to connect to `address`; looks up its zone first. The attempt is finished when the socket
// becomes writable; TakeError() then returns its result. On failure *error is an errno value;
// ENODEV: the zone's interface does not exist.
absl::StatusOr<FileDescriptor> StartConnect(const Address& address, int* error);

void ApplyOptions(int fd, const SocketOptions& options);

// Returns and clears the socket's pending error: an errno value, 0 for none.
int TakeError(int fd);

// Makes close() send a reset and discard queued bytes.
void ResetOnClose(int fd);

// Makes the kernel report waiting input again, as if it had just arrived. Does nothing if no input
// waits. (Sets SO_RCVLOWAT to 1, which is its current value.)
void RepeatReadEvent(int fd);

// Payload bytes that the socket's TCP has received in order since the socket was created, without
// the FIN. (tcpi_bytes_received counts the FIN.)
uint64_t ReceivedBytes(int fd);

// Bytes that the send queue has taken since the socket was created, acknowledged or not, plus a
// constant. Valid until this end's FIN is sent. The result may be too low but never too high: bytes
// that are acknowledged between the two system calls are missed.
uint64_t QueuedBytes(int fd);

// Bytes that the peer has not acknowledged. Includes the FIN.
uint32_t UnacknowledgedBytes(int fd);

// Memory that the send queue uses, in bytes.
uint64_t SendQueueMemory(int fd);

// Lets the send queue use twice `bytes` of memory, and wakes writers that wait for room in it. With
// CAP_NET_ADMIN it may exceed net.core.wmem_max. Turns off the kernel's own tuning.
void SetSendBuffer(int fd, uint64_t bytes);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECT_SOCKET_H_
