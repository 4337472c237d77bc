// SPDX-License-Identifier: BSD-3-Clause
// Reads capabilities and the bpffs.

#include "src/xdp/attach/preflight.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/kernel/machine.h"
#include "src/kernel/xdp_program.h"

namespace twinpath {
namespace {

constexpr char kBpfFolder[] = "/sys/fs/bpf";

bool Has(uint64_t effective, uint32_t capability) { return effective >> capability & 1; }

}  // namespace

absl::Status CheckXdpPrivileges() { return CheckXdpPrivileges(EffectiveCapabilities()); }

absl::Status CheckXdpPrivileges(uint64_t effective) {
  const bool admin = Has(effective, CAP_SYS_ADMIN);  // includes the BPF capabilities
  std::vector<std::string> missing;
  if (!Has(effective, CAP_NET_ADMIN)) missing.push_back("CAP_NET_ADMIN");
  if (!Has(effective, CAP_BPF) && !admin) missing.push_back("CAP_BPF");
  if (!Has(effective, CAP_PERFMON) && !admin) missing.push_back("CAP_PERFMON");
  if (missing.empty()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("attaching an XDP program needs ",
                                                  absl::StrJoin(missing, " and "),
                                                  ": run it as root, with sudo"));
}

absl::Status CheckXdpMounts() {
  if (!Machine().IsEmpty("/sys")) return absl::OkStatus();
  return absl::FailedPreconditionError(MountAdvice("/sys", "libbpf"));
}

std::string PinFolder(const std::string& port) {
  std::string folder = port;
  std::replace(folder.begin(), folder.end(), '.', ':');
  return absl::StrCat(kXdpPins, "/", folder);
}

absl::Status CheckPins(const std::string& port) {
  struct statfs mount = {};
  if (statfs(kBpfFolder, &mount) || mount.f_type != BPF_FS_MAGIC)
    return absl::FailedPreconditionError(absl::StrCat("--pin: no bpffs is mounted at ", kBpfFolder,
                                                      "; mount it with: mount -t bpf bpf ",
                                                      kBpfFolder));
  const std::string folder = PinFolder(port);
  std::error_code error;
  if (std::filesystem::exists(folder, error))
    return absl::FailedPreconditionError(absl::StrCat("port ", port, ": ", folder,
                                                      " holds the pins of an earlier run; remove "
                                                      "them with: rm -r ",
                                                      folder));
  return absl::OkStatus();
}

}  // namespace twinpath
