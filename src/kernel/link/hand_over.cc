// SPDX-License-Identifier: BSD-3-Clause
// bpf(2), and the clsact qdisc with a cls_bpf filter (tc-bpf(8)): RTM_NEWQDISC and RTM_NEWTFILTER.

#include "src/kernel/link/hand_over.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

constexpr char kProgram[] = "twinpath";
constexpr int kLoadTries = 10;
constexpr uint8_t kContext = BPF_REG_6;                           // where BPF_LD_ABS expects it
constexpr int kEtherType = 12, kNextHeader = 20, kIcmpType = 54;  // offsets; IPv6 without options
constexpr int kIcmpv6 = 58;                                       // RFC 4443
constexpr int kSolicitation = 135, kAdvertisement = 136;          // RFC 4861

bpf_insn Load(int size, int offset) {
  return {.code = static_cast<__u8>(BPF_LD | BPF_ABS | size),
          .dst_reg = 0,
          .src_reg = 0,
          .off = 0,
          .imm = offset};
}

bpf_insn Jump(int condition, int value, int16_t over) {
  return {.code = static_cast<__u8>(BPF_JMP | condition | BPF_K),
          .dst_reg = BPF_REG_0,
          .src_reg = 0,
          .off = over,
          .imm = value};
}

bpf_insn Set(uint8_t target, int value) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_K,
          .dst_reg = static_cast<__u8>(target & 15),
          .src_reg = 0,
          .off = 0,
          .imm = value};
}

bpf_insn Copy(uint8_t target, uint8_t source) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X,
          .dst_reg = static_cast<__u8>(target & 15),
          .src_reg = static_cast<__u8>(source & 15),
          .off = 0,
          .imm = 0};
}

bpf_insn Call(int helper) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = helper};
}

bpf_insn Exit() {
  return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
}

// A frame that is too short for a load stays with its interface: the program then returns 0.
FileDescriptor LoadProgram(uint32_t receiver) {
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
      // The receiver alone.
      Set(BPF_REG_1, index),
      Set(BPF_REG_2, BPF_F_INGRESS),
      Call(BPF_FUNC_redirect),
      Exit(),
      // The receiver and the interface: the jumps above that are taken on equality.
      Copy(BPF_REG_1, kContext),
      Set(BPF_REG_2, index),
      Set(BPF_REG_3, BPF_F_INGRESS),
      Call(BPF_FUNC_clone_redirect),
      Set(BPF_REG_0, TC_ACT_OK),
      Exit(),
  };
  bpf_attr attribute = {};
  attribute.prog_type = BPF_PROG_TYPE_SCHED_CLS;
  attribute.insns = reinterpret_cast<uint64_t>(instructions);
  attribute.insn_cnt = std::size(instructions);
  attribute.license = reinterpret_cast<uint64_t>("BSD");
  // The verifier gives up when a signal is pending.
  long fd = -1;
  for (int tries = 0; fd < 0 && tries < kLoadTries; tries++) {
    fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof(attribute));
    if (fd < 0 && errno != EAGAIN) break;
  }
  return FileDescriptor(static_cast<int>(fd));
}

// A request about the interface's clsact qdisc, or about a filter of it, up to its attributes.
NetlinkMessage Request(uint16_t type, uint16_t flags, uint32_t interface, uint32_t parent,
                       uint32_t info) {
  NetlinkMessage message(type, static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags));
  tcmsg about = {};
  about.tcm_family = AF_UNSPEC;
  about.tcm_ifindex = static_cast<int>(interface);
  about.tcm_handle = parent == TC_H_CLSACT ? TC_H_MAKE(TC_H_CLSACT, 0) : 0;
  about.tcm_parent = parent;
  about.tcm_info = info;
  message.Append(&about, sizeof(about));
  message.Attribute(TCA_KIND, parent == TC_H_CLSACT ? "clsact" : "bpf");
  return message;
}

int Send(NetlinkMessage* message) {
  return message->Request(NETLINK_ROUTE, [](const uint8_t*, size_t) {});
}

// ENOENT: the kernel was built without it, or may not load the module.
absl::Status Failure(int error, const char* what, const char* module) {
  if (error != ENOENT) return absl::ErrnoToStatus(error, what);
  return absl::FailedPreconditionError(
      absl::StrCat("the kernel has no ", module, ": modprobe ", module));
}

}  // namespace

absl::Status HandOver(uint32_t from, uint32_t receiver) {
  EndHandOver(from);
  const FileDescriptor program = LoadProgram(receiver);
  if (program.get() < 0) return absl::ErrnoToStatus(errno, "loading a program of the classifier");
  NetlinkMessage qdisc = Request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, from, TC_H_CLSACT, 0);
  if (const int error = Send(&qdisc); error != 0) return Failure(error, "clsact", "sch_ingress");
  NetlinkMessage filter =
      Request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, from,
              TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(1u << 16, htons(ETH_P_ALL)));
  const size_t options = filter.Open(TCA_OPTIONS);
  filter.Attribute(TCA_BPF_FD, static_cast<uint32_t>(program.get()));
  filter.Attribute(TCA_BPF_NAME, kProgram);
  filter.Attribute(TCA_BPF_FLAGS, uint32_t{TCA_BPF_FLAG_ACT_DIRECT});
  filter.Close(options);
  const int error = Send(&filter);
  if (error == 0) return absl::OkStatus();
  EndHandOver(from);
  return Failure(error, "cls_bpf", "cls_bpf");
}

void EndHandOver(uint32_t from) {
  NetlinkMessage qdisc = Request(RTM_DELQDISC, 0, from, TC_H_CLSACT, 0);
  Send(&qdisc);  // fails where there is none
}

}  // namespace twinpath
