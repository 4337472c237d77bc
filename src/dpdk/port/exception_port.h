// SPDX-License-Identifier: BSD-3-Clause
// The exception port connects a port with the kernel: a kernel interface "tp-NAME" with the port's
// MAC address, and an ethdev behind it (virtio_user over vhost-net, or else TAP). The interface
// receives the packets that the policy passes; packets that the kernel sends through the interface
// leave by the port. If the port itself is a kernel interface, that interface receives the passed
// packets instead of "tp-NAME", so that the host's addresses and routes keep working. Control
// thread; the queues belong to the workers.

#ifndef TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_
#define TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "src/config/profile/profile.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/worker/queue_end.h"
#include "src/kernel/link/link_setup.h"

namespace twinpath {

struct ExceptionRequest {
  std::string port_name;
  ExceptionPath path = ExceptionPath::kAuto;  // not kNone
  std::string mac;
  uint32_t mtu = 1500;
  uint32_t queues = 1;
  uint32_t lcores = 1;
  bool interrupts = false;  // see EthdevConfig
  uint32_t receiver = 0;    // index of the interface that receives passed packets; 0: "tp-NAME"
  rte_mempool* mempool = nullptr;
};

class ExceptionPort {
 public:
  static absl::StatusOr<ExceptionPort> Create(const ExceptionRequest& request);

  // kLinkUp, kLinkDown, or kLinkGone (src/kernel/link/link_setup.h): the interface was deleted, or
  // moved to another network namespace.
  std::string Link() const { return LinkState(index_); }
  // Closes the ethdev of an interface that is gone. No worker may use the queues any more.
  void Close() { ethdev_.reset(); }
  // Creates the interface again, after Close.
  absl::Status Reopen();

  // Lets interface `receiver` receive passed packets. If somebody made "tp-NAME" part of a bridge
  // or bond, that one receives them instead. Call it repeatedly: it does nothing unless something
  // changed.
  void SetReceiver(uint32_t receiver);
  // Whether another interface receives passed packets.
  bool hands_over() const { return receiver_ != 0 && handed_over_.ok(); }
  // Why another interface should receive passed packets but does not; OK: it does, or should not.
  const absl::Status& handed_over() const { return handed_over_; }

  // The queue end to which logical queue `queue` passes packets. No two lcores share one.
  QueueEnd to_kernel(uint32_t queue) const;
  // Whether logical queue `queue` reads exception queue `queue`.
  bool reads(uint32_t queue) const { return queue < queues_; }

  const std::string& interface() const { return interface_; }
  std::string driver() const { return ethdev_->driver(); }

 private:
  ExceptionPort(const ExceptionRequest& request, Ethdev ethdev, std::string interface,
                uint32_t queues);
  ExceptionRequest request_;
  std::optional<Ethdev> ethdev_;  // none after Close
  std::string interface_;
  uint32_t index_;  // of the interface
  uint32_t queues_;
  uint32_t receiver_ = 0;  // 0: this interface
  absl::Status handed_over_;
};

// The device that virtio_user needs, and whether this process may use it.
inline constexpr char kVhostNet[] = "/dev/vhost-net";
bool VhostNetThere();

// "tp-NAME"; shortened and made unique by a hash if it is too long for the kernel.
std::string ExceptionInterface(const std::string& port_name);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_
