// SPDX-License-Identifier: BSD-3-Clause
// Interfaces, by ioctl and netlink rather than by path: /sys may show another network namespace's.

#include "src/xdp/attach/interface.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

using xdp::ForEachAttribute;
using xdp::NetlinkMessage;

// One ethtool request; false where the driver does not know it.
template <typename Request>
bool Ethtool(const FileDescriptor& socket, const std::string& name, uint32_t command,
             Request* request) {
  ifreq ifr = {};
  name.copy(ifr.ifr_name, sizeof(ifr.ifr_name) - 1);
  *request = {};
  request->cmd = command;
  ifr.ifr_data = reinterpret_cast<char*>(request);
  return ioctl(socket.get(), SIOCETHTOOL, &ifr) == 0;
}

// The folders rx-N of sysfs are the queues in use. 0 where sysfs shows another namespace.
uint32_t QueuesInSysfs(const Interface& interface) {
  const std::filesystem::path folder = "/sys/class/net/" + interface.name;
  uint32_t index = 0;
  std::ifstream(folder / "ifindex") >> index;
  if (index != interface.index) return 0;
  std::error_code error;
  uint32_t queues = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "queues", error))
    queues += entry.path().filename().string().starts_with("rx-");
  return queues;
}

// The generic netlink family that tells of network devices, as linux/netdev.h has it since 6.3.
constexpr char kNetdevFamily[] = "netdev";
constexpr uint8_t kDevGet = 1;
constexpr uint16_t kDevIfindex = 1, kDevXdpFeatures = 3;

// A generic netlink message, up to its attributes.
NetlinkMessage GenericMessage(uint16_t family, uint8_t command) {
  NetlinkMessage message(family, NLM_F_REQUEST | NLM_F_ACK);
  const genlmsghdr header = {.cmd = command, .version = 1, .reserved = 0};
  message.Append(&header, sizeof(header));
  return message;
}

// Sends it, and copies attribute `type` of the answer to *value.
template <typename Value>
void AskFor(NetlinkMessage message, uint16_t type, Value* value) {
  message.Request(NETLINK_GENERIC, [&](const uint8_t* data, size_t size) {
    if (size < sizeof(genlmsghdr)) return;
    ForEachAttribute(data + sizeof(genlmsghdr), size - sizeof(genlmsghdr),
                     [&](uint16_t found, const uint8_t* octets, size_t length) {
                       if (found == type && length == sizeof(*value))
                         std::memcpy(value, octets, length);
                     });
  });
}

}  // namespace

std::optional<uint64_t> XdpFeatures(const Interface& interface) {
  uint16_t family = 0;
  NetlinkMessage find = GenericMessage(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
  find.Attribute(CTRL_ATTR_FAMILY_NAME, kNetdevFamily);
  AskFor(std::move(find), CTRL_ATTR_FAMILY_ID, &family);
  if (family == 0) return std::nullopt;
  uint64_t features = UINT64_MAX;
  NetlinkMessage get = GenericMessage(family, kDevGet);
  get.Attribute(kDevIfindex, interface.index);
  AskFor(std::move(get), kDevXdpFeatures, &features);
  if (features == UINT64_MAX) return std::nullopt;
  return features;
}

bool TakesNativeFrames(const Interface& interface) {
  return XdpFeatures(interface).value_or(kXdpXmit) & kXdpXmit;
}

absl::StatusOr<Interface> FindInterface(const std::string& port, const std::string& name) {
  Interface interface = {.name = name};
  if (name.size() < IFNAMSIZ) interface.index = if_nametoindex(name.c_str());
  if (interface.index == 0)
    return absl::NotFoundError(
        absl::StrCat("port ", port, ": there is no interface ", name, " (ip link shows them)"));
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0)
    return absl::InternalError(absl::StrCat("port ", port, ": socket: ", std::strerror(errno)));
  ethtool_drvinfo driver;
  if (Ethtool(socket, name, ETHTOOL_GDRVINFO, &driver)) interface.driver = driver.driver;
  ethtool_channels channels;
  interface.rx_queues = QueuesInSysfs(interface);
  if (interface.rx_queues == 0 && Ethtool(socket, name, ETHTOOL_GCHANNELS, &channels))
    interface.rx_queues = channels.rx_count + channels.combined_count;
  interface.rx_queues = std::max(interface.rx_queues, 1U);
  return interface;
}

absl::StatusOr<std::vector<AttachedProgram>> AttachedPrograms(const Interface& interface) {
  bpf_xdp_query_opts found = {.sz = sizeof(found)};
  const int error = bpf_xdp_query(static_cast<int>(interface.index), 0, &found);
  if (error)
    return absl::InternalError(
        absl::StrCat("bpf_xdp_query(", interface.name, "): ", std::strerror(-error)));
  std::vector<AttachedProgram> programs;
  for (uint32_t id : {found.drv_prog_id, found.skb_prog_id, found.hw_prog_id}) {
    if (id == 0) continue;
    AttachedProgram program = {.id = id, .name = ""};
    FileDescriptor fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info = {};
    uint32_t length = sizeof(info);
    if (fd.get() >= 0 && bpf_obj_get_info_by_fd(fd.get(), &info, &length) == 0)
      program.name = info.name;
    programs.push_back(program);
  }
  return programs;
}

}  // namespace twinpath
