// SPDX-License-Identifier: BSD-3-Clause
// The control server's thread: one poll loop over the listener and all clients. A client sends one
// request within a few seconds; nothing blocks on a client. The server drops a request whose client
// has closed: while this program was stopped, the client may have reported that the policy was not
// loaded.

#include "src/control/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/control/socket.h"
#include "src/kernel/file_descriptor.h"
#include "src/telemetry/server/server_thread.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 64;
constexpr size_t kMaxFrame = 65535;  // bytes

std::string Dump(const ordered_json& document) {
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string ErrorAnswer(const absl::Status& status) {
  // "wrong": the fault is in the request, not in the datapath's state.
  return Dump(
      {{"error", std::string(status.message())}, {"wrong", absl::IsInvalidArgument(status)}});
}

// Whether the peer may send requests: root and the program's own user.
bool Allowed(int socket) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

// One of: {"reload": FILE} with the policy's text; {"set": {"rule": NAME, "loss": RATE}};
// {"ask": {"port": NAME, "queue": NUMBER or null}} with a frame; {"sources": true}.
struct Request {
  enum class Kind { kReload, kSet, kAsk, kSources } kind = Kind::kReload;
  std::string file;
  ordered_json arguments;
  bool announce = false;
};

bool HasText(const ordered_json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string();
}

// Whether `ask` names a port by text, and a queue by a number of 32 bits or not at all.
bool IsAsk(const ordered_json& ask) {
  if (!HasText(ask, "port")) return false;
  const auto queue = ask.find("queue");
  return queue == ask.end() || queue->is_null() ||
         (queue->is_number_unsigned() && queue->get<uint64_t>() <= UINT32_MAX);
}

absl::StatusOr<Request> ParseRequest(const std::string& text) {
  const ordered_json request = ordered_json::parse(text, nullptr, false);
  const bool announce =
      request.is_object() && request.contains(kAnnounce) && request[kAnnounce] == true;
  if (request.is_object() && request.size() == 1u + announce) {
    if (HasText(request, kReload))
      return Request{Request::Kind::kReload, request[kReload].get<std::string>(), {}, announce};
    if (request.contains(kSet) && HasText(request[kSet], "rule") && HasText(request[kSet], "loss"))
      return Request{Request::Kind::kSet, "", request[kSet], announce};
    if (request.contains(kAsk) && IsAsk(request[kAsk]))
      return Request{Request::Kind::kAsk, "", request[kAsk], announce};
    if (request.contains(kSources) && request[kSources] == true)
      return Request{Request::Kind::kSources, "", {}, announce};
  }
  return absl::InvalidArgumentError(
      "a request: found something else, allowed {\"reload\": FILE} with the policy's text, "
      "{\"set\": {\"rule\": NAME, \"loss\": RATE}}, {\"ask\": {\"port\": NAME, "
      "\"queue\": NUMBER or null}} with a frame, and {\"sources\": true}");
}

// Whether the client still waits for the answer. Sending the announcement succeeds only if the
// client has not given up.
bool ClientWaits(int socket, bool announce) {
  if (announce) return SendRecord(socket, Dump({{kBegun, true}})).ok();
  pollfd peer = {socket, 0, 0};  // poll always reports POLLHUP
  return poll(&peer, 1, 0) >= 0 && (peer.revents & POLLHUP) == 0;
}

// Sends the answer: in the record, or in a sealed memfd if the record is too small.
absl::Status SendAnswer(int socket, const std::string& text) {
  if (text.size() <= kMaxControlRecord) return SendRecord(socket, text);
  absl::StatusOr<FileDescriptor> sealed = SealText(text);
  if (!sealed.ok()) return SendRecord(socket, ErrorAnswer(sealed.status()));
  return SendRecord(socket, "{}", sealed->get());
}

// Owns the listening socket and its file.
class Listener {
 public:
  static absl::StatusOr<Listener> Open(const std::string& path) {
    Listener listener(path);
    FileDescriptor& fd = listener.fd_;
    fd = FileDescriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0) return ControlSocketError("socket");
    // bind creates the file with the socket's mode, so other users can never open it.
    if (fchmod(fd.get(), 0600) != 0) return ControlSocketError("fchmod");
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return ControlSocketError("unlink " + path);
    const sockaddr_un address = ControlAddress(path);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      return ControlSocketError("bind " + path);
    struct stat file = {};
    if (stat(path.c_str(), &file) != 0) return ControlSocketError("stat " + path);
    listener.inode_ = file.st_ino;
    if (listen(fd.get(), kBacklog) != 0) return ControlSocketError("listen " + path);
    return listener;
  }
  Listener(Listener&& other) noexcept
      : path_(std::move(other.path_)),
        fd_(std::move(other.fd_)),
        inode_(std::exchange(other.inode_, 0)) {}
  Listener& operator=(Listener&&) = delete;
  ~Listener() {
    struct stat file = {};
    if (inode_ != 0 && stat(path_.c_str(), &file) == 0 && file.st_ino == inode_)
      unlink(path_.c_str());
  }
  int fd() const { return fd_.get(); }

 private:
  explicit Listener(std::string path) : path_(std::move(path)) {}
  std::string path_;
  FileDescriptor fd_;
  ino_t inode_ = 0;  // of the socket's file; 0: not bound
};

