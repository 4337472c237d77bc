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

// Sets the longest time that a later call on the socket may block. Applies to connect, too.
absl::Status SetTimeout(int fd, std::chrono::milliseconds timeout) {
  timeval limit = {};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    if (setsockopt(fd, SOL_SOCKET, option, &limit, sizeof(limit)) != 0)
      return absl::ErrnoToStatus(errno, "setsockopt");
  return absl::OkStatus();
}

std::string Seconds(std::chrono::milliseconds time) {
  return absl::StrCat(static_cast<double>(time.count()) / 1e3, " s");
}

absl::StatusOr<FileDescriptor> Connect(const std::string& path, std::chrono::milliseconds timeout) {
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "socket");
  if (absl::Status set = SetTimeout(fd.get(), timeout); !set.ok()) return set;
  const sockaddr_un address = ControlAddress(path);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return fd;
  if (errno == ENOENT || errno == ECONNREFUSED)
    return absl::NotFoundError(absl::StrCat("nothing runs at ", path));
  if (errno == EAGAIN)
    return absl::DeadlineExceededError(
        absl::StrCat(path, " does not answer: nothing accepted the connection within ",
                     Seconds(timeout), "; the program is stopped or busy"));
  return absl::ErrnoToStatus(errno, absl::StrCat("connect ", path));
}

// The end of the error message when no answer came in time: what did not happen, or what may have
// happened.
struct Outcomes {
  const char *not_done, *unknown;
};
constexpr Outcomes kReloadOutcomes = {"; the policy was not loaded, and will not be",
                                      "; the policy may or may not have been loaded"};
constexpr Outcomes kSetOutcomes = {"; the loss was not changed, and will not be",
                                   "; the loss may or may not have been changed"};
constexpr Outcomes kAskOutcomes = {"", ""};

// Receives one record and returns its JSON object.
absl::StatusOr<ordered_json> Receive(int fd, const std::string& path) {
  absl::StatusOr<ControlRecord> record = ReceiveRecord(fd);
  if (!record.ok()) return record.status();
  if (record->file.get() >= 0) {
    absl::StatusOr<std::string> sealed = ReadSealed(record->file.get());
    if (!sealed.ok()) return sealed.status();
    record->text = *std::move(sealed);
  }
  ordered_json document = ordered_json::parse(record->text, nullptr, false);
  if (!document.is_object()) return absl::DataLossError(absl::StrCat(path, ": not an answer"));
  return document;
}

// Waits for the answer. The program announces that it begins before it changes anything, and does
// not begin if it cannot send the announcement. So if nothing was announced when this end shuts its
// socket, the program will not load the policy later.
absl::StatusOr<ordered_json> AwaitAnswer(int fd, const std::string& path, const Outcomes& outcomes,
                                         const ReloadPatience& patience) {
  absl::StatusOr<ordered_json> answer = Receive(fd, path);
  const bool late = absl::IsDeadlineExceeded(answer.status());
  if (late) {
    shutdown(fd, SHUT_RD);
    answer = Receive(fd, path);  // reads what was sent before the shutdown; does not block
    if (!answer.ok())
      return absl::DeadlineExceededError(
          absl::StrCat(path, " did not begin within ", Seconds(patience.begin),
                       ": the program is stopped or busy", outcomes.not_done));
  }
  if (!answer.ok() || !answer->contains(kBegun)) return answer;
  if (!late) {
    if (absl::Status set = SetTimeout(fd, patience.end); !set.ok()) return set;
    answer = Receive(fd, path);
  }
  if (late || absl::IsDeadlineExceeded(answer.status()))
    return absl::DeadlineExceededError(absl::StrCat(path, " began, and did not finish within ",
                                                    Seconds(late ? patience.begin : patience.end),
                                                    outcomes.unknown));
  return answer;
}

// Sends `request`, with `memory` if there is one, and returns the answer's object.
absl::StatusOr<ordered_json> Send(const std::string& file_prefix, ordered_json request,
                                  const FileDescriptor& memory, const Outcomes& outcomes,
                                  const ReloadPatience& patience) {
  absl::StatusOr<std::string> path = ControlSocketPath(file_prefix);
  if (!path.ok()) return path.status();
  absl::StatusOr<FileDescriptor> fd = Connect(*path, patience.begin);
  if (!fd.ok()) return fd.status();
  request[kAnnounce] = true;
  // The send fails if the server has already refused the connection; its reason can still be read.
  const absl::Status sent =
      SendRecord(fd->get(), request.dump(-1, ' ', false, ordered_json::error_handler_t::replace),
                 memory.get());
  const absl::StatusOr<ordered_json> answer = AwaitAnswer(fd->get(), *path, outcomes, patience);
  if (absl::IsDeadlineExceeded(answer.status()) || absl::IsDataLoss(answer.status()))
    return answer.status();
  if (!answer.ok()) {
    if (!sent.ok()) return sent;
    return absl::UnavailableError(absl::StrCat(
        *path, " closed the connection: the program ended, or had no time for the request"));
  }
  if (answer->contains("ok") && (*answer)["ok"].is_object()) return (*answer)["ok"];
  if (!answer->contains("error") || !(*answer)["error"].is_string())
    return absl::DataLossError(absl::StrCat(*path, ": not an answer"));
  const std::string error = (*answer)["error"].get<std::string>();
  const bool wrong = answer->contains("wrong") && (*answer)["wrong"] == true;
  if (wrong) return absl::InvalidArgumentError(error);
  return absl::FailedPreconditionError(error);
}

}  // namespace

absl::Status CheckServed(const std::string& file_prefix) {
  absl::StatusOr<std::string> path = ControlSocketPath(file_prefix);
  if (!path.ok()) return path.status();
  return Connect(*path, std::chrono::seconds(3)).status();
}

absl::StatusOr<ordered_json> SendReload(const std::string& file_prefix, const std::string& file,
                                        std::string_view text, const ReloadPatience& patience) {
  absl::StatusOr<FileDescriptor> memory = SealText(text);
  if (!memory.ok()) return memory.status();
  return Send(file_prefix, {{kReload, file}}, *memory, kReloadOutcomes, patience);
}

absl::StatusOr<ordered_json> SendSetLoss(const std::string& file_prefix, const std::string& rule,
                                         const std::string& loss, const ReloadPatience& patience) {
  return Send(file_prefix, {{kSet, {{"rule", rule}, {"loss", loss}}}}, FileDescriptor(),
              kSetOutcomes, patience);
}

absl::StatusOr<ordered_json> AskRunning(const std::string& file_prefix, const std::string& port,
                                        std::optional<uint32_t> queue, std::string_view frame,
                                        const ReloadPatience& patience) {
  absl::StatusOr<FileDescriptor> memory = SealText(frame);
  if (!memory.ok()) return memory.status();
  const ordered_json where = {{"port", port},
                              {"queue", queue ? ordered_json(*queue) : ordered_json()}};
  return Send(file_prefix, {{kAsk, where}}, *memory, kAskOutcomes, patience);
}

absl::StatusOr<ordered_json> AskSources(const std::string& file_prefix,
                                        const ReloadPatience& patience) {
  return Send(file_prefix, {{kSources, true}}, FileDescriptor(), kAskOutcomes, patience);
}

}  // namespace twinpath
