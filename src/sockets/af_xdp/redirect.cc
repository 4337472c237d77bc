// SPDX-License-Identifier: BSD-3-Clause
// bpf(2): an XSKMAP, a program of a few instructions, and a link.

#include "src/sockets/af_xdp/redirect.h"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/bpf_code.h"
#include "src/kernel/link/link.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

using namespace bpf_code;  // NOLINT: the program below reads like assembly

constexpr char kName[] = "tp_to_sockets";
constexpr int kLoadTries = 10;

int Bpf(int command, bpf_attr* attribute) {
  return static_cast<int>(syscall(SYS_bpf, command, attribute, sizeof(*attribute)));
}

FileDescriptor MakeMap(uint32_t queues) {
  bpf_attr attribute = {};
  attribute.map_type = BPF_MAP_TYPE_XSKMAP;
  attribute.key_size = attribute.value_size = sizeof(uint32_t);
  attribute.max_entries = queues;
  std::strncpy(attribute.map_name, kName, sizeof(attribute.map_name) - 1);
  return FileDescriptor(Bpf(BPF_MAP_CREATE, &attribute));
}

// The header of a frame for the stack: a MAC address that a host gave itself, the guard's mark in
// host byte order, and an EtherType for experiments (IEEE 802).
constexpr uint8_t kMagic[] = {0x02, 't', 'p', '>'};
constexpr int kHeader = 14;

int MagicWord() {
  int word = 0;
  std::memcpy(&word, kMagic, sizeof(word));
  return word;
}

FileDescriptor LoadProgram(int map, uint32_t mark) {
  constexpr uint8_t kContext = BPF_REG_6, kData = BPF_REG_2, kEnd = BPF_REG_3;
  const bpf_insn instructions[] = {
      Copy(kContext, BPF_REG_1),
      LoadWord(kData, BPF_REG_1, offsetof(xdp_md, data)),
      LoadWord(kEnd, BPF_REG_1, offsetof(xdp_md, data_end)),
      Copy(BPF_REG_4, kData),
      Add(BPF_REG_4, kHeader),
      JumpIfAbove(BPF_REG_4, kEnd, 8),
      LoadWord(BPF_REG_5, kData, 0),
      JumpWord(BPF_JNE, BPF_REG_5, MagicWord(), 6),
      LoadWord(BPF_REG_5, kData, sizeof(kMagic)),
      JumpWord(BPF_JNE, BPF_REG_5, static_cast<int>(mark), 4),
      Set(BPF_REG_2, kHeader),
      Call(BPF_FUNC_xdp_adjust_head),
      Set(BPF_REG_0, XDP_PASS),
      Exit(),
      // The frame came in.
      Copy(BPF_REG_1, kContext),
      LoadWord(BPF_REG_2, BPF_REG_1, offsetof(xdp_md, rx_queue_index)),
      // The address of the map: two instructions.
      Make(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
      Make(0, 0, 0, 0, 0),
      Set(BPF_REG_3, XDP_DROP),  // where the map has no socket
      Call(BPF_FUNC_redirect_map),
      Exit(),
  };
  bpf_attr attribute = {};
  attribute.prog_type = BPF_PROG_TYPE_XDP;
  attribute.insns = reinterpret_cast<uint64_t>(instructions);
  attribute.insn_cnt = std::size(instructions);
  attribute.license = reinterpret_cast<uint64_t>("BSD");
  std::strncpy(attribute.prog_name, kName, sizeof(attribute.prog_name) - 1);
  int fd = -1;
  for (int tries = 0; fd < 0 && tries < kLoadTries; tries++) {  // EAGAIN: a signal is pending
    fd = Bpf(BPF_PROG_LOAD, &attribute);
    if (fd < 0 && errno != EAGAIN) break;
  }
  return FileDescriptor(fd);
}

FileDescriptor MakeLink(int program, uint32_t index, uint32_t mode) {
  bpf_attr attribute = {};
  attribute.link_create.prog_fd = static_cast<uint32_t>(program);
  attribute.link_create.target_ifindex = index;
  attribute.link_create.attach_type = BPF_XDP;
  attribute.link_create.flags = mode;
  return FileDescriptor(Bpf(BPF_LINK_CREATE, &attribute));
}

}  // namespace

std::vector<uint8_t> Redirect::Prefix() const {
  if (native_) return {};
  std::vector<uint8_t> prefix(kHeader);
  std::memcpy(prefix.data(), kMagic, sizeof(kMagic));
  std::memcpy(prefix.data() + sizeof(kMagic), &mark_, sizeof(mark_));
  prefix[12] = 0x88;
  prefix[13] = 0xb5;
  return prefix;
}

absl::StatusOr<std::shared_ptr<Redirect>> Redirect::Attach(uint32_t index, uint32_t queues,
                                                           uint32_t mark) {
  const std::string name = NameOfLink(index);
  const auto attached = ReadXdp(index);
  if (!attached.ok()) return attached.status();
  if (attached->program != 0)
    return absl::FailedPreconditionError(absl::StrCat(
        name, " already carries the XDP program ", XdpProgramName(attached->program), " (id ",
        attached->program, "), and is left as it is; to take it off, end the program that owns ",
        "it, or: ", XdpDetachCommand(index, name, *attached)));
  std::shared_ptr<Redirect> redirect(new Redirect);
  redirect->mark_ = mark;
  redirect->map_ = MakeMap(queues);
  if (redirect->map_.get() < 0) return absl::ErrnoToStatus(errno, "making an XSKMAP");
  redirect->program_ = LoadProgram(redirect->map_.get(), mark);
  if (redirect->program_.get() < 0) return absl::ErrnoToStatus(errno, "loading an XDP program");
  redirect->link_ = MakeLink(redirect->program_.get(), index, XDP_FLAGS_DRV_MODE);
  if (redirect->link_.get() >= 0) return redirect;
  redirect->why_ = NativeXdpRefusal(EthtoolDriver(name), errno);
  redirect->native_ = false;
  redirect->link_ = MakeLink(redirect->program_.get(), index, XDP_FLAGS_SKB_MODE);
  if (redirect->link_.get() >= 0) return redirect;
  return absl::ErrnoToStatus(errno, absl::StrCat("attaching an XDP program to ", name));
}

absl::Status Redirect::Give(uint32_t queue, int socket) {
  bpf_attr attribute = {};
  attribute.map_fd = static_cast<uint32_t>(map_.get());
  attribute.key = reinterpret_cast<uint64_t>(&queue);
  attribute.value = reinterpret_cast<uint64_t>(&socket);
  if (Bpf(BPF_MAP_UPDATE_ELEM, &attribute) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "putting an AF_XDP socket into its map");
}

void Redirect::Take(uint32_t queue) {
  bpf_attr attribute = {};
  attribute.map_fd = static_cast<uint32_t>(map_.get());
  attribute.key = reinterpret_cast<uint64_t>(&queue);
  Bpf(BPF_MAP_DELETE_ELEM, &attribute);
}

}  // namespace twinpath
