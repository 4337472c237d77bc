// SPDX-License-Identifier: BSD-3-Clause
// What a reader must know of the machine to judge the figures, and the accounts from which CPU time
// is read. Reads only; main thread.

#ifndef TWINPATH_COMPARE_LAB_FACTS_H_
#define TWINPATH_COMPARE_LAB_FACTS_H_

#include <string>
#include <utility>
#include <vector>

#include "src/compare/lab/lab.h"
#include "src/compare/measure/cpu.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

std::vector<std::pair<std::string, std::string>> MachineFacts(const LabLinks& links);

// The accounts of the machine. `proc` is an open /proc that shows all processes, also those outside
// this one's PID namespace.
class MachineAccounts {
 public:
  explicit MachineAccounts(FileDescriptor proc);
  CpuAccounts Cpus() const;
  ProcessTimes Processes() const;

 private:
  std::string Read(const std::string& path) const;
  FileDescriptor proc_;
  double ticks_;
};

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_LAB_FACTS_H_
