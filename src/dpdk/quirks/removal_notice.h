// SPDX-License-Identifier: BSD-3-Clause
// Tells whether the kernel asks for a PCI device back: the device was unplugged, removed by sysfs,
// or is to be unbound. vfio-pci releases a device only when its user has released it, and until
// then the device still answers. Source: the DPDK programmer's guide, "Device event notification".
// Control thread.

#ifndef TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_
#define TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_

#include <rte_dev.h>

#include <atomic>
#include <string>

namespace twinpath {

class RemovalNotice {
 public:
  // Listens from now on, for the device with this EAL name.
  explicit RemovalNotice(const std::string& device);
  ~RemovalNotice();
  RemovalNotice(const RemovalNotice&) = delete;
  RemovalNotice& operator=(const RemovalNotice&) = delete;

  bool came() const { return came_.load(std::memory_order_relaxed); }

 private:
  // On EAL's interrupt thread.
  static void Hear(const char* device, rte_dev_event_type event, void* self);

  const std::string device_;
  std::atomic<bool> came_{false};
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_QUIRKS_REMOVAL_NOTICE_H_
