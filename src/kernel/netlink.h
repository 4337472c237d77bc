// SPDX-License-Identifier: BSD-3-Clause
// The part of netlink(7) that the programs need: one request and its answers, in the calling
// thread's network namespace. Any thread.

#ifndef TWINPATH_KERNEL_NETLINK_H_
#define TWINPATH_KERNEL_NETLINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace twinpath {

// A netlink request, built from front to back. All numbers are in host byte order.
class NetlinkMessage {
 public:
  // `flags` are NLM_F_*. They must include NLM_F_ACK or NLM_F_DUMP, or Request never ends.
  NetlinkMessage(uint16_t type, uint16_t flags);

  // Appends raw bytes, padded to netlink's alignment of 4.
  void Append(const void* data, size_t size);
  void Attribute(uint16_t type, const std::string& text);  // with its closing NUL
  void Attribute(uint16_t type, uint32_t value);

  // Open begins a nested attribute, and Close ends it. `start` is the value that Open returned.
  size_t Open(uint16_t type);
  void Close(size_t start);

  // Sends the request on a socket of `protocol` (NETLINK_ROUTE, ...) and calls `on_answer` with
  // every answer, without its nlmsghdr. Returns the kernel's errno: 0 on success.
  int Request(int protocol, const std::function<void(const uint8_t*, size_t)>& on_answer);

 private:
  void Attribute(uint16_t type, const void* data, size_t size);
  void Close(size_t start, size_t size);

  std::vector<uint8_t> bytes_;
};

// Calls `visit(type, data, length)` for every attribute in the `size` bytes at `data`; `type` is
// without the NLA_F_* flags. Stops at an attribute that is cut short.
void ForEachAttribute(const uint8_t* data, size_t size,
                      const std::function<void(uint16_t, const uint8_t*, size_t)>& visit);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_NETLINK_H_
