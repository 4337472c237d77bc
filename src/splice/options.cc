// SPDX-License-Identifier: BSD-3-Clause
// The names of the modes.

#include "src/splice/options.h"

namespace twinpath::splice {

const char* ModeName(Mode mode) {
  switch (mode) {
    case Mode::kCopy:
      return "copy";
    case Mode::kSplice:
      return "splice";
    case Mode::kSockmap:
      break;
  }
  return "sockmap";
}

}  // namespace twinpath::splice
