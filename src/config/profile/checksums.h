// SPDX-License-Identifier: BSD-3-Clause
// Whether a port finishes transport checksums that a sender left to its NIC
// (src/policy/egress/checksum.h): the key "checksums" of a profile's port, and --checksums. Plain
// values; no thread.

#ifndef TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_
#define TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace twinpath {

struct PortSpec;

enum class Checksums {
  kAuto,      // depends on the driver of the port's interface
  kComplete,  // finishes them in frames that the port received and that leave by a port
  kLeave,     // changes no frame
};

// The allowed values, for errors.
inline constexpr char kChecksumsAllowed[] = "\"complete\" or \"leave\"";

// "complete" or "leave"; nullopt for anything else.
std::optional<Checksums> ChecksumsOf(std::string_view word);

// Whether a port with this setting finishes checksums. `driver` is the driver of its kernel
// interface; empty: it has none.
bool CompletesChecksums(Checksums setting, std::string_view driver);

// Whether a --checksums for no particular interface asks to finish checksums: true for "complete",
// false for "leave" and "". InvalidArgument names the option.
absl::StatusOr<bool> CompletesChecksums(const std::string& option);

// Applies the values of --checksums in order: "complete" or "leave" for all ports,
// "NAME=complete" or "NAME=leave" for one. InvalidArgument names the option.
absl::Status ApplyChecksums(const std::vector<std::string>& options, std::vector<PortSpec>* ports);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_PROFILE_CHECKSUMS_H_
