// SPDX-License-Identifier: BSD-3-Clause
// Quotes names in shell commands, so that the command in an error works as typed: an interface may
// be called "a;b". Pure function.

#ifndef TWINPATH_KERNEL_SHELL_WORD_H_
#define TWINPATH_KERNEL_SHELL_WORD_H_

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace twinpath {

// `text` as one word for a shell, quoted if necessary.
inline std::string ShellWord(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::strchr("_./-+:@%,", c) != nullptr;
  });
  return plain ? text : absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_SHELL_WORD_H_
