// SPDX-License-Identifier: BSD-3-Clause
// The forward actions by name, from the list in src/policy/actions.h.
#ifndef TWINPATH_CONFIG_POLICY_ACTIONS_H_
#define TWINPATH_CONFIG_POLICY_ACTIONS_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "src/policy/actions.h"

namespace twinpath {

// One line of TP_ACTIONS.
struct Action {
  tp_action number;
  std::string_view word;
  tp_leaves_by leaves_by;
  bool fast;
  std::string_view sentence;
};

// Indexed by tp_action.
inline constexpr std::array<Action, TP_ACTION_COUNT> kActions = {{
#define TP_ACTION_ROW(name, word, leaves_by, fast, sentence) \
  {TP_ACTION_##name, word, TP_LEAVES_BY_##leaves_by, fast != 0, sentence},
    TP_ACTIONS(TP_ACTION_ROW)
#undef TP_ACTION_ROW
}};

// The words that a policy's "forward" and --forward allow, in the order of the list.
std::vector<std::string> ActionWords();

// The action for one of these words, or nullptr.
const Action* FindAction(std::string_view word);

// Describes an action for people. `which` is " the rest" or empty. `port` is the port's name, if
// the action has one.
std::string DescribeAction(tp_action action, std::string_view which, std::string_view port);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_POLICY_ACTIONS_H_
