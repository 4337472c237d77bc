// SPDX-License-Identifier: BSD-3-Clause
// Which clock the times of tags are of: CLOCK_MONOTONIC counts from a machine's boot, so two times
// compare only within one boot of one machine. Any thread.

#ifndef TWINPATH_TRAFFIC_FRAMES_CLOCK_ID_H_
#define TWINPATH_TRAFFIC_FRAMES_CLOCK_ID_H_

#include <cstdint>

namespace twinpath {

// A hash of this boot of this machine.
uint16_t ClockId();

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_FRAMES_CLOCK_ID_H_
