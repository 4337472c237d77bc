// SPDX-License-Identifier: BSD-3-Clause
// One DPDK port as an end of a measurement: sends the frames of a source, or receives. Starts EAL,
// which a process can do once; the calling thread becomes the only lcore.

#ifndef TWINPATH_DPDK_TRAFFIC_TRAFFIC_PORT_H_
#define TWINPATH_DPDK_TRAFFIC_TRAFFIC_PORT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/dpdk/eal/eal.h"
#include "src/dpdk/eal/mempool.h"
#include "src/dpdk/port/port.h"
#include "src/dpdk/quirks/interface_guard.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/kernel/clock.h"
#include "src/traffic/frames/frame_source.h"
#include "src/traffic/receive/receiver.h"
#include "src/traffic/send/packet_sender.h"
#include "src/traffic/send/sender.h"

namespace twinpath {

class TrafficPort {
 public:
  // Opens DEVICE (of twinpath-dpdk's --port NAME=DEVICE) for frames of up to `longest` bytes, and
  // waits until its link is up. Takes hugepages; without enough of them, other memory, if it is no
  // NIC. `guard` may be null; it must outlive the port. Errors are InvalidArgument or
  // FailedPrecondition.
  static absl::StatusOr<std::unique_ptr<TrafficPort>> Open(const std::string& device,
                                                           uint32_t longest, InterfaceGuard* guard);
  ~TrafficPort();

  const QueueEnd& end() const { return port_->end(0); }
  rte_mempool* mempool() const { return mempool_->get(); }
  const Port& port() const { return *port_; }
  // The driver, and how it drives the device.
  std::string about() const;

 private:
  TrafficPort() = default;
  absl::Status SetUp(const std::string& device, uint32_t longest, InterfaceGuard* guard);
  absl::Status WaitForLink() const;

  std::optional<StderrCapture> capture_;  // of what EAL and PMDs print while they start and end
  std::unique_ptr<Eal> eal_;
  std::optional<Mempool> mempool_;
  std::optional<Port> port_;
};

class DpdkSender : public Sender {
 public:
  // `source` must outlive the sender.
  DpdkSender(std::unique_ptr<TrafficPort> port, const FrameSource& source);

  absl::StatusOr<uint32_t> Send(uint32_t count) override;
  uint32_t most() const override { return kMost; }
  uint64_t dropped() override;
  const TrafficPort& port() const { return *port_; }

 private:
  static constexpr uint32_t kMost = 64;
  uint64_t CountedAsSent() const;

  std::unique_ptr<TrafficPort> port_;
  const FrameSource& source_;
  NanosecondClock clock_;
  std::optional<InterfaceCounts> interface_;  // of a kernel interface below the device
  uint64_t next_ = 0;                         // frame
  uint64_t counted_before_ = 0;
};

class DpdkInput : public FrameInput {
 public:
  explicit DpdkInput(std::unique_ptr<TrafficPort> port) : port_(std::move(port)) {}

  absl::StatusOr<bool> Poll(uint64_t wait_ns, Receiver* receiver) override;
  uint64_t missed() override;
  const TrafficPort& port() const { return *port_; }

 private:
  std::unique_ptr<TrafficPort> port_;
  NanosecondClock clock_;
  std::vector<uint8_t> whole_;  // a frame of several segments
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_TRAFFIC_TRAFFIC_PORT_H_
