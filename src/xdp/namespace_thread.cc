// SPDX-License-Identifier: BSD-3-Clause
// The thread, and as much rtnetlink as a veth pair takes.

#include "src/xdp/namespace_thread.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/xdp/file_descriptor.h"

namespace twinpath {
namespace {

// A netlink message, put together from front to back.
class Message {
 public:
  Message(uint16_t type, uint16_t flags) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    Append(&header, sizeof(header));
  }

  void Append(const void* data, size_t size) {
    const auto* octets = static_cast<const uint8_t*>(data);
    octets_.insert(octets_.end(), octets, octets + size);
    octets_.resize(NLMSG_ALIGN(octets_.size()));
  }

  void Attribute(uint16_t type, const void* data, size_t size) {
    const size_t start = Open(type);
    Append(data, size);
    Close(start, size);
  }
  void Attribute(uint16_t type, const std::string& text) {
    Attribute(type, text.c_str(), text.size() + 1);
  }
  void Attribute(uint16_t type, uint32_t value) { Attribute(type, &value, sizeof(value)); }

  // An attribute of attributes: everything up to Close.
  size_t Open(uint16_t type) {
    const size_t start = octets_.size();
    const nlattr header = {.nla_len = 0, .nla_type = type};
    Append(&header, sizeof(header));
    return start;
  }
  void Close(size_t start) { Close(start, octets_.size() - start - sizeof(nlattr)); }

  const std::vector<uint8_t>& Finish() {
    const auto length = static_cast<uint32_t>(octets_.size());
    std::memcpy(octets_.data(), &length, sizeof(length));
    return octets_;
  }

 private:
  void Close(size_t start, size_t size) {
    const auto length = static_cast<uint16_t>(sizeof(nlattr) + size);
    std::memcpy(octets_.data() + start, &length, sizeof(length));
  }

  std::vector<uint8_t> octets_;
};

// Sends `message` and waits for the kernel's acknowledgement. Returns its errno.
int Request(Message message) {
  xdp::FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (socket.get() < 0) return errno;
  const std::vector<uint8_t>& octets = message.Finish();
  if (send(socket.get(), octets.data(), octets.size(), 0) < 0) return errno;
  alignas(nlmsghdr) char answer[4096];
  if (recv(socket.get(), answer, sizeof(answer), 0) < 0) return errno;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (header->nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<NamespaceThread>> NamespaceThread::Start() {
  std::unique_ptr<NamespaceThread> self(new NamespaceThread);
  self->thread_ = std::thread([thread = self.get()] { thread->Serve(); });
  int error = 0;
  self->Run([&error] {
    if (unshare(CLONE_NEWNET)) error = errno;
  });
  if (error == 0) return self;
  const std::string message = absl::StrCat("unshare(CLONE_NEWNET): ", std::strerror(error),
                                           "; a network namespace takes CAP_SYS_ADMIN");
  if (error == EPERM) return absl::PermissionDeniedError(message);
  return absl::InternalError(message);
}

NamespaceThread::~NamespaceThread() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void NamespaceThread::Run(const std::function<void()>& work) {
  std::unique_lock<std::mutex> lock(mutex_);
  work_ = &work;
  changed_.notify_all();
  changed_.wait(lock, [this] { return work_ == nullptr; });
}

void NamespaceThread::Serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || work_ != nullptr; });
    if (ending_) return;
    (*work_)();
    work_ = nullptr;
    changed_.notify_all();
  }
}

absl::StatusOr<uint32_t> MakeVeth(const std::string& name, uint32_t queues) {
  const ifinfomsg interface = {};
  Message message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  message.Append(&interface, sizeof(interface));
  message.Attribute(IFLA_IFNAME, name);
  message.Attribute(IFLA_NUM_RX_QUEUES, queues);
  message.Attribute(IFLA_NUM_TX_QUEUES, queues);
  const size_t info = message.Open(IFLA_LINKINFO | NLA_F_NESTED);
  message.Attribute(IFLA_INFO_KIND, "veth");
  const size_t data = message.Open(IFLA_INFO_DATA | NLA_F_NESTED);
  const size_t peer = message.Open(VETH_INFO_PEER | NLA_F_NESTED);
  message.Append(&interface, sizeof(interface));
  message.Attribute(IFLA_IFNAME, name + "p");
  message.Attribute(IFLA_NUM_RX_QUEUES, queues);
  message.Attribute(IFLA_NUM_TX_QUEUES, queues);
  message.Close(peer);
  message.Close(data);
  message.Close(info);
  const int error = Request(std::move(message));
  const uint32_t index = if_nametoindex(name.c_str());
  if (error == 0 && index != 0) return index;
  return absl::InternalError(absl::StrCat("making the veth pair ", name, " with ", queues,
                                          " queues: ", std::strerror(error)));
}

}  // namespace twinpath
