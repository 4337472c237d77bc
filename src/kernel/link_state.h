// SPDX-License-Identifier: BSD-3-Clause
// The link state of a kernel interface, in the words of both paths. Any thread; reads only, in the
// calling thread's network namespace.

#ifndef TWINPATH_KERNEL_LINK_STATE_H_
#define TWINPATH_KERNEL_LINK_STATE_H_

#include <cstdint>
#include <string>

namespace twinpath {

inline constexpr char kLinkUp[] = "up";
inline constexpr char kLinkDown[] = "down";
inline constexpr char kLinkGone[] = "gone";

// The state of the interface with this index: kLinkUp, kLinkDown, or kLinkGone where it is gone.
std::string LinkState(uint32_t index);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_STATE_H_
