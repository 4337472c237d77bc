// SPDX-License-Identifier: BSD-3-Clause
// The words of the setting, and the drivers whose frames may have unfinished checksums.

#include "src/config/profile/checksums.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "src/config/json/mistakes.h"
#include "src/config/profile/profile.h"

namespace twinpath {
namespace {

// Drivers as `ethtool -i` names them. Their frames come from a kernel or a virtual machine that
// leaves checksums to a NIC. "tun" also drives TAP devices.
constexpr std::array kUnfinished = {"veth", "tun", "virtio_net"};

}  // namespace

std::optional<Checksums> ChecksumsOf(std::string_view word) {
  if (word == "complete") return Checksums::kComplete;
  if (word == "leave") return Checksums::kLeave;
  return std::nullopt;
}

bool CompletesChecksums(Checksums setting, std::string_view driver) {
  if (setting != Checksums::kAuto) return setting == Checksums::kComplete;
  return std::find(kUnfinished.begin(), kUnfinished.end(), driver) != kUnfinished.end();
}

absl::StatusOr<bool> CompletesChecksums(const std::string& option) {
  const auto setting = option.empty() ? Checksums::kLeave : ChecksumsOf(option);
  if (!setting.has_value()) return FoundError("--checksums", "", Quote(option), kChecksumsAllowed);
  return *setting == Checksums::kComplete;
}

absl::Status ApplyChecksums(const std::vector<std::string>& options, std::vector<PortSpec>* ports) {
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    const bool all = equals == std::string::npos;
    const auto setting = ChecksumsOf(all ? option : option.substr(equals + 1));
    if (!setting.has_value())
      return FoundError("--checksums", "", Quote(option),
                        absl::StrCat(kChecksumsAllowed, ", or NAME= and one of them"));
    bool found = all;
    for (PortSpec& port : *ports) {
      if (!all && port.name != option.substr(0, equals)) continue;
      port.checksums = *setting;
      found = true;
    }
    if (!found)
      return FoundError("--checksums", "", Quote(option), "the name of a port that is given");
  }
  return absl::OkStatus();
}

}  // namespace twinpath
