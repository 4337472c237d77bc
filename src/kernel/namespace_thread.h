// SPDX-License-Identifier: BSD-3-Clause
// A thread with its own network namespace. Everything that is created there disappears with the
// thread, however the process ends. Other threads never see the namespace.

#ifndef TWINPATH_KERNEL_NAMESPACE_THREAD_H_
#define TWINPATH_KERNEL_NAMESPACE_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace twinpath {

class NamespaceThread {
 public:
  // PermissionDenied without CAP_SYS_ADMIN.
  static absl::StatusOr<std::unique_ptr<NamespaceThread>> Start();
  // Ends the thread, and with it the namespace.
  ~NamespaceThread();
  NamespaceThread(const NamespaceThread&) = delete;
  NamespaceThread& operator=(const NamespaceThread&) = delete;

  // Runs `work` on the thread and waits for it. One caller at a time.
  void Run(const std::function<void()>& work);

 private:
  NamespaceThread() = default;
  void Serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  // guarded by mutex_; null: none
  bool ending_ = false;                          // guarded by mutex_
  std::thread thread_;
};

// Creates a veth pair in the calling thread's namespace, both ends with `queues` RX and TX queues.
// Returns the interface index of the end `name`; the other end is called `name` + "p". `name` has
// at most 14 characters.
absl::StatusOr<uint32_t> MakeVeth(const std::string& name, uint32_t queues);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_NAMESPACE_THREAD_H_
