// SPDX-License-Identifier: BSD-3-Clause
// Two programs of a few instructions, and a socket in the abstract namespace of unix(7), which
// belongs to the network namespace, as interface numbers do, and which ends with its process.

#include "src/kernel/link/stack_guard.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/bpf_code.h"
#include "src/kernel/link/classifier.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

using namespace bpf_code;  // NOLINT: the programs below read like assembly

constexpr char kIngressName[] = "tp_guard_in", kEgressName[] = "tp_guard_out";
constexpr uint16_t kPriority = 1;  // before all other filters
constexpr int16_t kMark = offsetof(__sk_buff, mark);

absl::StatusOr<FileDescriptor> LoadIngress(int mark) {
  const bpf_insn instructions[] = {
      LoadWord(BPF_REG_2, BPF_REG_1, kMark),
      JumpWord(BPF_JNE, BPF_REG_2, mark, 3),
      StoreWord(BPF_REG_1, kMark, 0),
      Set(BPF_REG_0, TC_ACT_UNSPEC),  // on to other programs, and to the stack
      Exit(),
      Set(BPF_REG_0, TC_ACT_SHOT),
      Exit(),
  };
  return LoadClassifier(kIngressName, instructions);
}

absl::StatusOr<FileDescriptor> LoadEgress(int mark, int index) {
  const bpf_insn instructions[] = {
      LoadWord(BPF_REG_2, BPF_REG_1, kMark),
      JumpWord(BPF_JNE, BPF_REG_2, mark, 4),
      Set(BPF_REG_1, index),
      Set(BPF_REG_2, BPF_F_INGRESS),
      Call(BPF_FUNC_redirect),
      Exit(),
      Set(BPF_REG_0, TC_ACT_UNSPEC),
      Exit(),
  };
  return LoadClassifier(kEgressName, instructions);
}

// Positive, as immediate operands are signed, and not small, as users' marks often are.
int RandomMark() {
  uint32_t mark = 0;
  if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark)) mark = 0x2b6f1d35;
  return static_cast<int>((mark & 0x3fffffff) | 0x40000000);
}

// Errno of binding the name of the interface's lock to `socket`.
int TakeName(const FileDescriptor& socket, uint32_t index) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = absl::StrCat("twinpath-guard-", index);
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : errno;
}

FileDescriptor LockSocket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void RemoveFilters(uint32_t index) {
  RemoveFilter(index, ClassifierHook::kIngress, kPriority);
  RemoveFilter(index, ClassifierHook::kEgress, kPriority);
}

}  // namespace

absl::StatusOr<StackGuard> StackGuard::Hold(uint32_t index, const std::string& port, GuardBy by) {
  StackGuard guard;
  guard.lock_ = LockSocket();
  if (guard.lock_.get() < 0) return absl::ErrnoToStatus(errno, "socket(AF_UNIX)");
  if (const int error = TakeName(guard.lock_, index); error == EADDRINUSE)
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port, ": ", NameOfLink(index),
                     " is already a port of another twinpath-socket; end that program first"));
  else if (error != 0)
    return absl::ErrnoToStatus(error, "bind(AF_UNIX)");
  guard.index_ = index;
  if (absl::Status attached = guard.Attach(by); !attached.ok())
    return absl::Status(attached.code(),
                        absl::StrCat("port ", port, ": keeping frames of ", NameOfLink(index),
                                     " from the kernel's stack: ", attached.message()));
  return guard;
}

absl::Status StackGuard::Attach(GuardBy by) {
  if (FilterNamed(index_, ClassifierHook::kIngress, kPriority, kIngressName) ||
      FilterNamed(index_, ClassifierHook::kEgress, kPriority, kEgressName))
    RemoveFilters(index_);
  const int mark = RandomMark();
  const auto ingress = LoadIngress(mark);
  if (!ingress.ok()) return ingress.status();
  const auto egress = LoadEgress(mark, static_cast<int>(index_));
  if (!egress.ok()) return egress.status();
  mark_ = static_cast<uint32_t>(mark);
  if (by != GuardBy::kFilters) {
    auto out = LinkClassifier(index_, ClassifierHook::kEgress, *egress);
    if (out.ok()) {
      auto in = LinkClassifier(index_, ClassifierHook::kIngress, *ingress);
      if (!in.ok()) return in.status();
      egress_ = *std::move(out);
      ingress_ = *std::move(in);
      return absl::OkStatus();
    }
    if (by == GuardBy::kLinks || !absl::IsUnimplemented(out.status())) return out.status();
  }
  absl::Status done = AddClsact(index_);
  own_clsact_ = done.ok();
  if (!done.ok() && !absl::IsAlreadyExists(done)) return done;
  filters_ = true;
  done = AddFilter(index_, ClassifierHook::kEgress, kPriority, kEgressName, *egress);
  if (!done.ok()) return done;
  return AddFilter(index_, ClassifierHook::kIngress, kPriority, kIngressName, *ingress);
}

std::optional<ClassifierProgram> StackGuard::Preceded() const {
  auto other = FirstOfOthers(index_, ClassifierHook::kIngress, ingress_);
  return other ? other : FirstOfOthers(index_, ClassifierHook::kEgress, egress_);
}

StackGuard& StackGuard::operator=(StackGuard&& other) noexcept {
  std::swap(lock_, other.lock_);
  std::swap(ingress_, other.ingress_);
  std::swap(egress_, other.egress_);
  std::swap(index_, other.index_);
  std::swap(mark_, other.mark_);
  std::swap(filters_, other.filters_);
  std::swap(own_clsact_, other.own_clsact_);
  return *this;
}

StackGuard::~StackGuard() {
  if (index_ == 0 || !filters_) return;
  if (own_clsact_)
    RemoveClsact(index_);
  else
    RemoveFilters(index_);
}

bool GuardLeftBehind(uint32_t index) {
  if (!FilterNamed(index, ClassifierHook::kIngress, kPriority, kIngressName)) return false;
  const FileDescriptor socket = LockSocket();
  return socket.get() >= 0 && TakeName(socket, index) == 0;
}

}  // namespace twinpath
