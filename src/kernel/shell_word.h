// SPDX-License-Identifier: BSD-3-Clause
// Quotes what a command has to name, so that the advice of an error works as typed: an interface
// may be called "a;b". Pure function.

#ifndef TWINPATH_KERNEL_SHELL_WORD_H_
#define TWINPATH_KERNEL_SHELL_WORD_H_

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace twinpath {

// `text`, quoted as one word of a shell.
inline std::string ShellWord(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || std::strchr("_./-+:@%,", c) != nullptr;
  });
  return plain ? text : absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_SHELL_WORD_H_
