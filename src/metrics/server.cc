// SPDX-License-Identifier: BSD-3-Clause
// The exposer's web server reports why it cannot listen only as a log line, so that the address is
// tried first.

#include "src/metrics/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/kernel/file_descriptor.h"
#include "src/metrics/families.h"

namespace twinpath {
namespace {

constexpr char kAllowed[] =
    "allowed ADDRESS:PORT or PORT, with an IPv4 address and a port from 0 to 65535: "
    "127.0.0.1:9464";
constexpr char kThreads[] = "3";  // one waits for clients
// A client that does not finish its request, or does not read its answer, holds a thread.
constexpr char kTimeoutMs[] = "5000";

std::optional<uint16_t> PortOf(const std::string& text) {
  uint32_t port = 0;
  if (text.empty() || text.size() > 5 ||
      text.find_first_not_of("0123456789") != std::string::npos || !absl::SimpleAtoi(text, &port) ||
      port > UINT16_MAX)
    return std::nullopt;
  return static_cast<uint16_t>(port);
}

// IPv4 only, because Debian's civetweb is built without IPv6.
std::optional<sockaddr_in> Parse(const std::string& text) {
  const size_t colon = text.rfind(':');
  const bool alone = colon == std::string::npos;
  const auto port = PortOf(alone ? text : text.substr(colon + 1));
  const std::string host = alone ? "127.0.0.1" : text.substr(0, colon);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  if (!port || inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  address.sin_port = htons(*port);
  return address;
}

absl::Status Failed(const std::string& text, const char* why) {
  return absl::FailedPreconditionError(
      absl::StrCat("--metrics: cannot listen on ", text, ": ", why));
}

// Listens there for a moment. Another program may take the address before the web server does.
absl::Status TryToListen(const std::string& text, const sockaddr_in& address) {
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd.get(), 1) != 0)
    return Failed(text, std::strerror(errno));
  return absl::OkStatus();
}

class Collector : public prometheus::Collectable {
 public:
  explicit Collector(std::function<Snapshot()> snapshot) : snapshot_(std::move(snapshot)) {}
  std::vector<prometheus::MetricFamily> Collect() const override {
    return MetricFamilies(snapshot_());
  }

 private:
  std::function<Snapshot()> snapshot_;
};

// Threads that are made meanwhile get no signals, so that the main thread gets them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

// The exposer is destroyed first; it holds only a weak pointer to the collector.
class MetricsServer::Exposed {
 public:
  Exposed(const std::string& listen, std::function<Snapshot()> snapshot)
      : collector_(std::make_shared<Collector>(std::move(snapshot))),
        exposer_(std::vector<std::string>{"listening_ports", listen, "num_threads", kThreads,
                                          "request_timeout_ms", kTimeoutMs, "enable_keep_alive",
                                          "no"}) {
    exposer_.RegisterCollectable(collector_);
  }
  int port() const { return exposer_.GetListeningPorts().at(0); }

 private:
  std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
};

std::string WrongMetricsAddress(const std::string& address) {
  return Parse(address) ? "" : absl::StrCat("found \"", address, "\", ", kAllowed);
}

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    const std::string& address, std::function<Snapshot()> snapshot) {
  const std::optional<sockaddr_in> parsed = Parse(address);
  if (!parsed) return absl::InvalidArgumentError("--metrics: " + WrongMetricsAddress(address));
  absl::Status free = TryToListen(address, *parsed);
  if (!free.ok()) return free;
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &parsed->sin_addr, host, sizeof(host));
  const SignalsBlocked blocked;
  try {
    auto exposed = std::make_unique<Exposed>(absl::StrCat(host, ":", ntohs(parsed->sin_port)),
                                             std::move(snapshot));
    std::string url = absl::StrCat("http://", host, ":", exposed->port(), "/metrics");
    return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(exposed), std::move(url)));
  } catch (const std::exception& error) {  // of the web server
    return Failed(address, error.what());
  }
}

MetricsServer::MetricsServer(std::unique_ptr<Exposed> exposed, std::string url)
    : exposed_(std::move(exposed)), url_(std::move(url)) {}

MetricsServer::~MetricsServer() = default;

}  // namespace twinpath
