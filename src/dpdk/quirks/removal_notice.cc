// SPDX-License-Identifier: BSD-3-Clause
// Registers with EAL's device events; where EAL has no memory for that, no notice arrives.

#include "src/dpdk/quirks/removal_notice.h"

#include <cerrno>
#include <chrono>
#include <thread>

// Device events are experimental in DPDK since 18.05.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace twinpath {

RemovalNotice::RemovalNotice(const std::string& device) : device_(device) {
  rte_dev_event_callback_register(device_.c_str(), Hear, this);
}

RemovalNotice::~RemovalNotice() {
  // The kernel repeats its request: a callback may be running now.
  while (rte_dev_event_callback_unregister(device_.c_str(), Hear, this) == -EAGAIN)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
}

void RemovalNotice::Hear(const char*, rte_dev_event_type event, void* self) {
  if (event == RTE_DEV_EVENT_REMOVE)
    static_cast<RemovalNotice*>(self)->came_.store(true, std::memory_order_relaxed);
}

}  // namespace twinpath

#pragma GCC diagnostic pop
