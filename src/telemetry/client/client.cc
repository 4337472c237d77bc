// SPDX-License-Identifier: BSD-3-Clause
// The connection of a telemetry client. One thread.

#include "src/telemetry/client/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/telemetry/server/protocol.h"

namespace twinpath {

using nlohmann::ordered_json;

absl::StatusOr<TelemetryClient> TelemetryClient::Connect(const std::string& file_prefix,
                                                         std::chrono::milliseconds timeout) {
  absl::StatusOr<std::string> path = TelemetrySocketPath(file_prefix);
  if (!path.ok()) return path.status();
  FileDescriptor fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "telemetry: socket");
  TelemetryClient client(std::move(fd), *std::move(path), timeout);
  timeval limit = {};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})  // SO_SNDTIMEO also limits connect
    if (setsockopt(client.fd_.get(), SOL_SOCKET, option, &limit, sizeof(limit)) != 0)
      return client.Failure("setsockopt");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, client.path_.data(), client.path_.size());
  if (connect(client.fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
      0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return absl::NotFoundError(absl::StrCat("nothing runs at ", client.path_));
    return client.Failure("connect");
  }
  absl::StatusOr<ordered_json> greeting = client.Receive();
  if (!greeting.ok()) return greeting.status();
  if (const auto error = greeting->find("error"); error != greeting->end())
    return absl::UnavailableError(absl::StrCat(client.path_, ": ", error->dump()));
  return client;
}

absl::StatusOr<ordered_json> TelemetryClient::Ask(const std::string& command) {
  if (command.size() > kMaxRequest)
    return absl::InvalidArgumentError(
        absl::StrCat("a command has at most ", kMaxRequest, " bytes, found ", command.size()));
  if (send(fd_.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0) return Failure("send");
  absl::StatusOr<ordered_json> answer = Receive();
  if (!answer.ok()) return answer;
  const auto value = answer->find(command.substr(0, command.find(',')));
  if (value == answer->end())
    return absl::DataLossError(
        absl::StrCat(path_, " sent a wrong answer to ", command, ": ", answer->dump()));
  if (value->is_null()) return absl::NotFoundError(absl::StrCat(path_, " does not know ", command));
  if (value->is_object() && value->contains("error"))
    return absl::InvalidArgumentError(absl::StrCat(command, ": ", (*value)["error"].dump()));
  return *value;
}

absl::StatusOr<ordered_json> TelemetryClient::Receive() {
  std::string record(kMaxAnswer, '\0');
  const ssize_t size = recv(fd_.get(), record.data(), record.size(), MSG_TRUNC);
  if (size < 0) return Failure("recv");
  if (size == 0)
    return absl::UnavailableError(
        absl::StrCat(path_, " closed the connection: the program ended, or has too many clients"));
  if (static_cast<size_t>(size) > record.size())
    return absl::DataLossError(absl::StrCat(path_, ": an answer of ", size, " bytes"));
  record.resize(static_cast<size_t>(size));
  ordered_json document = ordered_json::parse(record, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object())
    return absl::DataLossError(absl::StrCat(path_, ": an answer that is not a JSON object"));
  return document;
}

absl::Status TelemetryClient::Failure(const std::string& call) const {
  if (errno == EAGAIN || errno == EINPROGRESS)
    return absl::DeadlineExceededError(absl::StrCat(path_, " does not answer within ",
                                                    static_cast<double>(timeout_.count()) / 1e3,
                                                    " s: the program is stopped or busy"));
  if (errno == EPIPE || errno == ECONNRESET)
    return absl::UnavailableError(absl::StrCat(path_, " closed the connection"));
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", path_));
}

}  // namespace twinpath
