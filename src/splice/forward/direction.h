// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection: moves bytes from a source socket to a sink socket, in user space
// or by the kernel. The connection decides when to run it, when to pass the FIN on and when to give
// up. The worker's thread.

#ifndef TWINPATH_SPLICE_FORWARD_DIRECTION_H_
#define TWINPATH_SPLICE_FORWARD_DIRECTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "src/splice/forward/pump.h"
#include "src/splice/forward/sockmap.h"

namespace twinpath::splice {

enum class Progress {
  kWait,          // until a socket or the BPF program reports an event
  kYield,         // has more to do, after other connections had a turn
  kPoll,          // run again soon: no event will report what it waits for
  kFinished,      // the source's FIN has arrived, and the sink's send queue has every byte
  kLimitReached,  // `limit` bytes were forwarded
  kSourceFailed,  // error() says why
  kSinkFailed,    // error() says why
};

class Direction {
 public:
  virtual ~Direction() = default;

  // Moves what it can, until `limit` bytes have been forwarded in total. `limit` is the same in
  // every call.
  virtual Progress Run(uint64_t limit) = 0;
  // Writes what was read from the source and is still held; returns whether nothing is left.
  virtual bool Flush() = 0;
  // Forwards no more of what arrives from now on.
  virtual void Stop() {}

  // The source's FIN has arrived.
  virtual void OnFin() = 0;
  // An urgent byte has arrived at the source.
  virtual void OnUrgent() {}
  // The BPF program asks for user space.
  virtual void OnFlowEvent() {}
  // Lets the sink take what the kernel holds for it. The opposite direction reads from that socket
  // and would otherwise wait behind it.
  virtual void UnblockSink() {}

  // Whether Run() is to be called when the source is readable, or the sink writable.
  virtual bool WantsReadEvents() const = 0;
  virtual bool WantsWriteEvents() const = 0;
  // Bytes forwarded so far: in the sink's send queue, or on their way there in the kernel.
  virtual uint64_t Forwarded() const = 0;
  // Internal counts, for a log line. Empty if the direction never waits for the kernel.
  virtual std::string DebugCounts() { return ""; }
  // errno value of the last failure.
  int error() const { return error_; }

 protected:
  int error_ = 0;
};

// Moves bytes with a pump.
std::unique_ptr<Direction> MakePumpDirection(int source, int sink, std::unique_ptr<Pump> pump);

// Lets the BPF program move the bytes. `source` is in the sockmap, and `flow` is its flow. `pump`
// copies what the program passes to user space. Where `redirect` is false the sink is not in the
// sockmap, and everything is passed. To be made before anything is written to the sink.
std::unique_ptr<Direction> MakeSockmapDirection(int source, int sink, std::unique_ptr<Pump> pump,
                                                tp_splice_flow* flow, bool redirect);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FORWARD_DIRECTION_H_
