// SPDX-License-Identifier: BSD-3-Clause

#include "src/xdp/bare/bare.h"

#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bare.skel.h"
#include "src/kernel/link/link.h"
#include "src/xdp/program/libbpf_log.h"

namespace twinpath {
namespace {

constexpr size_t kEventPages = 64;  // of each CPU
constexpr int kEventWait = 100;     // ms

absl::Status Failed(const std::string& what, int error) {
  const std::string log = xdp::TakeLibbpfLog();
  const std::string text = absl::StrCat(what, ": ", std::strerror(error),
                                        log.empty() ? "" : absl::StrCat(" (", log, ")"));
  if (error == EPERM || error == EACCES) return absl::PermissionDeniedError(text);
  return absl::InternalError(text);
}

}  // namespace

void BareXdp::Destroy::operator()(bare_bpf* skeleton) const { bare_bpf__destroy(skeleton); }
void BareXdp::Destroy::operator()(perf_buffer* buffer) const { perf_buffer__free(buffer); }

BareXdp::~BareXdp() = default;

absl::StatusOr<std::unique_ptr<BareXdp>> BareXdp::Attach(BareProgram program,
                                                         const std::string& interface,
                                                         const std::string& out) {
  xdp::CaptureLibbpfLog();
  const uint32_t index = IndexOfLink(interface);
  if (index == 0) return absl::NotFoundError(absl::StrCat("there is no interface ", interface));
  std::unique_ptr<BareXdp> bare(new BareXdp());
  bare->skeleton_.reset(bare_bpf__open());
  if (!bare->skeleton_) return Failed("opening the bare XDP programs", errno);
  bare->skeleton_->rodata->out_interface = out.empty() ? 0 : IndexOfLink(out);
  if (const int error = bare_bpf__load(bare->skeleton_.get()))
    return Failed("loading the bare XDP programs", -error);
  const auto& progs = bare->skeleton_->progs;
  const bpf_program* chosen = nullptr;
  switch (program) {
    case BareProgram::kDrop:
      chosen = progs.bare_drop;
      break;
    case BareProgram::kPass:
      chosen = progs.bare_pass;
      break;
    case BareProgram::kRedirect:
      chosen = progs.bare_redirect;
      break;
    case BareProgram::kReflect:
      chosen = progs.bare_reflect;
      break;
    case BareProgram::kTwoEvents:
      chosen = progs.bare_two_events;
      if (absl::Status s = bare->ReadEvents(); !s.ok()) return s;
      break;
  }
  if (const int error = bare->link_.Attach(bpf_program__fd(chosen), index, XDP_FLAGS_DRV_MODE))
    return Failed(absl::StrCat("attaching an XDP program to ", interface), error);
  return bare;
}

// dilih's reader looks at each event, and so does this one: it must take them off the ring, or the
// program would not pay for writing them.
absl::Status BareXdp::ReadEvents() {
  events_.reset(perf_buffer__new(
      bpf_map__fd(skeleton_->maps.events), kEventPages, [](void*, int, void*, uint32_t) {}, nullptr,
      nullptr, nullptr));
  if (!events_) return Failed("opening perf events", errno);
  reader_ = std::jthread([buffer = events_.get()](const std::stop_token& stop) {
    while (!stop.stop_requested()) perf_buffer__poll(buffer, kEventWait);
  });
  return absl::OkStatus();
}

uint64_t BareXdp::Dropped() const {
  const uint32_t first = 0;
  std::vector<uint64_t> of_cpus(static_cast<size_t>(libbpf_num_possible_cpus()));
  if (bpf_map__lookup_elem(skeleton_->maps.bare_dropped, &first, sizeof(first), of_cpus.data(),
                           of_cpus.size() * sizeof(uint64_t), 0) != 0)
    return 0;
  return std::accumulate(of_cpus.begin(), of_cpus.end(), uint64_t{0});
}

}  // namespace twinpath
