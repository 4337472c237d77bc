// SPDX-License-Identifier: BSD-3-Clause
// The program that is going to run, and what it may: not what twinpath doctor itself may. Main
// thread.

#ifndef TWINPATH_DOCTOR_PROGRAM_H_
#define TWINPATH_DOCTOR_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <string>

namespace twinpath {

// Where program `name` is: beside this one, else in $PATH; empty: nowhere.
std::string FindProgram(const std::string& name);

// What a process is, as far as execve(2) goes by it.
struct ProcessRights {
  uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
  uint32_t user = 0;  // effective
  bool no_new_privileges = false;
};

// Of /proc/PID/status's text.
ProcessRights ParseRights(const std::string& status);

// What a file has of its own: security.capability, set-user-ID root.
struct FileRights {
  uint64_t permitted = 0, inheritable = 0;
  bool any = false, effective = false;
  bool root = false;
};

// Nothing where the file system is mounted nosuid.
FileRights ReadFileRights(const std::string& file);
// Of the extended attribute's octets (linux/capability.h: vfs_cap_data).
FileRights ParseFileRights(const std::string& attribute);

// The effective capabilities after execve(2), by the rules of capabilities(7).
uint64_t RightsAfterExec(const ProcessRights& process, const FileRights& file);

// The effective capabilities that `program` would start with, run by this process; nothing: it
// cannot be told.
std::optional<uint64_t> CapabilitiesOf(const std::string& program);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_PROGRAM_H_
