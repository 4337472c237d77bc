// SPDX-License-Identifier: BSD-3-Clause
// Hashes the kernel's boot id.

#include "src/traffic/frames/clock_id.h"

#include <string>

#include "src/kernel/machine.h"
#include "src/policy/random.h"

namespace twinpath {

uint16_t ClockId() {
  static const uint16_t id = [] {
    const std::string boot = Machine().Read("/proc/sys/kernel/random/boot_id");
    return static_cast<uint16_t>(tp_name_hash(boot.data(), boot.size()));
  }();
  return id;
}

}  // namespace twinpath
