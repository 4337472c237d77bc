// SPDX-License-Identifier: BSD-3-Clause
// The result of one check of twinpath doctor. Plain values; no thread.

#ifndef TWINPATH_DOCTOR_FINDING_H_
#define TWINPATH_DOCTOR_FINDING_H_

#include <string>
#include <vector>

namespace twinpath {

struct Finding {
  enum class Grade {
    kOk,
    kNote,     // information
    kWarning,  // the path starts, but is slower or less safe
    kMissing,  // the path does not start
  };
  enum class Path { kBoth, kDpdk, kXdp };

  Grade grade = Grade::kOk;
  Path path = Path::kBoth;  // the path that does not start if the grade is kMissing
  std::string check;        // "hugepages"
  std::string subject;      // "2 MiB, node 0"; may be empty
  std::string found;
  std::string needed;  // empty: nothing
  std::string fix;     // the command; empty: nothing to fix
};

using Findings = std::vector<Finding>;

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_FINDING_H_
