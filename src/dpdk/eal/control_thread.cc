// SPDX-License-Identifier: BSD-3-Clause
// DPDK 22.11 has only rte_ctrl_thread_create, 24.11 only rte_thread_create_control.

#include "src/dpdk/eal/control_thread.h"

#include <pthread.h>
#include <rte_lcore.h>
#include <rte_thread.h>
#include <rte_version.h>

#include <cstdint>
#include <type_traits>

namespace twinpath {
namespace {

static_assert(std::is_same_v<pthread_t, unsigned long>);

void Call(void* function) { (*static_cast<const std::function<void()>*>(function))(); }

}  // namespace

absl::Status ControlThread::Start(const char* name, const std::function<void()>& function) {
  void* argument = const_cast<std::function<void()>*>(&function);
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
  constexpr char kCall[] = "rte_thread_create_control";
  const auto entry = [](void* f) -> uint32_t {
    Call(f);
    return 0;
  };
  rte_thread_t thread = {};
  const int code = rte_thread_create_control(&thread, name, entry, argument);
  id_ = thread.opaque_id;
#else
  constexpr char kCall[] = "rte_ctrl_thread_create";
  const auto entry = [](void* f) -> void* {
    Call(f);
    return nullptr;
  };
  const int code = rte_ctrl_thread_create(&id_, name, nullptr, entry, argument);
#endif
  return code == 0 ? absl::OkStatus() : absl::ErrnoToStatus(code < 0 ? -code : code, kCall);
}

void ControlThread::Join() { pthread_join(id_, nullptr); }

}  // namespace twinpath
