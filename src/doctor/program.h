// SPDX-License-Identifier: BSD-3-Clause
// The program to start and its capabilities, which differ from those of twinpath doctor. Main
// thread.

#ifndef TWINPATH_DOCTOR_PROGRAM_H_
#define TWINPATH_DOCTOR_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <string>

namespace twinpath {

// The path of program `name`: beside this program, or else in $PATH. Empty if not found.
std::string FindProgram(const std::string& name);

// The attributes of a process that execve(2) uses.
struct ProcessRights {
  uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
  uint32_t user = 0;  // effective
  bool no_new_privileges = false;
};

// Parses the text of /proc/PID/status.
ProcessRights ParseRights(const std::string& status);

// The attributes of a file that execve(2) uses: security.capability, set-user-ID root.
struct FileRights {
  uint64_t permitted = 0, inheritable = 0;
  bool any = false, effective = false;
  bool root = false;
};

// Reads them from a file. None if the file system is mounted nosuid.
FileRights ReadFileRights(const std::string& file);
// Parses the bytes of the extended attribute (linux/capability.h: vfs_cap_data).
FileRights ParseFileRights(const std::string& attribute);

// The effective capabilities after execve(2), by the rules of capabilities(7).
uint64_t RightsAfterExec(const ProcessRights& process, const FileRights& file);

// The effective capabilities of `program` when this process starts it; nullopt: unknown.
std::optional<uint64_t> CapabilitiesOf(const std::string& program);

}  // namespace twinpath

#endif  // TWINPATH_DOCTOR_PROGRAM_H_
