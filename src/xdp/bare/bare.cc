// SPDX-License-Identifier: BSD-3-Clause

#include "src/xdp/bare/bare.h"

#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "bare.skel.h"
#include "src/kernel/link/link.h"
#include "src/xdp/program/libbpf_log.h"

namespace twinpath {
namespace {

absl::Status Failed(const std::string& what, int error) {
  const std::string log = xdp::TakeLibbpfLog();
  const std::string text = absl::StrCat(what, ": ", std::strerror(error),
                                        log.empty() ? "" : absl::StrCat(" (", log, ")"));
  if (error == EPERM || error == EACCES) return absl::PermissionDeniedError(text);
  return absl::InternalError(text);
}

}  // namespace

void BareXdp::Destroy::operator()(bare_bpf* skeleton) const { bare_bpf__destroy(skeleton); }

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
  const bpf_program* chosen = program == BareProgram::kDrop   ? progs.bare_drop
                              : program == BareProgram::kPass ? progs.bare_pass
                                                              : progs.bare_redirect;
  if (const int error = bare->link_.Attach(bpf_program__fd(chosen), index, XDP_FLAGS_DRV_MODE))
    return Failed(absl::StrCat("attaching an XDP program to ", interface), error);
  return bare;
}

}  // namespace twinpath
