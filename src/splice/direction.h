// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection: octets from a source socket to a sink socket, in user space or by
// the kernel. It moves octets; when to look, to pass the FIN on or to give up is the connection's.
// The worker's thread.

#ifndef TWINPATH_SPLICE_DIRECTION_H_
#define TWINPATH_SPLICE_DIRECTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "src/splice/pump.h"
#include "src/splice/sockmap.h"

namespace twinpath::splice {

enum class Progress {
  kWait,          // until a socket has news
  kAgain,         // there is more to do, after others had their turn
  kPoll,          // look again soon: nobody tells when
  kEnded,         // the source's FIN has come and every octet is in the sink's send queue
  kSpent,         // `most` octets were forwarded
  kSourceFailed,  // error() says why
  kSinkFailed,
};

class Direction {
 public:
  virtual ~Direction() = default;

  // Moves what there is, until `most` octets were forwarded since the start (the same at every
  // call).
  virtual Progress Run(uint64_t most) = 0;
  // Writes what was read from the source and is held; true where nothing is left of it.
  virtual bool Flush() = 0;
  // The source's FIN was seen.
  virtual void SourceEnded() = 0;
  // An urgent octet is at the source.
  virtual void Urgent() {}
  // The program asked for user space.
  virtual void OnEvent() {}
  // What the kernel holds for the sink is in the way of the other direction, which comes from
  // there: lets the sink take it.
  virtual void ClearSink() {}
  // Forwards no more of what arrives from now on.
  virtual void Stop() {}

  // Whether Run() is to be called when the source can be read, or the sink written.
  virtual bool ReadsSource() const = 0;
  virtual bool WritesSink() const = 0;
  // Octets forwarded so far: in the sink's send queue, or on their way to it in the kernel.
  virtual uint64_t Forwarded() const = 0;
  // What was counted on the way, for a log; empty where nobody waits for the kernel.
  virtual std::string Counts() { return ""; }
  int error() const { return error_; }

 protected:
  int error_ = 0;
};

// By a pump, from `source` to `sink`.
std::unique_ptr<Direction> MakePumped(int source, int sink, std::unique_ptr<Pump> pump);

// By the splicing program: `flow` is the source's, and its socket is in the map. It is left to pass
// where `redirect` is false, as the sink is not in the map. `pump` copies what is passed. Before
// anything is written to the sink.
std::unique_ptr<Direction> MakeMapped(int source, int sink, std::unique_ptr<Pump> pump,
                                      tp_splice_flow* flow, bool redirect);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_DIRECTION_H_
