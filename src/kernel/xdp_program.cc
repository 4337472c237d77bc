// SPDX-License-Identifier: BSD-3-Clause
// RTM_GETLINK and RTM_SETLINK with IFLA_XDP: see rtnetlink(7) and linux/if_link.h. Any thread.

#include "src/kernel/xdp_program.h"

#include <linux/bpf.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

absl::Status Failure(int error) {
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "rtnetlink");
}

// The start of a request about the interface with index `index`; the caller adds attributes.
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

// `program` is a descriptor; -1: none. Returns 0 or an errno.
int SetXdp(uint32_t index, int32_t program, uint32_t flags) {
  NetlinkMessage request = LinkRequest(RTM_SETLINK, index);
  const size_t xdp = request.Open(IFLA_XDP | NLA_F_NESTED);
  request.Attribute(IFLA_XDP_FD, static_cast<uint32_t>(program));
  request.Attribute(IFLA_XDP_FLAGS, flags);
  request.Close(xdp);
  return request.Request(NETLINK_ROUTE, [](const uint8_t*, size_t) {});
}

// The generic netlink family for network devices: linux/netdev.h, since 6.3.
constexpr char kNetdevFamily[] = "netdev";
constexpr uint8_t kDevGet = 1;
constexpr uint16_t kDevIfindex = 1, kDevXdpFeatures = 3;

// The start of a generic netlink message; the caller adds attributes.
NetlinkMessage GenericMessage(uint16_t family, uint8_t command) {
  NetlinkMessage message(family, NLM_F_REQUEST | NLM_F_ACK);
  const genlmsghdr header = {.cmd = command, .version = 1, .reserved = 0};
  message.Append(&header, sizeof(header));
  return message;
}

// Sends the message, and copies attribute `type` of the answer to *value.
template <typename Value>
void AskFor(NetlinkMessage message, uint16_t type, Value* value) {
  message.Request(NETLINK_GENERIC, [&](const uint8_t* data, size_t size) {
    if (size < sizeof(genlmsghdr)) return;
    ForEachAttribute(data + sizeof(genlmsghdr), size - sizeof(genlmsghdr),
                     [&](uint16_t found, const uint8_t* bytes, size_t length) {
                       if (found == type && length == sizeof(*value))
                         std::memcpy(value, bytes, length);
                     });
  });
}

// Loads a program that passes every frame. Returns no descriptor if that fails.
FileDescriptor LoadPassingProgram() {
  const bpf_insn instructions[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K,
       .dst_reg = BPF_REG_0,
       .src_reg = 0,
       .off = 0,
       .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  bpf_attr attribute = {};
  attribute.prog_type = BPF_PROG_TYPE_XDP;
  attribute.insns = reinterpret_cast<uint64_t>(instructions);
  attribute.insn_cnt = 2;
  attribute.license = reinterpret_cast<uint64_t>("BSD");
  return FileDescriptor(
      static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof(attribute))));
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
  return Failure(SetXdp(index, -1, ModeFlag(state->mode)));
}

absl::Status AttachXdp(uint32_t index, const FileDescriptor& program, const std::string& mode) {
  return Failure(SetXdp(index, program.get(), ModeFlag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST));
}

std::optional<uint64_t> XdpFeatures(uint32_t index) {
  uint16_t family = 0;
  NetlinkMessage find = GenericMessage(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  find.Attribute(CTRL_ATTR_FAMILY_NAME, kNetdevFamily);
  AskFor(std::move(find), CTRL_ATTR_FAMILY_ID, &family);
  if (family == 0) return std::nullopt;
  uint64_t features = UINT64_MAX;
  NetlinkMessage get = GenericMessage(family, kDevGet);
  get.Attribute(kDevIfindex, index);
  AskFor(std::move(get), kDevXdpFeatures, &features);
  if (features == UINT64_MAX) return std::nullopt;
  return features;
}

std::string NativeXdpRefusal(const std::string& driver, int error) {
  const std::string name = driver.empty() ? "the driver" : driver;
  if (error == EOPNOTSUPP) return name + " has no native XDP";
  if (error == ERANGE) return name + " refused native XDP: the MTU is too large for it";
  if (error == ENOSPC && driver == "veth")
    return "veth refused native XDP: the peer has more TX queues than this end has RX queues";
  return absl::StrCat(name, " refused native XDP: ", std::strerror(error));
}

std::string NoNativeXdp(uint32_t index, const std::string& driver) {
  const auto features = XdpFeatures(index);
  if (!features.has_value() || *features & kXdpBasic) return "";
  return NativeXdpRefusal(driver, driver == "veth" ? ENOSPC : EOPNOTSUPP);
}

int TryNativeXdp(uint32_t index) {
  const FileDescriptor program = LoadPassingProgram();
  if (program.get() < 0) return 0;
  const int error = SetXdp(index, program.get(), XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST);
  if (error == 0) SetXdp(index, -1, XDP_FLAGS_DRV_MODE);
  return error;
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
