// SPDX-License-Identifier: BSD-3-Clause
// RTM_GETLINK and RTM_SETLINK with IFLA_XDP: see rtnetlink(7) and linux/if_link.h. Any thread.

#include "src/kernel/xdp_program.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

// A netlink message under construction.
struct LinkRequest {
  nlmsghdr header = {};
  ifinfomsg link = {};
  std::array<char, 64> attributes = {};

  void Add(rtattr* at, uint16_t type, const void* data, uint16_t length) {
    at->rta_type = type;
    at->rta_len = static_cast<uint16_t>(RTA_LENGTH(length));
    std::memcpy(RTA_DATA(at), data, length);
  }
};

// Sends `request` and reads one answer into `answer`; the answer's length or an error.
absl::StatusOr<size_t> Ask(LinkRequest& request, size_t attribute_bytes, char* answer,
                           size_t room) {
  request.header.nlmsg_len =
      static_cast<uint32_t>(NLMSG_LENGTH(sizeof(request.link)) + attribute_bytes);
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket(AF_NETLINK)");
  ssize_t length = send(fd, &request, request.header.nlmsg_len, 0);
  if (length >= 0) length = recv(fd, answer, room, 0);
  int error = errno;
  close(fd);
  if (length < 0) return absl::ErrnoToStatus(error, "rtnetlink");
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (header->nlmsg_type == NLMSG_ERROR) {
    const auto* fault = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
    if (fault->error != 0) return absl::ErrnoToStatus(-fault->error, "rtnetlink");
  }
  return static_cast<size_t>(length);
}

std::string ModeName(uint8_t attached) {
  switch (attached) {
    case XDP_ATTACHED_DRV:
      return "native";
    case XDP_ATTACHED_SKB:
      return "generic";
    case XDP_ATTACHED_HW:
      return "offloaded";
    case XDP_ATTACHED_MULTI:
      return "several";
    default:
      return "";
  }
}

void ReadXdpAttributes(const rtattr* nest, XdpState* state) {
  int left = static_cast<int>(RTA_PAYLOAD(nest));
  for (const auto* at = static_cast<const rtattr*>(RTA_DATA(nest)); RTA_OK(at, left);
       at = RTA_NEXT(at, left)) {
    if (at->rta_type == IFLA_XDP_PROG_ID) std::memcpy(&state->program, RTA_DATA(at), 4);
    if (at->rta_type == IFLA_XDP_ATTACHED)
      state->mode = ModeName(*static_cast<const uint8_t*>(RTA_DATA(at)));
  }
}

uint32_t ModeFlag(const std::string& mode) {
  return mode == "generic" ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

// `program` is a descriptor; -1: none.
absl::Status SetXdp(uint32_t index, int32_t program, uint32_t flags) {
  LinkRequest request;
  request.header.nlmsg_type = RTM_SETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.link.ifi_index = static_cast<int>(index);
  std::array<char, 16> nested = {};
  request.Add(reinterpret_cast<rtattr*>(nested.data()), IFLA_XDP_FD, &program, 4);
  request.Add(reinterpret_cast<rtattr*>(nested.data() + 8), IFLA_XDP_FLAGS, &flags, 4);
  request.Add(reinterpret_cast<rtattr*>(request.attributes.data()), IFLA_XDP | NLA_F_NESTED,
              nested.data(), nested.size());
  alignas(nlmsghdr) std::array<char, 4096> answer;
  return Ask(request, RTA_LENGTH(nested.size()), answer.data(), answer.size()).status();
}

}  // namespace

absl::StatusOr<XdpState> ReadXdp(const std::string& interface) {
  const uint32_t index = if_nametoindex(interface.c_str());
  if (index == 0) return absl::NotFoundError(absl::StrCat("there is no interface ", interface));
  return ReadXdp(index);
}

absl::StatusOr<XdpState> ReadXdp(uint32_t index) {
  LinkRequest request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.link.ifi_index = static_cast<int>(index);
  alignas(nlmsghdr) std::array<char, 32768> answer;
  auto length = Ask(request, 0, answer.data(), answer.size());
  if (!length.ok()) return length.status();

  XdpState state;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  int left = static_cast<int>(*length - NLMSG_LENGTH(sizeof(ifinfomsg)));
  for (const rtattr* at = IFLA_RTA(NLMSG_DATA(header)); RTA_OK(at, left); at = RTA_NEXT(at, left))
    if ((at->rta_type & NLA_TYPE_MASK) == IFLA_XDP) ReadXdpAttributes(at, &state);
  return state;
}

absl::Status DetachXdp(const std::string& interface, uint32_t program) {
  auto state = ReadXdp(interface);
  if (!state.ok()) return state.status();
  if (state->program != program) return absl::OkStatus();
  return SetXdp(if_nametoindex(interface.c_str()), -1, ModeFlag(state->mode));
}

absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode) {
  return SetXdp(index, program.get(), ModeFlag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST);
}

FileDescriptor XdpProgram(uint32_t program) {
  bpf_attr attribute = {};
  attribute.prog_id = program;
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attribute, sizeof(attribute))));
}

std::string XdpProgramName(uint32_t program) {
  const FileDescriptor fd = XdpProgram(program);
  if (fd.get() < 0) return "";
  bpf_prog_info info = {};
  bpf_attr question = {};
  question.info.bpf_fd = static_cast<uint32_t>(fd.get());
  question.info.info_len = sizeof(info);
  question.info.info = reinterpret_cast<uint64_t>(&info);
  long done = syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &question, sizeof(question));
  return done == 0 ? std::string(info.name, strnlen(info.name, sizeof(info.name))) : "";
}

}  // namespace twinpath
