// SPDX-License-Identifier: BSD-3-Clause
// Reads file capabilities and applies the rules of the kernel's security/commoncap.c. Main thread.

#include "src/doctor/program.h"

#include <endian.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace twinpath {
namespace {

namespace fs = std::filesystem;

uint32_t Word(const std::string& attribute, size_t at) {
  uint32_t word = 0;
  if (at + sizeof(word) <= attribute.size())
    std::memcpy(&word, attribute.data() + at, sizeof(word));
  return le32toh(word);
}

}  // namespace

std::string FindProgram(const std::string& name) {
  std::error_code error;
  std::vector<fs::path> folders = {fs::read_symlink("/proc/self/exe", error).parent_path()};
  const char* path = std::getenv("PATH");
  std::istringstream parts(path == nullptr ? "" : path);
  for (std::string part; std::getline(parts, part, ':');) folders.emplace_back(part);
  for (const fs::path& folder : folders) {
    const std::string file = folder / name;
    if (fs::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

ProcessRights ParseRights(const std::string& status) {
  ProcessRights rights;
  std::istringstream lines(status);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = std::min(line.find(':'), line.size());
    const std::string key = line.substr(0, colon);
    const char* value = line.c_str() + std::min(colon + 1, line.size());
    for (auto [name, set] :
         {std::pair("CapEff", &rights.effective), std::pair("CapPrm", &rights.permitted),
          std::pair("CapInh", &rights.inheritable), std::pair("CapBnd", &rights.bounding),
          std::pair("CapAmb", &rights.ambient)})
      if (key == name) *set = std::strtoull(value, nullptr, 16);
    uint32_t real = 0;
    if (key == "Uid") std::istringstream(value) >> real >> rights.user;
    if (key == "NoNewPrivs") rights.no_new_privileges = std::atoi(value) != 0;
  }
  return rights;
}

FileRights ParseFileRights(const std::string& attribute) {
  FileRights rights;
  const uint32_t magic = Word(attribute, 0);
  const bool wide = (magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_1;
  if (attribute.size() < (wide ? XATTR_CAPS_SZ_2 : XATTR_CAPS_SZ_1)) return rights;
  rights.any = true;
  rights.effective = magic & VFS_CAP_FLAGS_EFFECTIVE;
  rights.permitted = Word(attribute, 4);
  rights.inheritable = Word(attribute, 8);
  if (!wide) return rights;
  rights.permitted |= static_cast<uint64_t>(Word(attribute, 12)) << 32;
  rights.inheritable |= static_cast<uint64_t>(Word(attribute, 16)) << 32;
  return rights;
}

FileRights ReadFileRights(const std::string& file) {
  struct statvfs system = {};
  struct stat about = {};
  if (statvfs(file.c_str(), &system) != 0 || system.f_flag & ST_NOSUID ||
      stat(file.c_str(), &about) != 0)
    return {};
  char attribute[XATTR_CAPS_SZ_3] = {};
  const ssize_t size = getxattr(file.c_str(), "security.capability", attribute, sizeof(attribute));
  FileRights rights =
      ParseFileRights(std::string(attribute, size > 0 ? static_cast<size_t>(size) : 0));
  rights.root = about.st_mode & S_ISUID && about.st_uid == 0;
  return rights;
}

uint64_t RightsAfterExec(const ProcessRights& process, const FileRights& file) {
  const bool raises = !process.no_new_privileges;
  const bool root = process.user == 0 || (file.root && raises);
  // With no_new_privs, a process gets only the capabilities that it has.
  const uint64_t most = raises ? ~uint64_t{0} : process.permitted;
  if (root) return (process.inheritable | process.bounding) & most;
  if (!file.any) return process.ambient;
  const uint64_t permitted =
      ((process.inheritable & file.inheritable) | (process.bounding & file.permitted)) & most;
  return file.effective ? permitted : 0;
}

std::optional<uint64_t> CapabilitiesOf(const std::string& program) {
  std::ifstream file("/proc/self/status");
  std::ostringstream status;
  status << file.rdbuf();
  if (program.empty() || status.str().empty()) return std::nullopt;
  return RightsAfterExec(ParseRights(status.str()), ReadFileRights(program));
}

}  // namespace twinpath
