// SPDX-License-Identifier: BSD-3-Clause
// RTM_GETLINK and RTM_SETLINK with IFLA_XDP: see rtnetlink(7) and linux/if_link.h. Any thread.

#include "src/kernel/xdp_program.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

absl::Status Failure(int error) {
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "rtnetlink");
}

// A request about the interface with index `index`, up to its attributes.
NetlinkMessage LinkRequest(uint16_t type, uint32_t index) {
  NetlinkMessage message(type, NLM_F_REQUEST | NLM_F_ACK);
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(index);
  message.Append(&link, sizeof(link));
  return message;
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

void ReadXdpAttribute(uint16_t type, const uint8_t* data, size_t length, XdpState* state) {
  uint32_t id = 0;
  if (length == sizeof(id)) std::memcpy(&id, data, sizeof(id));
  if (type == IFLA_XDP_ATTACHED && length == 1) state->mode = ModeName(*data);
  if (type == IFLA_XDP_PROG_ID) state->program = id;
  if ((type == IFLA_XDP_DRV_PROG_ID || type == IFLA_XDP_SKB_PROG_ID ||
       type == IFLA_XDP_HW_PROG_ID) &&
      id != 0)
    state->programs.push_back(id);
}

uint32_t ModeFlag(const std::string& mode) {
  return mode == "generic" ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

// `program` is a descriptor; -1: none.
absl::Status SetXdp(uint32_t index, int32_t program, uint32_t flags) {
  NetlinkMessage request = LinkRequest(RTM_SETLINK, index);
  const size_t xdp = request.Open(IFLA_XDP | NLA_F_NESTED);
  request.Attribute(IFLA_XDP_FD, static_cast<uint32_t>(program));
  request.Attribute(IFLA_XDP_FLAGS, flags);
  request.Close(xdp);
  return Failure(request.Request(NETLINK_ROUTE, [](const uint8_t*, size_t) {}));
}

}  // namespace

absl::StatusOr<XdpState> ReadXdp(uint32_t index) {
  if (index == 0) return absl::NotFoundError("there is no such interface");
  XdpState state;
  const int error =
      LinkRequest(RTM_GETLINK, index)
          .Request(NETLINK_ROUTE, [&state](const uint8_t* data, size_t size) {
            if (size < sizeof(ifinfomsg)) return;
            ForEachAttribute(data + sizeof(ifinfomsg), size - sizeof(ifinfomsg),
                             [&state](uint16_t type, const uint8_t* nested, size_t length) {
                               if (type != IFLA_XDP) return;
                               ForEachAttribute(
                                   nested, length,
                                   [&state](uint16_t t, const uint8_t* value, size_t n) {
                                     ReadXdpAttribute(t, value, n, &state);
                                   });
                             });
          });
  if (error != 0) return Failure(error);
  if (state.program == 0 && !state.programs.empty()) state.program = state.programs.front();
  return state;
}

absl::Status DetachXdp(uint32_t index, uint32_t program) {
  auto state = ReadXdp(index);
  if (!state.ok()) return state.status();
  if (state->program != program) return absl::OkStatus();
  return SetXdp(index, -1, ModeFlag(state->mode));
}

absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode) {
  return SetXdp(index, program.get(), ModeFlag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST);
}

FileDescriptor OpenXdpProgram(uint32_t program) {
  bpf_attr attribute = {};
  attribute.prog_id = program;
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attribute, sizeof(attribute))));
}

std::string XdpProgramName(uint32_t program) {
  const FileDescriptor fd = OpenXdpProgram(program);
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
