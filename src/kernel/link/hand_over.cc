// SPDX-License-Identifier: BSD-3-Clause
// Uses a clsact qdisc with a cls_bpf filter: see classifier.h.

#include "src/kernel/link/hand_over.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include "src/kernel/link/bpf_code.h"
#include "src/kernel/link/classifier.h"

namespace twinpath {
namespace {

using namespace bpf_code;  // NOLINT: the program below reads like assembly

constexpr char kProgram[] = "twinpath";
constexpr uint16_t kPriority = 1;
constexpr uint8_t kContext = BPF_REG_6;                           // where BPF_LD_ABS expects it
constexpr int kEtherType = 12, kNextHeader = 20, kIcmpType = 54;  // offsets; IPv6 without options
constexpr int kIcmpv6 = 58;                                       // RFC 4443
constexpr int kSolicitation = 135, kAdvertisement = 136;          // RFC 4861

// Loads the classifier's program. A frame that is too short for one of its loads stays with its
// interface, because the program then returns 0.
absl::StatusOr<FileDescriptor> LoadProgram(uint32_t receiver) {
  const auto index = static_cast<int>(receiver);
  const bpf_insn instructions[] = {
      Copy(kContext, BPF_REG_1),
      Load(BPF_H, kEtherType),
      Jump(BPF_JEQ, ETH_P_ARP, 10),
      Jump(BPF_JNE, ETH_P_IPV6, 5),
      Load(BPF_B, kNextHeader),
      Jump(BPF_JNE, kIcmpv6, 3),
      Load(BPF_B, kIcmpType),
      Jump(BPF_JEQ, kSolicitation, 5),
      Jump(BPF_JEQ, kAdvertisement, 4),
      // Only the receiver gets the frame.
      Set(BPF_REG_1, index),
      Set(BPF_REG_2, BPF_F_INGRESS),
      Call(BPF_FUNC_redirect),
      Exit(),
      // The BPF_JEQ jumps lead here: both the receiver and the interface get the frame.
      Copy(BPF_REG_1, kContext),
      Set(BPF_REG_2, index),
      Set(BPF_REG_3, BPF_F_INGRESS),
      Call(BPF_FUNC_clone_redirect),
      Set(BPF_REG_0, TC_ACT_OK),
      Exit(),
  };
  return LoadClassifier(kProgram, instructions);
}

}  // namespace

absl::Status HandOver(uint32_t from, uint32_t receiver) {
  EndHandOver(from);
  const auto program = LoadProgram(receiver);
  if (!program.ok()) return program.status();
  absl::Status done = AddClsact(from);
  if (!done.ok()) return done;
  done = AddFilter(from, ClassifierHook::kIngress, kPriority, kProgram, *program);
  if (!done.ok()) EndHandOver(from);
  return done;
}

void EndHandOver(uint32_t from) { RemoveClsact(from); }

}  // namespace twinpath
