// SPDX-License-Identifier: BSD-3-Clause
// What a port does about transport checksums that a sender left to its NIC to finish
// (src/policy/egress/checksum.h): the key "checksums" of a profile's port, and --checksums. Plain
// values; no thread.

#ifndef TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_
#define TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace twinpath {

struct PortSpec;

enum class Checksums {
  kAuto,      // by the driver of the port's interface
  kComplete,  // finishes those of the frames that it received and that leave by a port
  kLeave,     // leaves every frame as it came
};

// What errors say is allowed.
inline constexpr char kChecksumsAllowed[] = "\"complete\" or \"leave\"";

// "complete" or "leave"; nullopt for anything else.
std::optional<Checksums> ChecksumsOf(std::string_view word);

// Whether a port with this setting, whose kernel interface has this driver (empty: it has none),
// finishes checksums.
bool CompletesChecksums(Checksums setting, std::string_view driver);

// Applies every "complete", "leave" (for all ports) and "NAME=complete", "NAME=leave" of
// --checksums, in order. InvalidArgument names the option.
absl::Status ApplyChecksums(const std::vector<std::string>& options, std::vector<PortSpec>* ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_
