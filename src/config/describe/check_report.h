// SPDX-License-Identifier: BSD-3-Clause
// The report that `twinpath check` prints about a policy: its meaning rule by rule, the cost of a
// decision, and likely mistakes. Pure functions.

#ifndef TWINPATH_CONFIG_DESCRIBE_CHECK_REPORT_H_
#define TWINPATH_CONFIG_DESCRIBE_CHECK_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/config/compile/compile.h"
#include "src/config/describe/loss_statistics.h"
#include "src/config/policy/policy.h"

namespace twinpath {

struct CheckReport {
  struct Rule {
    std::string name, match, when, fate;  // in words; `when` is empty if the rule always holds
    std::string long_run;                 // the statistics, in words
    LossSpec loss;
    LossStatistics statistics;
    bool reachable = true;  // by some packet, according to the keys
  };
  struct Port {
    std::string name;
    bool reads_headers = false;
    uint32_t shapes = 0;   // lookups for a packet, at most
    std::string fallback;  // the rule for packets that no lookup finds
  };
  std::string file, sha256;
  uint64_t seed = 0;
  bool drops_malformed = false;
  std::vector<Rule> rules;  // the last is the default
  std::vector<Port> ports;
  size_t shapes = 0, keys = 0;
  size_t table_bytes = 0;  // shared by all queues of a datapath
  bool has_flows = false;  // it also needs a flow table of --flow-memory bytes
  size_t queue_bytes = 0;  // stream states, for each queue of each port
  std::vector<std::string> warnings;
};

// `compiled` is `policy` compiled for its ports.
CheckReport MakeCheckReport(const Policy& policy, const CompiledPolicy& compiled);

std::string CheckText(const CheckReport& report);
nlohmann::ordered_json CheckJson(const CheckReport& report);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_DESCRIBE_CHECK_REPORT_H_
