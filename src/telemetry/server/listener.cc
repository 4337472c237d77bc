// SPDX-License-Identifier: BSD-3-Clause
// The listening end of a telemetry socket. One thread.

#include "src/telemetry/server/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/telemetry/server/protocol.h"

namespace twinpath {
namespace {

constexpr int kBacklog = 64;
// Attempts to open a folder. A server that ends removes its folder, so an attempt may fail.
constexpr int kTries = 100;

absl::Status SystemError(const std::string& what) {
  return absl::ErrnoToStatus(errno, "telemetry: " + what);
}

// Makes the last two folders of the path; the folders above must exist.
absl::Status MakeFolder(const std::string& folder) {
  for (const std::string& path : {folder.substr(0, folder.rfind('/')), folder})
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return SystemError("mkdir " + path);
  return absl::OkStatus();
}

// Makes the folder if it does not exist, and opens it. A server that ends may remove it meanwhile.
absl::StatusOr<FileDescriptor> OpenFolder(const std::string& folder) {
  for (int tries = 0;; tries++) {
    if (absl::Status made = MakeFolder(folder); !made.ok()) {
      if (absl::IsNotFound(made) && tries < kTries) continue;
      return made;
    }
    FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() >= 0) return opened;
    if (errno != ENOENT || tries == kTries) return SystemError("open " + folder);
  }
}

// Whether `path` still leads to the opened folder.
bool IsAt(int opened, const std::string& path) {
  struct stat one = {}, other = {};
  return fstat(opened, &one) == 0 && stat(path.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Locks the folder against other servers; AlreadyExists if one holds the lock. The lock prevents a
// race between the test whether a server listens and bind(). The kernel releases the lock when its
// owner ends, even by kill -9.
absl::Status LockFolder(int folder, const std::string& path) {
  // A server holds the lock all its life; a DPDK program holds it for a moment while it starts.
  for (int tries = 0; flock(folder, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK) return SystemError("flock " + path);
    if (tries == 10) return absl::AlreadyExistsError(path);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptor> OpenSocket() {
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return SystemError("socket");
  return fd;
}

sockaddr_un Address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // TelemetrySocketPath bounds it
  return address;
}

absl::Status InUse(const std::string& path, int connected) {
  ucred owner = {};
  socklen_t size = sizeof(owner);
  std::string who = "another program";
  if (connected >= 0 && getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &owner, &size) == 0)
    who = absl::StrCat("process ", owner.pid);
  return absl::AlreadyExistsError(absl::StrCat(
      path, " is served by ", who, "; end it, or start this program with another --file-prefix"));
}

// AlreadyExists if a server listens on `path`. Only this check finds a program that does not hold
// our lock, such as a DPDK program.
absl::Status CheckNotServed(const std::string& path) {
  absl::StatusOr<FileDescriptor> probe = OpenSocket();
  if (!probe.ok()) return probe.status();
  const sockaddr_un address = Address(path);
  if (connect(probe->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return InUse(path, probe->get());
  // EAGAIN: a server listens, but its queue is full. EPROTOTYPE: a socket of another type. Neither
  // socket may be removed.
  if (errno == ENOENT || errno == ECONNREFUSED) return absl::OkStatus();
  if (errno == EAGAIN) return InUse(path, -1);
  return SystemError("connect " + path);
}

}  // namespace

absl::StatusOr<TelemetryListener> TelemetryListener::Open(const std::string& file_prefix) {
  absl::StatusOr<std::string> path = TelemetrySocketPath(file_prefix);
  if (!path.ok()) return path.status();
  const std::string folder_path = RuntimeFolder(file_prefix);
  for (int tries = 0;; tries++) {
    absl::StatusOr<FileDescriptor> folder = OpenFolder(folder_path);
    if (!folder.ok()) return folder.status();
    const absl::Status locked = LockFolder(folder->get(), folder_path);
    // The server that held the lock may have removed the folder.
    if (locked.ok() && !IsAt(folder->get(), folder_path) && tries < kTries) continue;
    TelemetryListener listener(*std::move(folder), *path);
    if (absl::Status status = CheckNotServed(*path); !status.ok()) return status;
    if (!locked.ok()) return absl::IsAlreadyExists(locked) ? InUse(*path, -1) : locked;
    listener.owned_ = true;
    if (absl::Status status = listener.Listen(); !status.ok()) return status;
    return listener;
  }
}

absl::Status TelemetryListener::Listen() {
  absl::StatusOr<FileDescriptor> socket = OpenSocket();
  if (!socket.ok()) return socket.status();
  socket_ = *std::move(socket);
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) return SystemError("unlink " + path_);
  const sockaddr_un address = Address(path_);
  if (bind(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return SystemError("bind " + path_);
  struct stat file = {};
  if (stat(path_.c_str(), &file) != 0) return SystemError("stat " + path_);
  device_ = file.st_dev;
  inode_ = file.st_ino;
  if (listen(fd(), kBacklog) != 0) return SystemError("listen " + path_);
  return absl::OkStatus();
}

TelemetryListener::~TelemetryListener() {
  struct stat file = {};
  if (fd() >= 0 && inode_ != 0 && stat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_)
    unlink(path_.c_str());
  const std::string folder = path_.substr(0, path_.rfind('/'));
  // Removes the folders while this program holds the lock, unless another program has replaced the
  // folder. rmdir removes only empty folders.
  if (folder_.get() < 0 || !owned_ || !IsAt(folder_.get(), folder)) return;
  rmdir(folder.c_str());
  rmdir(folder.substr(0, folder.rfind('/')).c_str());
}

}  // namespace twinpath
