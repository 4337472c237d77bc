// SPDX-License-Identifier: BSD-3-Clause
// Loads the program with the plan as its constants, and runs it.

#include "src/xdp/traffic/live_sender.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "generate.skel.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/interface.h"
#include "src/kernel/xdp_program.h"
#include "src/xdp/program/libbpf_log.h"

namespace twinpath {
namespace {

absl::Status Failed(const std::string& what, int error) {
  const std::string log = xdp::TakeLibbpfLog();
  const std::string text = absl::StrCat(what, ": ", std::strerror(error),
                                        log.empty() ? "" : absl::StrCat(" (", log, ")"));
  if (error == EPERM || error == EACCES)
    return absl::PermissionDeniedError(
        absl::StrCat(text, "; XDP live frames need CAP_BPF and CAP_NET_ADMIN"));
  return absl::InternalError(text);
}

}  // namespace

void LiveSender::Destroy::operator()(generate_bpf* skeleton) const {
  generate_bpf__destroy(skeleton);
}

LiveSender::~LiveSender() = default;

absl::StatusOr<std::unique_ptr<LiveSender>> LiveSender::Create(const Link& link, const Plan& plan) {
  if (absl::Status fits = CheckLink(link, plan.longest()); !fits.ok()) return fits;
  if (plan.longest() > kLongest)
    return absl::InvalidArgumentError(
        absl::StrCat("XDP live frames have at most ", kLongest, " bytes; found ", plan.longest()));
  auto interface = FindInterface(link.name, link.name);
  if (!interface.ok()) return interface.status();
  if (!TakesNativeFrames(*interface))
    return absl::FailedPreconditionError(absl::StrCat(
        link.name, " takes no frames from XDP",
        link.kind == "veth"
            ? absl::StrCat(": its other end needs an XDP program, or GRO (ethtool "
                           "-K PEER gro on)")
            : absl::StrCat(" (its driver, ", interface->driver, ", has no such function)")));
  std::unique_ptr<LiveSender> sender(new LiveSender(link, plan.longest_frame()));
  if (absl::Status loaded = sender->Load(link, plan); !loaded.ok()) return loaded;
  sender->Register();
  return sender;
}

absl::Status LiveSender::Load(const Link& link, const Plan& plan) {
  xdp::CaptureLibbpfLog();
  skeleton_.reset(generate_bpf__open());
  if (!skeleton_) return Failed("opening the program", errno);
  std::memcpy(const_cast<tp_traffic*>(&skeleton_->rodata->traffic), &plan.traffic(),
              sizeof(tp_traffic));
  skeleton_->rodata->out_interface = link.index;
  const std::vector<tp_traffic_alias>& cells = plan.cells();
  if (!cells.empty()) {
    const int error =
        bpf_map__set_max_entries(skeleton_->maps.tp_cells, static_cast<uint32_t>(cells.size()));
    if (error) return Failed("sizing the map of flows", -error);
  }
  if (const int error = generate_bpf__load(skeleton_.get()))
    return Failed("loading the program", -error);
  if (cells.empty()) return absl::OkStatus();
  const size_t bytes = cells.size() * sizeof(cells[0]);
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                   bpf_map__fd(skeleton_->maps.tp_cells), 0);
  if (map == MAP_FAILED) return Failed("mapping the map of flows", errno);
  std::memcpy(map, cells.data(), bytes);
  munmap(map, bytes);
  return absl::OkStatus();
}

// A test run of more than one frame puts the program into the kernel's dispatcher of XDP programs,
// and removes it in the end. Each change waits until no CPU uses the old dispatcher, which takes
// about 10 ms (bpf_prog_test_run_xdp and bpf_dispatcher_change_prog in the kernel). A program that
// is attached in native mode stays in the dispatcher, so it is attached to an interface that
// nobody else sees. Where that fails, calls take longer, and no frame is lost.
void LiveSender::Register() {
  auto thread = NamespaceThread::Start();
  if (!thread.ok()) return;
  (*thread)->Run([this] {
    const auto index = MakeVeth("generate", 1);
    const FileDescriptor program(
        fcntl(bpf_program__fd(skeleton_->progs.tp_generate), F_DUPFD_CLOEXEC, 0));
    if (index.ok()) AttachXdp(*index, program, "native").IgnoreError();
  });
  registered_ = *std::move(thread);
}

// The kernel drops frames for an interface that has disappeared or is down, and says nothing.
absl::StatusOr<uint32_t> LiveSender::Send(uint32_t count) {
  if (absl::Status there = counts_.Check(); !there.ok()) return there;
  const uint64_t before = skeleton_->bss->next_number;
  bpf_test_run_opts options = {};
  options.sz = sizeof(options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<uint32_t>(frame_.size());
  options.repeat = static_cast<int>(count);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  const int error = bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.tp_generate), &options);
  // A signal ends a call early (EINTR); the program itself counts its frames.
  const uint64_t sent = skeleton_->bss->next_number - before;
  if (error && error != -EINTR && sent == 0)
    return Failed(absl::StrCat("BPF_PROG_TEST_RUN with live frames out of ", name_), -error);
  sent_ += sent;
  return static_cast<uint32_t>(sent);
}

}  // namespace twinpath
