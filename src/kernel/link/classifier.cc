// SPDX-License-Identifier: BSD-3-Clause
// bpf(2), RTM_NEWQDISC and RTM_NEWTFILTER.

#include "src/kernel/link/classifier.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/kernel/netlink.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

constexpr int kLoadTries = 10;
// Linux 6.6 and later; older headers do not name them.
constexpr uint32_t kTcxIngress = 46, kTcxEgress = 47;  // BPF_TCX_INGRESS, BPF_TCX_EGRESS
constexpr uint32_t kBefore = 1 << 3;                   // BPF_F_BEFORE

constexpr uint32_t kMaxPrograms = 64;  // BPF_MPROG_MAX

uint32_t AttachType(ClassifierHook hook) {
  return hook == ClassifierHook::kIngress ? kTcxIngress : kTcxEgress;
}

long Bpf(int command, bpf_attr* attribute) {
  return syscall(SYS_bpf, command, attribute, sizeof(*attribute));
}

uint32_t ParentOf(ClassifierHook hook) {
  return TC_H_MAKE(TC_H_CLSACT,
                   hook == ClassifierHook::kIngress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
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

uint32_t FilterInfo(uint16_t priority) {
  return TC_H_MAKE(static_cast<uint32_t>(priority) << 16, htons(ETH_P_ALL));
}

// ENOENT: the kernel was built without it, or may not load the module.
absl::Status Failure(int error, const char* what, const char* module) {
  if (error == 0) return absl::OkStatus();
  if (error != ENOENT) return absl::ErrnoToStatus(error, what);
  return absl::FailedPreconditionError(
      absl::StrCat("the kernel has no ", module, ": modprobe ", module));
}

}  // namespace

absl::StatusOr<FileDescriptor> LoadClassifier(const char* name,
                                              absl::Span<const bpf_insn> instructions) {
  bpf_attr attribute = {};
  attribute.prog_type = BPF_PROG_TYPE_SCHED_CLS;
  attribute.insns = reinterpret_cast<uint64_t>(instructions.data());
  attribute.insn_cnt = static_cast<uint32_t>(instructions.size());
  attribute.license = reinterpret_cast<uint64_t>("BSD");
  std::strncpy(attribute.prog_name, name, sizeof(attribute.prog_name) - 1);
  // The verifier gives up when a signal is pending.
  long fd = -1;
  for (int tries = 0; fd < 0 && tries < kLoadTries; tries++) {
    fd = Bpf(BPF_PROG_LOAD, &attribute);
    if (fd < 0 && errno != EAGAIN) break;
  }
  if (fd < 0) return absl::ErrnoToStatus(errno, "loading a program of the classifier");
  return FileDescriptor(static_cast<int>(fd));
}

absl::StatusOr<FileDescriptor> LinkClassifier(uint32_t interface, ClassifierHook hook,
                                              const FileDescriptor& program) {
  bpf_attr attribute = {};
  attribute.link_create.prog_fd = static_cast<uint32_t>(program.get());
  attribute.link_create.target_ifindex = interface;
  attribute.link_create.attach_type = AttachType(hook);
  attribute.link_create.flags = kBefore;
  const long fd = Bpf(BPF_LINK_CREATE, &attribute);
  if (fd >= 0) return FileDescriptor(static_cast<int>(fd));
  if (errno == EINVAL || errno == EOPNOTSUPP)
    return absl::UnimplementedError("the kernel has no links of the classifier (Linux 6.6 has)");
  return absl::ErrnoToStatus(errno, "BPF_LINK_CREATE at the classifier");
}

std::optional<ClassifierProgram> FirstOfOthers(uint32_t interface, ClassifierHook hook,
                                               const FileDescriptor& link) {
  bpf_link_info info = {};
  bpf_attr attribute = {};
  attribute.info.bpf_fd = static_cast<uint32_t>(link.get());
  attribute.info.info_len = sizeof(info);
  attribute.info.info = reinterpret_cast<uint64_t>(&info);
  if (link.get() < 0 || Bpf(BPF_OBJ_GET_INFO_BY_FD, &attribute) != 0) return std::nullopt;
  std::array<uint32_t, kMaxPrograms> programs = {};
  bpf_attr query = {};
  query.query.target_fd = interface;  // target_ifindex, which older headers do not name
  query.query.attach_type = AttachType(hook);
  query.query.prog_ids = reinterpret_cast<uint64_t>(programs.data());
  query.query.prog_cnt = kMaxPrograms;
  if (Bpf(BPF_PROG_QUERY, &query) != 0 || programs[0] == 0 || programs[0] == info.prog_id)
    return std::nullopt;
  return ClassifierProgram{programs[0], XdpProgramName(programs[0])};
}

absl::Status AddClsact(uint32_t interface) {
  NetlinkMessage qdisc =
      Request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, interface, TC_H_CLSACT, 0);
  return Failure(Send(&qdisc), "clsact", "sch_ingress");
}

void RemoveClsact(uint32_t interface) {
  NetlinkMessage qdisc = Request(RTM_DELQDISC, 0, interface, TC_H_CLSACT, 0);
  Send(&qdisc);  // fails where there is none
}

absl::Status AddFilter(uint32_t interface, ClassifierHook hook, uint16_t priority,
                       const std::string& name, const FileDescriptor& program) {
  NetlinkMessage filter = Request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, interface,
                                  ParentOf(hook), FilterInfo(priority));
  const size_t options = filter.Open(TCA_OPTIONS);
  filter.Attribute(TCA_BPF_FD, static_cast<uint32_t>(program.get()));
  filter.Attribute(TCA_BPF_NAME, name);
  filter.Attribute(TCA_BPF_FLAGS, uint32_t{TCA_BPF_FLAG_ACT_DIRECT});
  filter.Close(options);
  return Failure(Send(&filter), "cls_bpf", "cls_bpf");
}

void RemoveFilter(uint32_t interface, ClassifierHook hook, uint16_t priority) {
  NetlinkMessage filter =
      Request(RTM_DELTFILTER, 0, interface, ParentOf(hook), FilterInfo(priority));
  Send(&filter);
}

bool FilterNamed(uint32_t interface, ClassifierHook hook, uint16_t priority,
                 const std::string& name) {
  NetlinkMessage filters(RTM_GETTFILTER, NLM_F_REQUEST | NLM_F_DUMP);
  tcmsg about = {};
  about.tcm_family = AF_UNSPEC;
  about.tcm_ifindex = static_cast<int>(interface);
  about.tcm_parent = ParentOf(hook);
  filters.Append(&about, sizeof(about));
  bool found = false;
  const auto read_option = [&](uint16_t type, const uint8_t* data, size_t length) {
    found = found || (type == TCA_BPF_NAME && length == name.size() + 1 &&
                      std::memcmp(data, name.c_str(), length) == 0);
  };
  filters.Request(NETLINK_ROUTE, [&](const uint8_t* data, size_t size) {
    tcmsg header = {};
    if (size < sizeof(header)) return;
    std::memcpy(&header, data, sizeof(header));
    if (TC_H_MAJ(header.tcm_info) >> 16 != priority) return;
    ForEachAttribute(data + sizeof(header), size - sizeof(header),
                     [&](uint16_t type, const uint8_t* value, size_t length) {
                       if (type == TCA_OPTIONS) ForEachAttribute(value, length, read_option);
                     });
  });
  return found;
}

}  // namespace twinpath
