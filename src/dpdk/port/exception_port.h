// SPDX-License-Identifier: BSD-3-Clause
// A port's way to the kernel: a kernel interface "tp-NAME" with the port's MAC address, behind an
// ethdev (virtio_user over vhost-net, else TAP). Packets that the policy passes are received by the
// interface; packets that the kernel sends by the interface leave by the port. Where the port is a
// kernel interface, that one receives what is passed in place of "tp-NAME", so that the host's
// addresses and routes work as ever. Control thread; the queues belong to the workers.

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
  uint32_t receiver = 0;    // number of the interface that receives what is passed; 0: "tp-NAME"
  rte_mempool* mempool = nullptr;
};

class ExceptionPort {
 public:
  static absl::StatusOr<ExceptionPort> Create(const ExceptionRequest& request);

  // kLinkUp, kLinkDown, or kLinkGone (src/kernel/link/link_setup.h): the interface was deleted, or
  // moved to another network namespace.
  std::string Link() const { return LinkState(index_); }
  // Closes what is gone; then Reopen makes the interface again. No worker may use the ends.
  void Close() { ethdev_.reset(); }
  absl::Status Reopen();

  // Lets this interface receive what is passed, unless "tp-NAME" was made part of a bridge or bond,
  // which then receives it. To be called repeatedly: does nothing where nothing changed.
  void SetReceiver(uint32_t receiver);
  // Whether another interface receives what is passed; where it should and does not, why.
  bool hands_over() const { return receiver_ != 0 && handed_over_.ok(); }
  const absl::Status& handed_over() const { return handed_over_; }

  // The end to which logical queue `queue` passes packets; no two lcores share one.
  QueueEnd to_kernel(uint32_t queue) const;
  // Whether logical queue `queue` reads exception queue `queue`.
  bool reads(uint32_t queue) const { return queue < queues_; }

  const std::string& interface() const { return interface_; }
  std::string driver() const { return ethdev_->driver(); }

 private:
  ExceptionPort(const ExceptionRequest& request, Ethdev ethdev, std::string interface,
                uint32_t queues);
  ExceptionRequest request_;
  std::optional<Ethdev> ethdev_;  // none: closed
  std::string interface_;
  uint32_t index_;  // the interface's number
  uint32_t queues_;
  uint32_t receiver_ = 0;  // 0: this interface
  absl::Status handed_over_;
};

// The device that virtio_user needs, and whether this process may use it.
inline constexpr char kVhostNet[] = "/dev/vhost-net";
bool VhostNetThere();

// "tp-NAME", cut and made unique where it is too long for the kernel.
std::string ExceptionInterface(const std::string& port_name);

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_EXCEPTION_PORT_H_
