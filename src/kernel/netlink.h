// SPDX-License-Identifier: BSD-3-Clause
// As much of netlink as this path asks of the kernel: one request, its answers, its end.

#ifndef TWINPATH_KERNEL_NETLINK_H_
#define TWINPATH_KERNEL_NETLINK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace twinpath::xdp {

// A netlink request, put together from front to back. All numbers in the host's octet order.
class NetlinkMessage {
 public:
  // `flags` are NLM_F_*; NLM_F_ACK must be among them for Request to find the end.
  NetlinkMessage(uint16_t type, uint16_t flags);

  // Raw octets, padded to netlink's alignment of 4.
  void Append(const void* data, size_t size);
  void Attribute(uint16_t type, const std::string& text);  // with its closing NUL
  void Attribute(uint16_t type, uint32_t value);

  // An attribute of attributes: everything from Open to Close, which takes what Open returned.
  size_t Open(uint16_t type);
  void Close(size_t start);

  // Sends it to the kernel by a socket of `protocol` (NETLINK_ROUTE, ...), gives `on_answer` every
  // answer without its nlmsghdr, and returns the errno the kernel ended with: 0 if it did as asked.
  int Request(int protocol, const std::function<void(const uint8_t*, size_t)>& on_answer);

 private:
  void Attribute(uint16_t type, const void* data, size_t size);
  void Close(size_t start, size_t size);

  std::vector<uint8_t> octets_;
};

// Calls `visit(type, octets, length)` for every attribute among `size` octets at `data`; what is
// cut short ends it.
void ForEachAttribute(const uint8_t* data, size_t size,
                      const std::function<void(uint16_t, const uint8_t*, size_t)>& visit);

}  // namespace twinpath::xdp

#endif  // TWINPATH_KERNEL_NETLINK_H_
