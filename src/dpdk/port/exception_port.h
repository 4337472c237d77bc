// SPDX-License-Identifier: BSD-3-Clause
// A port's way to the kernel: a kernel interface "tp-NAME" with the port's MAC address, behind an
// ethdev (virtio_user over vhost-net, else TAP). What the policy passes comes in there; what the
// kernel sends into it leaves by the port. Control thread; its queues belong to the workers.

#ifndef TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_
#define TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

struct ExceptionRequest {
  std::string port_name;
  ExceptionPath path = ExceptionPath::kAuto;  // not kNone
  std::string mac;
  uint32_t mtu = 1500;
  uint32_t queues = 1;
  uint32_t lcores = 1;
  bool interrupts = false;  // see EthdevConfig
  rte_mempool* mempool = nullptr;
};

class ExceptionPort {
 public:
  static absl::StatusOr<ExceptionPort> Create(const ExceptionRequest& request);

  // Where logical queue `queue` sends what is passed; no two lcores share one.
  QueueEnd to_kernel(uint32_t queue) const;
  // Whether logical queue `queue` is the one that reads exception queue `queue`.
  bool reads(uint32_t queue) const { return queue < queues_; }

  const std::string& interface() const { return interface_; }
  std::string driver() const { return ethdev_.driver(); }

 private:
  ExceptionPort(Ethdev ethdev, std::string interface, uint32_t queues)
      : ethdev_(std::move(ethdev)), interface_(std::move(interface)), queues_(queues) {}
  Ethdev ethdev_;
  std::string interface_;
  uint32_t queues_;
};

// What virtio_user needs, and whether this process may use it.
inline constexpr char kVhostNet[] = "/dev/vhost-net";
bool VhostNetThere();

// "tp-NAME", cut and made distinct where the kernel would not take so long a name.
std::string ExceptionInterface(const std::string& port_name);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_
