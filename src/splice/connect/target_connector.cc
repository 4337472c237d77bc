// SPDX-License-Identifier: BSD-3-Clause
// Attempts to connect to targets, and the reasons why they fail.

#include "src/splice/connect/target_connector.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/splice/connect/socket.h"
#include "src/splice/connection_facts.h"

namespace twinpath::splice {
namespace {

// Whether connect(2) failed because this process or host lacks a resource, not because of the
// target.
bool IsHostFault(int error) {
  return error == EADDRNOTAVAIL || error == EAGAIN || error == EMFILE || error == ENFILE ||
         error == ENOBUFS || error == ENOMEM;
}

std::string Describe(int error, const Address& target) {
  switch (error) {
    case EADDRNOTAVAIL:
      return absl::StrCat(std::strerror(error),
                          ": this host has no free local port for that target "
                          "(net.ipv4.ip_local_port_range)");
    case EMFILE:
      return absl::StrCat(std::strerror(error), ": raise ulimit -n or lower --max-connections");
    case ETIMEDOUT:
      return "no answer";
    case ENODEV:
      return absl::StrCat("interface ", target.zone, " does not exist");
    default:
      return std::strerror(error);
  }
}

}  // namespace

std::optional<FileDescriptor> TargetConnector::StartNext(Clock::time_point now) {
  if (order_.empty()) order_ = context_.targets.NextOrder(now);
  while (tried_ < order_.size()) {
    int error = 0;
    auto fd = StartConnect(target(), &error);
    if (fd.ok()) return *std::move(fd);
    FailBy(error, now);
  }
  return std::nullopt;
}

bool TargetConnector::Finish(int fd, Clock::time_point now) {
  if (const int error = TakeError(fd)) {
    FailBy(error, now);
    return false;
  }
  if (IsConnectedToItself(fd)) {
    ResetOnClose(fd);  // a FIN would leave its port in TIME_WAIT
    Fail(Fault::kTarget,
         "nobody listens there: the socket connected to itself, because the port is in "
         "net.ipv4.ip_local_port_range",
         now);
    return false;
  }
  context_.targets.MarkReached(order_[tried_]);
  return true;
}

void TargetConnector::TimedOut(Clock::time_point now) {
  const std::chrono::duration<double> timeout = context_.options.connect_timeout;
  Fail(Fault::kTarget, absl::StrCat("no answer within ", timeout.count(), " s"), now);
}

const Address& TargetConnector::target() const {
  return context_.targets.address(order_.empty() ? 0 : order_[std::min(tried_, order_.size() - 1)]);
}

void TargetConnector::FailBy(int error, Clock::time_point now) {
  Fail(IsHostFault(error) ? Fault::kHost : Fault::kTarget, Describe(error, target()), now);
}

void TargetConnector::Fail(Fault fault, const std::string& reason, Clock::time_point now) {
  const std::string where = target().text();
  if (fault == Fault::kTarget) context_.targets.MarkFailed(order_[tried_], now);
  tried_++;
  context_.log.Line(
      absl::StrCat(ConnectionName(number_, client_), ": cannot connect to ", where, ": ", reason,
                   tried_ < order_.size() ? "; trying the next target"
                                          : "; no target is left, client reset"),
      now);
}

}  // namespace twinpath::splice
