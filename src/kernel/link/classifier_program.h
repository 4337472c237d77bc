// SPDX-License-Identifier: BSD-3-Clause
// A program of the kernel's packet classifier, for people. Plain values; no thread.

#ifndef TWINPATH_KERNEL_LINK_CLASSIFIER_PROGRAM_H_
#define TWINPATH_KERNEL_LINK_CLASSIFIER_PROGRAM_H_

#include <cstdint>
#include <string>

namespace twinpath {

struct ClassifierProgram {
  uint32_t id = 0;
  std::string name;  // empty: unknown
};

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_CLASSIFIER_PROGRAM_H_
