// SPDX-License-Identifier: BSD-3-Clause
// Moves octets from one socket to another in user space: read and write, or splice(2) through a
// pipe. A pump owns what it has read and not yet written. The worker's thread.

#ifndef TWINPATH_SPLICE_PUMP_H_
#define TWINPATH_SPLICE_PUMP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/kernel/file_descriptor.h"

namespace twinpath::splice {

// Why a pump stopped.
enum class PumpStop {
  kSourceEmpty,  // nothing to read now
  kSinkFull,     // what is held has to wait until the sink can be written
  kSourceEnded,  // the FIN has come, and nothing is held
  kEnough,       // `most` octets were read, or it has been at it for long: call again
  kSourceError,
  kSinkError,
};

// What a worker's pumps share: a buffer, and the pipes that no pump holds. Pipes are kept for reuse
// up to a number; they are made when the first octets of a connection come, so an idle connection
// has none.
class PumpPool {
 public:
  struct Pipe {
    FileDescriptor in, out;  // written to, read from
  };

  PumpPool();
  std::vector<char>& buffer() { return buffer_; }
  // False where no pipe can be had (EMFILE, or the user's pipe limit): errno says why.
  bool TakePipe(Pipe* pipe);
  void GiveBack(Pipe pipe);

 private:
  std::vector<char> buffer_;
  std::vector<Pipe> pipes_;
};

class Pump {
 public:
  virtual ~Pump() = default;

  // Reads at most `most` octets from `source` and writes them to `sink`. What was moved before it
  // stopped is in read() and written(). `error()` is errno's where it stopped by one.
  virtual PumpStop Move(int source, int sink, uint64_t most) = 0;

  // The source's FIN has come, or an urgent octet, before which reads stop short: from now on reads
  // until nothing is there. Until then a short read is taken for the last one (epoll(7): an edge
  // follows), which spares a call a message.
  void ReadToEnd() { to_end_ = true; }

  // It stopped at an urgent octet, which this pump cannot read.
  virtual bool at_urgent() const { return false; }
  // A pump that copies, to go on in place of this one from now on, which must hold nothing; nullptr
  // where this one copies or holds octets. (splice(2) never passes an urgent octet.)
  virtual std::unique_ptr<Pump> MakeCopying() const { return nullptr; }

  uint64_t read() const { return read_; }
  uint64_t written() const { return written_; }
  uint64_t held() const { return read_ - written_; }
  int error() const { return error_; }

 protected:
  uint64_t read_ = 0, written_ = 0;
  int error_ = 0;
  bool to_end_ = false;
};

std::unique_ptr<Pump> MakeCopyPump(PumpPool* pool);
std::unique_ptr<Pump> MakeSplicePump(PumpPool* pool);

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_PUMP_H_
