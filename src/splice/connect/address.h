// SPDX-License-Identifier: BSD-3-Clause
// A TCP endpoint: an IPv4 or IPv6 address, a port and, for IPv6, a zone. Plain value; any thread.

#ifndef TWINPATH_SPLICE_CONNECT_ADDRESS_H_
#define TWINPATH_SPLICE_CONNECT_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath::splice {

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  // The name of the interface that a link-local address belongs to, as given ("eth0"). Empty: none,
  // or the address is from the kernel. `storage` has the index of the interface when the text was
  // parsed. An interface that is deleted and created again has a new index, so StartConnect looks
  // up the name each time.
  std::string zone;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  // Host byte order.
  uint16_t port() const;
  // Whether this is 0.0.0.0 or ::.
  bool IsWildcard() const;
  // "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80". An IPv4 address mapped into IPv6 is printed as
  // IPv4.
  std::string text() const;
};

// Parses "127.0.0.1:80", "[::1]:80" or "[fe80::1%eth0]:80". Names are not resolved, so that a start
// never waits for a resolver. A link-local address (fe80::/10, RFC 4291 section 2.5.6) needs a
// zone. Errors are InvalidArgument and begin with `option` ("--to"). Port 0, for which the kernel
// chooses a port, is accepted only if `allow_port_0`.
absl::StatusOr<Address> ParseAddress(const std::string& option, const std::string& text,
                                     bool allow_port_0 = false);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_CONNECT_ADDRESS_H_
