// SPDX-License-Identifier: BSD-3-Clause
// The client's end of the control socket. One thread.

#include "src/control/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "src/control/socket.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

absl::StatusOr<FileDescriptor> Connect(const std::string& path, std::chrono::milliseconds timeout) {
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "socket");
  timeval limit = {};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})  // the latter bounds connect, too
    if (setsockopt(fd.get(), SOL_SOCKET, option, &limit, sizeof(limit)) != 0)
      return absl::ErrnoToStatus(errno, "setsockopt");
  const sockaddr_un address = ControlAddress(path);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return fd;
  if (errno == ENOENT || errno == ECONNREFUSED)
    return absl::NotFoundError(absl::StrCat("nothing runs at ", path));
  if (errno == EAGAIN) return absl::DeadlineExceededError(absl::StrCat(path, " does not answer"));
  return absl::ErrnoToStatus(errno, absl::StrCat("connect ", path));
}

}  // namespace

absl::Status CheckServed(const std::string& file_prefix) {
  absl::StatusOr<std::string> path = ControlSocketPath(file_prefix);
  if (!path.ok()) return path.status();
  return Connect(*path, std::chrono::seconds(3)).status();
}

absl::StatusOr<ordered_json> SendReload(const std::string& file_prefix, const std::string& file,
                                        std::string_view text, std::chrono::milliseconds timeout) {
  absl::StatusOr<std::string> path = ControlSocketPath(file_prefix);
  if (!path.ok()) return path.status();
  absl::StatusOr<FileDescriptor> memory = SealText(text);
  if (!memory.ok()) return memory.status();
  absl::StatusOr<FileDescriptor> fd = Connect(*path, timeout);
  if (!fd.ok()) return fd.status();
  const ordered_json request = {{"reload", file}};
  // Fails where the server has refused already; its reason can still be read.
  const absl::Status sent =
      SendRecord(fd->get(), request.dump(-1, ' ', false, ordered_json::error_handler_t::replace),
                 memory->get());
  absl::StatusOr<ControlRecord> record = ReceiveRecord(fd->get());
  if (!record.ok()) {
    if (absl::IsDeadlineExceeded(record.status()))
      return absl::DeadlineExceededError(
          absl::StrCat(*path, " does not answer; the policy may or may not have been loaded"));
    if (!sent.ok()) return sent;
    return absl::UnavailableError(absl::StrCat(
        *path, " closed the connection: the program ended, or had no time for the request"));
  }
  const ordered_json answer = ordered_json::parse(record->text, nullptr, false);
  if (answer.is_object() && answer.contains("ok") && answer["ok"].is_object()) return answer["ok"];
  if (!answer.is_object() || !answer.contains("error") || !answer["error"].is_string())
    return absl::DataLossError(absl::StrCat(*path, ": not an answer"));
  const std::string error = answer["error"].get<std::string>();
  const bool wrong = answer.contains("wrong") && answer["wrong"] == true;
  if (wrong) return absl::InvalidArgumentError(error);
  return absl::FailedPreconditionError(error);
}

}  // namespace twinpath
