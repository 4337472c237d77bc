// SPDX-License-Identifier: BSD-3-Clause

#include "src/kernel/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/kernel/file_descriptor.h"

namespace twinpath {
namespace {

constexpr size_t kAnswerSize = 32768;  // bytes that the kernel sends at a time, at most

}  // namespace

NetlinkMessage::NetlinkMessage(uint16_t type, uint16_t flags) {
  nlmsghdr header = {};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  Append(&header, sizeof(header));
}

void NetlinkMessage::Append(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  bytes_.insert(bytes_.end(), bytes, bytes + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void NetlinkMessage::Attribute(uint16_t type, const void* data, size_t size) {
  const size_t start = Open(type);
  Append(data, size);
  Close(start, size);
}

void NetlinkMessage::Attribute(uint16_t type, const std::string& text) {
  Attribute(type, text.c_str(), text.size() + 1);
}

void NetlinkMessage::Attribute(uint16_t type, uint32_t value) {
  Attribute(type, &value, sizeof(value));
}

size_t NetlinkMessage::Open(uint16_t type) {
  const size_t start = bytes_.size();
  const nlattr header = {.nla_len = 0, .nla_type = type};
  Append(&header, sizeof(header));
  return start;
}

void NetlinkMessage::Close(size_t start) { Close(start, bytes_.size() - start - sizeof(nlattr)); }

void NetlinkMessage::Close(size_t start, size_t size) {
  const auto length = static_cast<uint16_t>(sizeof(nlattr) + size);
  std::memcpy(bytes_.data() + start, &length, sizeof(length));
}

int NetlinkMessage::Request(int protocol,
                            const std::function<void(const uint8_t*, size_t)>& on_answer) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (socket.get() < 0) return errno;
  const auto length = static_cast<uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &length, sizeof(length));
  if (send(socket.get(), bytes_.data(), bytes_.size(), 0) < 0) return errno;
  std::vector<uint8_t> answer(kAnswerSize);
  while (true) {
    const ssize_t received = recv(socket.get(), answer.data(), answer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return errno;
    size_t at = 0;
    while (static_cast<size_t>(received) - at >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, answer.data() + at, sizeof(header));
      if (header.nlmsg_len < sizeof(header) ||
          header.nlmsg_len > static_cast<size_t>(received) - at)
        return EPROTO;
      const uint8_t* content = answer.data() + at + sizeof(header);
      const size_t size = header.nlmsg_len - sizeof(header);
      if (header.nlmsg_type == NLMSG_ERROR) {
        int error = -EPROTO;
        if (size >= sizeof(error)) std::memcpy(&error, content, sizeof(error));
        return -error;
      }
      if (header.nlmsg_type == NLMSG_DONE) return 0;  // the end of a dump
      on_answer(content, size);
      at = std::min(at + NLMSG_ALIGN(header.nlmsg_len), static_cast<size_t>(received));
    }
  }
}

void ForEachAttribute(const uint8_t* data, size_t size,
                      const std::function<void(uint16_t, const uint8_t*, size_t)>& visit) {
  while (size >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, data, sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > size) return;
    visit(header.nla_type & NLA_TYPE_MASK, data + sizeof(header), header.nla_len - sizeof(header));
    const size_t step = std::min<size_t>(NLA_ALIGN(header.nla_len), size);
    data += step;
    size -= step;
  }
}

}  // namespace twinpath
