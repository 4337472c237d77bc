// SPDX-License-Identifier: BSD-3-Clause
// Interfaces, by ioctl and netlink rather than by path: /sys may show another network namespace's.

#include "src/xdp/interface.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "src/xdp/file_descriptor.h"

namespace twinpath {
namespace {

using xdp::FileDescriptor;

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

}  // namespace

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
