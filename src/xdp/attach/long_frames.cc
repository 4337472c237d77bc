// SPDX-License-Identifier: BSD-3-Clause
// Uses a bpf_link of type TCX: the kernel detaches the program when the link's owner is killed.

#include "src/xdp/attach/long_frames.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

// BPF_TCX_INGRESS, which the headers of Linux before 6.6 do not name.
constexpr uint32_t kBefore = 1 << 3;  // BPF_F_BEFORE
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);

}  // namespace

struct LongFrames::Loaded {
  Skeleton skeleton;
  int program = -1;  // owned by the skeleton
};

LongFrames::LongFrames(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
LongFrames::~LongFrames() = default;

absl::StatusOr<std::unique_ptr<LongFrames>> LongFrames::Load(const XdpMaps& maps) {
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(twinpath_bpf__open());
  if (!loaded->skeleton) return KernelError("opening the XDP object", errno);
  const bpf_program* program = SelectProgram(loaded->skeleton, "tp_send_long");
  bpf_map* map;
  bpf_object__for_each_map(map, loaded->skeleton->obj) {
    const int fd = maps.SharedMap(bpf_map__name(map));
    const int error = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
    if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
  }
  const int error = twinpath_bpf__load(loaded->skeleton.get());
  if (error) return KernelError("loading tp_send_long", -error);
  loaded->program = bpf_program__fd(program);
  return std::unique_ptr<LongFrames>(new LongFrames(std::move(loaded)));
}

absl::StatusOr<FileDescriptor> LongFrames::Attach(uint32_t interface_index) const {
  // Attaches as the first program, because another program's TCX_PASS would end the chain, and the
  // frame would be lost.
  const bpf_link_create_opts options = {.sz = sizeof(options), .flags = kBefore};
  const int fd =
      bpf_link_create(loaded_->program, static_cast<int>(interface_index), kTcxIngress, &options);
  if (fd < 0)
    return absl::UnimplementedError(absl::StrCat("bpf_link_create: ", std::strerror(-fd)));
  return FileDescriptor(fd);
}

}  // namespace twinpath
