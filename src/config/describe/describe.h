// SPDX-License-Identifier: BSD-3-Clause
// Describes a policy in words, for people and not for programs. Pure functions.

#ifndef TWINPATH_CONFIG_DESCRIBE_DESCRIBE_H_
#define TWINPATH_CONFIG_DESCRIBE_DESCRIBE_H_

#include <string>
#include <string_view>

#include "src/config/describe/loss_statistics.h"
#include "src/config/policy/policy.h"

namespace twinpath {

// "UDP from anywhere on port lan to 10.0.0.0/8, destination ports 5000 to 5999"
std::string DescribeMatch(const MatchSpec& match);

// "for 10 s of every 1 min, for 5 % of the flows"; empty if the rule always holds.
std::string DescribeWhen(const RuleSpec& rule);

// A probability in a policy's form, "1%" or "0.01", as people read it: "1 %". Another text stays as
// it is.
std::string PercentOf(std::string_view text);

// "10 % lost in the long run, in bursts of 4 on average": the statistics of the rule's loss. Says
// "marked CE" of packets that the rule marks instead.
std::string DescribeStatistics(const RuleSpec& rule, const LossStatistics& statistics);

// What happens to a packet of the rule: its loss, then where the remaining packets go.
std::string DescribeFate(const RuleSpec& rule);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_DESCRIBE_DESCRIBE_H_
