// SPDX-License-Identifier: BSD-3-Clause
// Names of actions. Pure functions with a constant table.

#include "src/config/policy/actions.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace twinpath {
namespace {

// An action with a port has no word: it is {"port": NAME} in a policy, and NAME for --forward.
bool HasWord(const Action& action) { return action.leaves_by != TP_LEAVES_BY_PORT; }

}  // namespace

std::vector<std::string> ActionWords() {
  std::vector<std::string> words;
  for (const Action& action : kActions)
    if (HasWord(action)) words.emplace_back(action.word);
  return words;
}

const Action* FindAction(std::string_view word) {
  for (const Action& action : kActions)
    if (HasWord(action) && action.word == word) return &action;
  return nullptr;
}

std::string DescribeAction(tp_action action, std::string_view which, std::string_view port) {
  return absl::StrReplaceAll(std::string(kActions[action].sentence),
                             {{"%s", std::string(which)}, {"%p", std::string(port)}});
}

}  // namespace twinpath
