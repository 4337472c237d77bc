// SPDX-License-Identifier: BSD-3-Clause
// A TCP endpoint: an IPv4 or IPv6 address and a port. Plain value; any thread.

#ifndef TWINPATH_SPLICE_ADDRESS_H_
#define TWINPATH_SPLICE_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace twinpath::splice {

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  // Host byte order.
  uint16_t port() const;
  // 0.0.0.0 or ::.
  bool any() const;
  // "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80". An IPv4 address mapped into IPv6 is shown as
  // IPv4.
  std::string text() const;
};

// Reads "127.0.0.1:80", "[::1]:80" or "[fe80::1%eth0]:80": numbers only, no names, so that starting
// never waits for a resolver. `option` ("--to") is named in the error, which is InvalidArgument.
// Port 0 is allowed where `any_port` says so: the kernel chooses one.
absl::StatusOr<Address> ParseAddress(const std::string& option, const std::string& text,
                                     bool any_port = false);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_ADDRESS_H_
