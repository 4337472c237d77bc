// SPDX-License-Identifier: BSD-3-Clause
// One thing that twinpath doctor looked at. Plain values; no thread.

#ifndef TWINPATH_DOCTOR_FINDING_H_
#define TWINPATH_DOCTOR_FINDING_H_

#include <string>
#include <vector>

namespace twinpath {

struct Finding {
  enum class Grade {
    kOk,
    kNote,     // nothing to do; good to know
    kWarning,  // starts, but slower, or not safely
    kMissing,  // does not start without
  };
  enum class Path { kBoth, kDpdk, kXdp };

  Grade grade = Grade::kOk;
  Path path = Path::kBoth;  // whom a kMissing keeps from starting
  std::string check;        // "hugepages"
  std::string subject;      // "2 MiB, node 0"; may be empty
  std::string found;
  std::string needed;  // empty where nothing is
  std::string mend;    // the command; empty where nothing is to be mended
};

using Findings = std::vector<Finding>;

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_FINDING_H_
