// SPDX-License-Identifier: BSD-3-Clause
// Reports whether the kernel asks for a PCI device back, because the device was unplugged, removed
// through sysfs, or should be unbound. vfio-pci waits until its user has released the device, and
// the device still answers until then. Source: the DPDK programmer's guide, "Device event
// notification". Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_
#define TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_

#include <rte_dev.h>

#include <atomic>
#include <string>

namespace twinpath {

class RemovalNotice {
 public:
  // Starts listening. `device` is the device's name in EAL.
  explicit RemovalNotice(const std::string& device);
  ~RemovalNotice();
  RemovalNotice(const RemovalNotice&) = delete;
  RemovalNotice& operator=(const RemovalNotice&) = delete;

  bool came() const { return came_.load(std::memory_order_relaxed); }

 private:
  // On EAL's interrupt thread.
  static void OnEvent(const char* device, rte_dev_event_type event, void* self);

  const std::string device_;
  std::atomic<bool> came_{false};
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_
