// SPDX-License-Identifier: BSD-3-Clause
// The thread, and creating veth pairs.

#include "src/kernel/namespace_thread.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/kernel/netlink.h"

namespace twinpath {

absl::StatusOr<std::unique_ptr<NamespaceThread>> NamespaceThread::Start() {
  std::unique_ptr<NamespaceThread> self(new NamespaceThread);
  self->thread_ = std::thread([thread = self.get()] { thread->Serve(); });
  int error = 0;
  self->Run([&error] {
    if (unshare(CLONE_NEWNET)) error = errno;
  });
  if (error == 0) return self;
  const std::string message = absl::StrCat("unshare(CLONE_NEWNET): ", std::strerror(error),
                                           "; a network namespace needs CAP_SYS_ADMIN: "
                                           "run it as root, with sudo");
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
  NetlinkMessage message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
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
  const int error = message.Request(NETLINK_ROUTE, [](const uint8_t*, size_t) {});
  const uint32_t index = if_nametoindex(name.c_str());
  if (error == 0 && index != 0) return index;
  return absl::InternalError(absl::StrCat("making the veth pair ", name, " with ", queues,
                                          " queues: ", std::strerror(error)));
}

}  // namespace twinpath
