// SPDX-License-Identifier: BSD-3-Clause
// Receives frames by an AF_PACKET socket: from any kernel interface, beside its own stack. In the
// calling thread's network namespace; one thread.

#ifndef TWINPATH_TRAFFIC_RECEIVE_PACKET_INPUT_H_
#define TWINPATH_TRAFFIC_RECEIVE_PACKET_INPUT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/link.h"
#include "src/kernel/link/promiscuous.h"
#include "src/traffic/receive/receiver.h"

namespace twinpath {

// A ring of the kernel's (TPACKET_V3), with the kernel's timestamps.
class PacketInput : public FrameInput {
 public:
  static absl::StatusOr<std::unique_ptr<PacketInput>> Create(const Link& link);
  ~PacketInput() override;

  absl::StatusOr<bool> Poll(uint64_t wait_ns, Receiver* receiver) override;
  uint64_t missed() override;

 private:
  PacketInput(FileDescriptor socket, Promiscuous promiscuous, std::string name)
      : socket_(std::move(socket)), promiscuous_(std::move(promiscuous)), name_(std::move(name)) {}

  FileDescriptor socket_;
  Promiscuous promiscuous_;
  std::string name_;
  uint8_t* ring_ = nullptr;
  uint32_t block_ = 0;  // the next one
  uint64_t missed_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_RECEIVE_PACKET_INPUT_H_
