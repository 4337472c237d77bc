// SPDX-License-Identifier: BSD-3-Clause
// The telemetry server's thread: one poll loop over the listener and all clients. If a client does
// not read its answer, the server reads no further request from that client; other clients do not
// wait.

#include "src/telemetry/server/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/server/listener.h"
#include "src/telemetry/server/protocol.h"
#include "src/telemetry/server/server_thread.h"

namespace twinpath {
namespace {

using Clock = std::chrono::steady_clock;

std::string WithError(const std::string& greeting, const std::string& error) {
  nlohmann::ordered_json document = nlohmann::ordered_json::parse(greeting);
  document["error"] = error;
  return document.dump();
}

struct Client {
  FileDescriptor fd;
  std::string unsent;  // an answer that did not fit into the client's socket yet
  Clock::time_point heard;
};

// Sends the client's unsent answer. False if the connection is closed and the client must be
// removed.
bool Send(Client* client) {
  if (send(client->fd.get(), client->unsent.data(), client->unsent.size(),
           MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
  client->unsent.clear();
  return true;
}

}  // namespace

class TelemetryServer::Loop {
 public:
  Loop(TelemetryListener listener, FileDescriptor stop, const std::string& version,
       std::function<Snapshot()> snapshot, const Limits& limits)
      : listener_(std::move(listener)),
        version_(version),
        snapshot_(std::move(snapshot)),
        limits_(limits),
        thread_(std::move(stop)) {
    thread_.Start(
        "telemetry", [this] { Run(); }, nullptr);
  }
  const std::string& path() const { return listener_.path(); }

 private:
  void Run();
  void Accept();
  void MakeRoom(const std::string& greeting, Clock::time_point now);
  bool Serve(Client* client, short events);

  TelemetryListener listener_;
  const std::string version_;
  const std::function<Snapshot()> snapshot_;
  const Limits limits_;
  std::vector<Client> clients_;  // used by the server's thread only
  Acceptor acceptor_;            // used by the server's thread only
  ServerThread thread_;          // last: the thread uses all members above
};

void TelemetryServer::Loop::Run() {
  std::vector<pollfd> polled;
  while (true) {
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(acceptor_.rests_until() - Clock::now());
    const bool accepting = rest.count() <= 0;
    polled = {{thread_.stop(), POLLIN, 0},
              {listener_.fd(), static_cast<short>(accepting ? POLLIN : 0), 0}};
    for (const Client& client : clients_)
      polled.push_back(
          {client.fd.get(), static_cast<short>(client.unsent.empty() ? POLLIN : POLLOUT), 0});
    const int timeout = accepting ? -1 : static_cast<int>(rest.count());
    if (poll(polled.data(), polled.size(), timeout) < 0) continue;  // EINTR, ENOMEM: try again
    if (polled[0].revents) return;
    // Iterates backwards: polled[i + 2] belongs to clients_[i], and erasing a client moves only
    // those that were served already.
    for (size_t i = clients_.size(); i-- > 0;)
      if (polled[i + 2].revents && !Serve(&clients_[i], polled[i + 2].revents))
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
    if (polled[1].revents) Accept();
  }
}

void TelemetryServer::Loop::Accept() {
  FileDescriptor fd = acceptor_.Accept(listener_.fd());
  if (fd.get() < 0) return;
  const Clock::time_point now = Clock::now();
  const std::string greeting = Greeting(version_);
  if (clients_.size() == limits_.clients) MakeRoom(greeting, now);
  Client client = {std::move(fd), greeting, now};
  if (clients_.size() == limits_.clients) {
    client.unsent = WithError(
        greeting, std::to_string(limits_.clients) + " clients are connected, and all are busy");
    Send(&client);
  } else if (Send(&client)) {
    clients_.push_back(std::move(client));
  }
}

// Closes the connection of the client that has been silent longest, if it has been idle long
// enough. The client reads the reason instead of its next answer.
void TelemetryServer::Loop::MakeRoom(const std::string& greeting, Clock::time_point now) {
  const auto oldest =
      std::min_element(clients_.begin(), clients_.end(),
                       [](const Client& a, const Client& b) { return a.heard < b.heard; });
  if (now - oldest->heard < limits_.idle) return;
  oldest->unsent = WithError(greeting, "closed to make room: the most idle of " +
                                           std::to_string(limits_.clients) + " clients");
  Send(&*oldest);
  clients_.erase(oldest);
}

bool TelemetryServer::Loop::Serve(Client* client, short events) {
  if (!client->unsent.empty()) {
    if (events & (POLLERR | POLLHUP)) return false;  // nobody can read it
    return Send(client);
  }
  std::array<char, kMaxRequest> request;
  const ssize_t size = recv(client->fd.get(), request.data(), request.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;  // closed, or an empty record: recv cannot tell
  client->heard = Clock::now();
  client->unsent = AnswerRequest({request.data(), static_cast<size_t>(size)}, version_, snapshot_);
  return Send(client);
}

TelemetryServer::TelemetryServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
TelemetryServer::TelemetryServer(TelemetryServer&&) noexcept = default;
TelemetryServer& TelemetryServer::operator=(TelemetryServer&&) noexcept = default;
TelemetryServer::~TelemetryServer() = default;

const std::string& TelemetryServer::path() const { return loop_->path(); }

absl::StatusOr<TelemetryServer> TelemetryServer::Start(const std::string& file_prefix,
                                                       const std::string& version,
                                                       std::function<Snapshot()> snapshot,
                                                       const Limits& limits) {
  absl::StatusOr<TelemetryListener> listener = TelemetryListener::Open(file_prefix);
  if (!listener.ok()) return listener.status();
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC));
  if (stop.get() < 0) return absl::ErrnoToStatus(errno, "telemetry: eventfd");
  return TelemetryServer(std::make_unique<Loop>(*std::move(listener), std::move(stop), version,
                                                std::move(snapshot), limits));
}

}  // namespace twinpath
