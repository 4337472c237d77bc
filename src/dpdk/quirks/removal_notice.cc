// SPDX-License-Identifier: BSD-3-Clause
// Registers for EAL's device events. If EAL has no memory for the registration, no notice arrives.

#include "src/dpdk/quirks/removal_notice.h"

#include <cerrno>
#include <chrono>
#include <thread>

// Device events are experimental in DPDK since 18.05.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace twinpath {

RemovalNotice::RemovalNotice(const std::string& device) : device_(device) {
  rte_dev_event_callback_register(device_.c_str(), OnEvent, this);
}

RemovalNotice::~RemovalNotice() {
  // The kernel repeats its request, so a callback may be running now.
  while (rte_dev_event_callback_unregister(device_.c_str(), OnEvent, this) == -EAGAIN)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
}

void RemovalNotice::OnEvent(const char*, rte_dev_event_type event, void* self) {
  if (event == RTE_DEV_EVENT_REMOVE)
    static_cast<RemovalNotice*>(self)->came_.store(true, std::memory_order_relaxed);
}

}  // namespace twinpath

#pragma GCC diagnostic pop
