// SPDX-License-Identifier: BSD-3-Clause
// Chooses the command that detaches the XDP programs of an interface. It depends on how they are
// attached: by a pinned link, by another bpf_link, which rtnetlink may not replace, or by
// rtnetlink.

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "src/kernel/shell_word.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

int Bpf(int command, bpf_attr* attribute) {
  return static_cast<int>(syscall(SYS_bpf, command, attribute, sizeof(*attribute)));
}

// Whether `link` is a bpf_link that holds a program on the interface.
bool Holds(const FileDescriptor& link, uint32_t index) {
  bpf_link_info info = {};
  bpf_attr question = {};
  question.info.bpf_fd = static_cast<uint32_t>(link.get());
  question.info.info_len = sizeof(info);
  question.info.info = reinterpret_cast<uint64_t>(&info);
  return link.get() >= 0 && Bpf(BPF_OBJ_GET_INFO_BY_FD, &question) == 0 &&
         info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex == index;
}

// The folder in which twinpath-xdp pinned the interface's link; empty: none.
std::string PinnedIn(uint32_t index) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kXdpPins, error)) {
    const std::string path = entry.path() / "link";
    bpf_attr attribute = {};
    attribute.pathname = reinterpret_cast<uint64_t>(path.c_str());
    if (Holds(FileDescriptor(Bpf(BPF_OBJ_GET, &attribute)), index)) return entry.path();
  }
  return "";
}

// The id of a bpf_link that holds a program on the interface; 0: none, or no CAP_SYS_ADMIN.
uint32_t LinkOn(uint32_t index) {
  bpf_attr attribute = {};
  while (Bpf(BPF_LINK_GET_NEXT_ID, &attribute) == 0) {
    const uint32_t id = attribute.next_id;
    bpf_attr open = {};
    open.link_id = id;
    if (Holds(FileDescriptor(Bpf(BPF_LINK_GET_FD_BY_ID, &open)), index)) return id;
    attribute = {};
    attribute.start_id = id;
  }
  return 0;
}

}  // namespace

std::string XdpDetachCommand(uint32_t index, const std::string& name, const XdpState& state) {
  if (const std::string folder = PinnedIn(index); !folder.empty())
    return absl::StrCat("rm -r ", ShellWord(folder));
  if (const uint32_t link = LinkOn(index); link != 0)
    return absl::StrCat("bpftool link detach id ", link);
  const std::string command = absl::StrCat("ip link set dev ", ShellWord(name));
  if (state.mode == "several")
    return absl::StrCat(command, " xdp off && ", command, " xdpgeneric off");
  return absl::StrCat(command, state.mode == "generic"     ? " xdpgeneric off"
                               : state.mode == "offloaded" ? " xdpoffload off"
                                                           : " xdp off");
}

}  // namespace twinpath
