// SPDX-License-Identifier: BSD-3-Clause
// Uses a bpf_link of type XDP.

#include "src/xdp/attach/link.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace twinpath {

absl::Status PinLink(int link, const std::string& path) {
  const int error = bpf_obj_pin(link, path.c_str());
  if (error == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("bpf_obj_pin(", path, "): ", std::strerror(-error)));
}

int XdpLink::Attach(int program, uint32_t interface_index, uint32_t flags) {
  const bpf_link_create_opts options = {.sz = sizeof(options), .flags = flags};
  const int fd = bpf_link_create(program, static_cast<int>(interface_index), BPF_XDP, &options);
  if (fd < 0) return -fd;
  fd_ = FileDescriptor(fd);
  return 0;
}

int XdpLink::Replace(int program) {
  return fd_.get() < 0 ? ENOLINK : -bpf_link_update(fd_.get(), program, nullptr);
}

bool XdpLink::Holds() const {
  bpf_link_info info = {};
  uint32_t size = sizeof(info);
  return fd_.get() >= 0 && bpf_obj_get_info_by_fd(fd_.get(), &info, &size) == 0 &&
         info.xdp.ifindex != 0;
}

absl::Status XdpLink::Pin(const std::string& path) { return PinLink(fd_.get(), path); }

void XdpLink::Detach() {
  if (fd_.get() < 0) return;
  bpf_link_detach(fd_.get());
  fd_ = FileDescriptor();
}

}  // namespace twinpath
