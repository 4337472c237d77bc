// SPDX-License-Identifier: BSD-3-Clause

#include "src/telemetry/server/server_thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace twinpath {
namespace {

constexpr std::chrono::milliseconds kRest(100);

}  // namespace

ServerThread::~ServerThread() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void ServerThread::Start(const char* name, std::function<void()> serve, const cpu_set_t* cpus) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread(std::move(serve));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), name);
  if (cpus != nullptr) pthread_setaffinity_np(thread_.native_handle(), sizeof(*cpus), cpus);
}

FileDescriptor Acceptor::Accept(int listener) {
  FileDescriptor fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.get() < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
    rests_until_ = Clock::now() + kRest;
  return fd;
}

}  // namespace twinpath
