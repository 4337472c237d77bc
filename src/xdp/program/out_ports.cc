// SPDX-License-Identifier: BSD-3-Clause
// Finds the devmap of a loaded program in the kernel's list of the program's maps.

#include "src/xdp/program/out_ports.h"

#include <bpf/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {
namespace {

absl::Status EnterError(const std::string& port, int error) {
  return absl::InternalError(
      absl::StrCat("port ", port, ": adding it to a devmap: ", std::strerror(error)));
}

// Returns 0, or an errno value.
int DevmapsOf(int program, std::vector<FileDescriptor>* devmaps) {
  std::vector<uint32_t> maps(64);
  bpf_prog_info info = {};
  uint32_t length = sizeof(info);
  info.nr_map_ids = static_cast<uint32_t>(maps.size());
  info.map_ids = reinterpret_cast<uint64_t>(maps.data());
  if (bpf_obj_get_info_by_fd(program, &info, &length) != 0) return errno;
  maps.resize(std::min<size_t>(maps.size(), info.nr_map_ids));
  for (const uint32_t id : maps) {
    FileDescriptor map(bpf_map_get_fd_by_id(id));
    bpf_map_info about = {};
    length = sizeof(about);
    if (map.get() < 0 || bpf_obj_get_info_by_fd(map.get(), &about, &length) != 0) continue;
    if (about.type == BPF_MAP_TYPE_DEVMAP) devmaps->push_back(std::move(map));
  }
  return 0;
}

}  // namespace

absl::Status OutPorts::EnterAll(int devmap) const {
  for (uint32_t port = 0; port < indexes_.size(); port++) {
    if (indexes_[port] == 0) continue;
    if (bpf_map_update_elem(devmap, &port, &indexes_[port], BPF_ANY) == 0) continue;
    const int error = errno;
    char name[IF_NAMESIZE];
    if (if_indextoname(indexes_[port], name) != nullptr) return EnterError(names_[port], error);
  }
  return absl::OkStatus();
}

absl::Status OutPorts::Enter(int program, size_t port) const {
  const auto key = static_cast<uint32_t>(port);
  std::vector<FileDescriptor> devmaps;
  const int error = DevmapsOf(program, &devmaps);
  if (error != 0) return EnterError(names_[port], error);
  for (const FileDescriptor& devmap : devmaps)
    if (bpf_map_update_elem(devmap.get(), &key, &indexes_[port], BPF_ANY) != 0)
      return EnterError(names_[port], errno);
  return absl::OkStatus();
}

bool OutPorts::Entered(int program, size_t port) const {
  const auto key = static_cast<uint32_t>(port);
  std::vector<FileDescriptor> devmaps;
  DevmapsOf(program, &devmaps);
  return std::all_of(devmaps.begin(), devmaps.end(), [&](const FileDescriptor& devmap) {
    uint32_t interface = 0;
    return bpf_map_lookup_elem(devmap.get(), &key, &interface) == 0 || errno != ENOENT;
  });
}

}  // namespace twinpath
