// SPDX-License-Identifier: BSD-3-Clause
// See sd_notify(3) and sd_watchdog_enabled(3). A service manager that does not read never blocks
// the program.

#include "apps/service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

namespace twinpath {
namespace {

// How often the progress is checked during one timeout of the watchdog.
constexpr int kChecksPerTimeout = 4;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Service::Service() : socket_(Variable("NOTIFY_SOCKET")), watchdog_(0) {
  CPU_ZERO(&cpus_);
  sched_getaffinity(0, sizeof(cpus_), &cpus_);
  const std::string pid = Variable("WATCHDOG_PID");
  if (pid.empty() || pid == std::to_string(getpid()))
    watchdog_ = std::chrono::microseconds(std::atoll(Variable("WATCHDOG_USEC").c_str()));
}

void Service::Notify(const std::string& message) const {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  socket_.copy(address.sun_path, socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
         reinterpret_cast<const sockaddr*>(&address), length);
  close(fd);
}

void Service::Ready(const std::string& status, Progress progress) {
  if (socket_.empty() || ready_) return;
  ready_ = true;
  progress_ = std::move(progress);
  Notify("READY=1\nSTATUS=" + status + "\nMAINPID=" + std::to_string(getpid()));
  if (watchdog_.count() > 0) thread_ = std::thread([this] { Watch(); });
}

void Service::Watch() {
  sched_setaffinity(0, sizeof(cpus_), &cpus_);
  // The progress when the watchdog was last fed. It is fed again when all workers made progress.
  std::vector<uint64_t> before = progress_();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, watchdog_ / kChecksPerTimeout, [this] { return stopping_; })) {
    std::vector<uint64_t> now = progress_();
    bool all = now.size() == before.size();
    for (size_t worker = 0; all && worker < now.size(); worker++)
      all = now[worker] != before[worker];
    if (!all) continue;
    Notify("WATCHDOG=1");
    before = std::move(now);
  }
}

void Service::Stopping() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (ready_) Notify("STOPPING=1");
}

}  // namespace twinpath
