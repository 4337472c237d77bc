// SPDX-License-Identifier: BSD-3-Clause
// The interface of an engine: a way in and out of kernel interfaces, by sockets of one kind. An
// engine opens a port's ends, one of each kind for a queue. Afterwards the worker of that queue
// alone uses them, but for what is marked. A virtual call is made once a burst, beside the system
// calls that it makes anyway.

#ifndef TWINPATH_SOCKETS_ENGINE_H_
#define TWINPATH_SOCKETS_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/policy/effects.h"
#include "src/sockets/frame.h"

namespace twinpath {

// What a ring lost before the worker could receive it. Such frames are in no counter of a queue.
struct RingLosses {
  uint64_t full = 0;  // the ring had no room
};

class RxQueue {
 public:
  virtual ~RxQueue() = default;
  // Receives at most `most` frames; 0: none is there. Those of the call before are no longer valid.
  virtual uint32_t Receive(SocketFrame* frames, uint32_t most) = 0;
  // Readable when there are frames.
  virtual int fd() const = 0;
  // Lets frames come in from now on, or no more: then Receive still returns what came before.
  virtual absl::Status Begin() = 0;
  virtual void End() = 0;
  // So far. Control thread.
  virtual RingLosses Losses() = 0;
};

class TxQueue {
 public:
  virtual ~TxQueue() = default;
  // Sends `count` (1 to kMaxBurst) frames in order, and says of each how that went: TP_REFUSED if
  // the interface, or the ring in front of it, did not take the frame; TP_NOWHERE if the interface
  // is gone. Does not wait. Changes no byte of a frame.
  virtual void Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) = 0;
  // The interface's MTU in bytes, and whether it is up now. Of ends to the stack, which have no
  // limit, none is set. Any thread.
  void SetLink(uint32_t mtu, bool up) {
    __atomic_store_n(&mtu_, mtu, __ATOMIC_RELAXED);
    __atomic_store_n(&up_, up, __ATOMIC_RELAXED);
  }
  // How many frames were refused because they are longer than the interface sends. Any thread.
  uint64_t too_long() const { return __atomic_load_n(&too_long_, __ATOMIC_RELAXED); }

 protected:
  // Whether the interface does not send a frame of this length, or segments of this size: the
  // kernel's own rule, which it does not apply to everything that sockets send.
  bool IsTooLong(const SocketFrame& frame) const {
    constexpr uint32_t kHeader = 14, kTag = 4;
    const uint32_t mtu = __atomic_load_n(&mtu_, __ATOMIC_RELAXED);
    if (frame.longest_packet() <= mtu + kHeader) return false;
    const bool tagged = frame.length > kHeader && frame.data[12] == 0x81 && frame.data[13] == 0;
    return !tagged || frame.longest_packet() > mtu + kHeader + kTag;
  }

  bool IsDown() const { return !__atomic_load_n(&up_, __ATOMIC_RELAXED); }

  uint32_t mtu_ = UINT32_MAX / 2;  // control: rw, worker: ro
  bool up_ = true;                 // control: rw, worker: ro
  uint64_t too_long_ = 0;          // worker: rw, control: ro
};

// One port, as it is to be opened.
struct PortRequest {
  std::string name;    // of the port, for errors
  uint32_t index = 0;  // of the interface
  uint32_t queues = 1;
  uint32_t mtu = 1500;
  uint32_t mark = 0;  // see StackGuard
};

// The ends of an open port, by queue.
struct PortEnds {
  std::vector<std::unique_ptr<RxQueue>> rx;
  std::vector<std::unique_ptr<TxQueue>> tx;
  std::vector<std::unique_ptr<TxQueue>> to_stack;  // the interface's own stack receives the frame
  std::string mode, why;                           // what was opened, and why so: for people
  bool loses_tags = false;  // VLAN tags that the kernel takes out of frames do not come back
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual const char* name() const = 0;  // "packet_mmap"
  // Opens the ends, which receive nothing before RxQueue::Begin. Control thread.
  virtual absl::StatusOr<std::unique_ptr<PortEnds>> Open(const PortRequest& request) = 0;
  // Whether frames come with the kernel's note of an unfinished checksum, and leave with it.
  virtual bool keeps_offloads() const = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_ENGINE_H_
