// SPDX-License-Identifier: BSD-3-Clause
// The output of twinpath doctor. Pure functions; any thread.

#ifndef TWINPATH_DOCTOR_REPORT_H_
#define TWINPATH_DOCTOR_REPORT_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/doctor/finding.h"

namespace twinpath {

// Whether one path can start.
struct PathVerdict {
  std::string path;     // "dpdk", "xdp"
  std::string what;     // "two net_null ports"; empty with a profile
  std::string refusal;  // the program's error; empty: it would start
};

struct DoctorReport {
  std::string profile;  // the file; empty: none
  Findings findings;
  std::vector<PathVerdict> verdicts;

  // Whether the path starts: nothing is missing, and its program would not refuse.
  bool Starts(const PathVerdict& verdict) const;
  bool Starts() const;  // whether all paths start
};

std::string DoctorText(const DoctorReport& report);
nlohmann::ordered_json DoctorJson(const DoctorReport& report);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_REPORT_H_
