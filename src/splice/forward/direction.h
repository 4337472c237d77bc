// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection: moves bytes from a source socket to a sink socket, in user space
// or in the kernel. The connection decides when to run it, when to forward the FIN and when to give
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
  kYield,         // there is more to do, after other connections had a turn
  kPoll,          // run again soon, because no event will report the awaited condition
  kFinished,      // the source's FIN has arrived, and the sink's send queue has every byte
  kLimitReached,  // `limit` bytes were forwarded
  kSourceFailed,  // error() says why
  kSinkFailed,    // error() says why
};

class Direction {
 public:
  virtual ~Direction() = default;

  // Moves as many bytes as possible, until `limit` bytes have been forwarded in total. `limit` must
  // be the same in every call.
  virtual Progress Run(uint64_t limit) = 0;
  // Writes bytes that were read from the source and are still held. Returns whether none are left.
  virtual bool Flush() = 0;
  // Stops forwarding bytes that arrive later.
  virtual void Stop() {}

  // Called when the source's FIN has arrived.
  virtual void OnFin() = 0;
  // Called when an urgent byte has arrived at the source.
  virtual void OnUrgent() {}
  // Called when the BPF program has raised an event.
  virtual void OnFlowEvent() {}
  // Lets the sink take the bytes that the kernel holds for it. Otherwise the opposite direction,
  // which reads from the same socket, would wait behind them.
  virtual void UnblockSink() {}

  // Whether Run() must be called when the source is readable, or when the sink is writable.
  virtual bool WantsReadEvents() const = 0;
  virtual bool WantsWriteEvents() const = 0;
  // Bytes forwarded so far: in the sink's send queue, or on their way there in the kernel.
  virtual uint64_t Forwarded() const = 0;
  // Internal counts, for a log line. Empty if the direction never waits for the kernel.
  virtual std::string DebugCounts() { return ""; }
  // The errno value of the last failure.
  int error() const { return error_; }

 protected:
  int error_ = 0;
};

// Moves bytes with a pump.
std::unique_ptr<Direction> MakePumpDirection(int source, int sink, std::unique_ptr<Pump> pump);

// Lets the BPF program move the bytes. `source` is in the sockmap, and `flow` is its flow. `pump`
// copies the bytes that the program passes to user space. If `redirect` is false, the sink is not
// in the sockmap, and all bytes are passed. Call it before anything is written to the sink.
std::unique_ptr<Direction> MakeSockmapDirection(int source, int sink, std::unique_ptr<Pump> pump,
                                                tp_splice_flow* flow, bool redirect);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FORWARD_DIRECTION_H_
