// SPDX-License-Identifier: BSD-3-Clause
// One lock file for each --file-prefix, because DPDK takes no lock with --in-memory. Control
// thread.

#include "src/dpdk/eal/file_prefix_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "src/telemetry/server/protocol.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

constexpr char kLock[] = "/twinpath.lock";

// Whether another DPDK program serves telemetry in this folder.
bool TelemetryAnswers(const std::string& folder) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/dpdk_telemetry.v2";
  if (path.size() >= sizeof(address.sun_path)) return false;
  path.copy(address.sun_path, path.size());
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool answers = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return answers;
}

// Whether another DPDK program holds this folder's shared configuration.
bool ConfigurationHeld(const std::string& folder) {
  int fd = open((folder + "/config").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return held;
}

}  // namespace

absl::StatusOr<FilePrefixLock> FilePrefixLock::Create(const std::string& file_prefix) {
  const std::string folder = RuntimeFolder(file_prefix);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("mkdir ", folder, ": ", error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
  int fd = open((folder + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("open(", folder, kLock, ")"));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 || TelemetryAnswers(folder) || ConfigurationHeld(folder)) {
    close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("file prefix '", file_prefix,
                     "' is in use by a running DPDK program; choose another: --file-prefix NAME"));
  }
  return FilePrefixLock(folder, fd);
}

FilePrefixLock::~FilePrefixLock() {
  if (lock_ < 0) return;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (!entry.is_directory(error)) fs::remove(entry.path(), error);
  fs::remove(folder_, error);
  fs::remove(fs::path(folder_).parent_path(), error);  // succeeds only if it is empty
  close(lock_);
}

}  // namespace twinpath