struct Client {
  FileDescriptor fd;
  Clock::time_point deadline;  // for its request
};

}  // namespace

class ControlServer::Loop {
 public:
  Loop(Listener listener, FileDescriptor stop, Reload reload, const Options& options)
      : listener_(std::move(listener)),
        reload_(std::move(reload)),
        max_clients_(options.clients),
        patience_(options.patience),
        log_(options.log),
        set_loss_(options.set_loss),
        ask_(options.ask),
        sources_(options.sources),
        thread_(std::move(stop)) {
    thread_.Start(
        "control", [this] { Run(); }, options.cpus);
  }

 private:
  void Run();
  void Accept();
  void Serve(const Client& client);
  absl::StatusOr<ordered_json> Answer(const Client& client);
  absl::StatusOr<ordered_json> CarryOut(const Request& request, const std::string& text);

  Listener listener_;
  const Reload reload_;
  const size_t max_clients_;
  const std::chrono::milliseconds patience_;
  const std::function<void(const std::string&)> log_;
  const SetLoss set_loss_;
  const Ask ask_;
  const Sources sources_;
  std::vector<Client> clients_;  // used by the server's thread only
  Acceptor acceptor_;            // used by the server's thread only
  ServerThread thread_;          // last: the thread uses all members above
};

void ControlServer::Loop::Run() {
  std::vector<pollfd> polled;
  while (true) {
    const Clock::time_point now = Clock::now();
    std::erase_if(clients_, [now](const Client& client) { return client.deadline <= now; });
    const bool accepting = now >= acceptor_.rests_until();
    polled = {{thread_.stop(), POLLIN, 0},
              {listener_.fd(), static_cast<short>(accepting ? POLLIN : 0), 0}};
    auto wake = accepting ? Clock::time_point::max() : acceptor_.rests_until();
    for (const Client& client : clients_) {
      polled.push_back({client.fd.get(), POLLIN, 0});
      wake = std::min(wake, client.deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - now).count();
    const int timeout = wake == Clock::time_point::max() ? -1 : static_cast<int>(left);
    if (poll(polled.data(), polled.size(), timeout) < 0) continue;  // EINTR, ENOMEM: try again
    if (polled[0].revents) return;
    // Iterates backwards: polled[i + 2] belongs to clients_[i], and erasing a client moves only
    // those that were served already.
    for (size_t i = clients_.size(); i-- > 0;) {
      if (!polled[i + 2].revents) continue;
      Serve(clients_[i]);
      clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
      pollfd stop = {thread_.stop(), POLLIN, 0};
      if (poll(&stop, 1, 0) > 0) return;  // serving may take long
    }
    if (polled[1].revents) Accept();
  }
}

void ControlServer::Loop::Accept() {
  FileDescriptor fd = acceptor_.Accept(listener_.fd());
  if (fd.get() < 0) return;
  absl::Status refused;
  if (!Allowed(fd.get()))
    refused = absl::PermissionDeniedError(
        "permission denied: only root and the program's owner may reload");
  else if (clients_.size() >= max_clients_)
    refused = absl::UnavailableError(
        absl::StrCat(clients_.size(), " clients are connected and have not sent their requests"));
  if (!refused.ok())
    (void)SendRecord(fd.get(), ErrorAnswer(refused)).ok();  // the client may have closed
  else
    clients_.push_back({std::move(fd), Clock::now() + patience_});
}

absl::StatusOr<ordered_json> ControlServer::Loop::Answer(const Client& client) {
  absl::StatusOr<ControlRecord> record = ReceiveRecord(client.fd.get());
  if (!record.ok()) return record.status();
  absl::StatusOr<Request> request = ParseRequest(record->text);
  if (!request.ok()) return request.status();
  std::string text;
  const bool asks = request->kind == Request::Kind::kAsk;
  if (asks || request->kind == Request::Kind::kReload) {
    if (record->file.get() < 0)
      return absl::InvalidArgumentError(absl::StrCat(
          asks ? "the frame" : "the policy", ": found no descriptor, allowed a sealed memfd"));
    absl::StatusOr<std::string> sealed = ReadSealed(record->file.get());
    if (!sealed.ok()) return sealed.status();
    text = *std::move(sealed);
  }
  if (asks && (text.empty() || text.size() > kMaxFrame))
    return absl::InvalidArgumentError(
        absl::StrCat("the frame: found ", text.size(), " bytes, allowed 1 to ", kMaxFrame));
  if (!ClientWaits(client.fd.get(), request->announce)) {
    if (log_ && request->kind == Request::Kind::kReload)
      log_(absl::StrCat("reload: the client that asked for ", request->file,
                        " has given up; keeping the current policy"));
    return absl::CancelledError("the client has closed the connection");
  }
  return CarryOut(*request, text);
}

absl::StatusOr<ordered_json> ControlServer::Loop::CarryOut(const Request& request,
                                                           const std::string& text) {
  const ordered_json& with = request.arguments;
  if (request.kind == Request::Kind::kReload) return reload_(request.file, text);
  if (request.kind == Request::Kind::kSet && set_loss_)
    return set_loss_(with["rule"].get<std::string>(), with["loss"].get<std::string>());
  if (request.kind == Request::Kind::kSources && sources_) return sources_();
  if (request.kind == Request::Kind::kAsk && ask_) {
    const bool queue = with.contains("queue") && with["queue"].is_number_unsigned();
    return ask_(with["port"].get<std::string>(),
                queue ? std::optional<uint32_t>(with["queue"].get<uint32_t>()) : std::nullopt,
                text);
  }
  return absl::FailedPreconditionError("this program has no policy of that kind");
}

void ControlServer::Loop::Serve(const Client& client) {
  const absl::StatusOr<ordered_json> answer = Answer(client);
  const std::string text = answer.ok() ? Dump({{"ok", *answer}}) : ErrorAnswer(answer.status());
  // If the client has closed, it misses the answer; the reload is not undone.
  (void)SendAnswer(client.fd.get(), text).ok();
}

ControlServer::ControlServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
ControlServer::ControlServer(ControlServer&&) noexcept = default;
ControlServer& ControlServer::operator=(ControlServer&&) noexcept = default;
ControlServer::~ControlServer() = default;

absl::StatusOr<ControlServer> ControlServer::Start(const std::string& file_prefix, Reload reload,
                                                   const Options& options) {
  absl::StatusOr<std::string> path = ControlSocketPath(file_prefix);
  if (!path.ok()) return path.status();
  absl::StatusOr<Listener> listener = Listener::Open(*path);
  if (!listener.ok()) return listener.status();
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC));
  if (stop.get() < 0) return ControlSocketError("eventfd");
  return ControlServer(
      std::make_unique<Loop>(*std::move(listener), std::move(stop), std::move(reload), options));
}

}  // namespace twinpath
