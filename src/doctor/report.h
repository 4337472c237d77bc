// SPDX-License-Identifier: BSD-3-Clause
// What twinpath doctor prints. Pure; any thread.

#ifndef TWINPATH_DOCTOR_REPORT_H_
#define TWINPATH_DOCTOR_REPORT_H_

#include <string>
#include <vector>

#include "src/doctor/finding.h"
#include "nlohmann/json.hpp"

namespace twinpath {

// Whether one path would start.
struct PathVerdict {
  std::string path;     // "dpdk", "xdp"
  std::string what;     // "two net_null ports"; empty with a profile
  std::string refusal;  // what the program would say; empty: it would start
};

struct DoctorReport {
  std::string profile;  // the file; empty: none
  Findings findings;
  std::vector<PathVerdict> verdicts;

  // A path starts where its program would not refuse and nothing that it needs is missing.
  bool Starts(const PathVerdict& verdict) const;
  bool Starts() const;  // all of them
};

std::string DoctorText(const DoctorReport& report);
nlohmann::ordered_json DoctorJson(const DoctorReport& report);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_REPORT_H_
