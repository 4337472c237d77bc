// SPDX-License-Identifier: BSD-3-Clause
// Moves bytes from one socket to another in user space: by read and write, or by splice(2) through
// a pipe. A pump owns bytes that it has read but not yet written. The worker's thread.

#ifndef TWINPATH_SPLICE_FORWARD_PUMP_H_
#define TWINPATH_SPLICE_FORWARD_PUMP_H_

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
  kSinkFull,     // the pump holds bytes until the sink is writable
  kSourceEnded,  // the FIN has arrived, and the pump holds nothing
  kQuotaUsed,    // `most` bytes were read, or other connections should have a turn: call again
  kSourceError,
  kSinkError,
};

// The buffer and the spare pipes that the pumps of a worker share. A pump takes a pipe when the
// first bytes of a connection arrive, and returns the pipe when it is empty, so an idle connection
// has none. A limited number of pipes is kept for reuse.
class PumpPool {
 public:
  struct Pipe {
    FileDescriptor in, out;  // written to, read from
  };

  PumpPool();
  std::vector<char>& buffer() { return buffer_; }
  // False with errno set if no pipe is available (EMFILE, or the user's pipe limit).
  bool TakePipe(Pipe* pipe);
  // The pipe must be empty.
  void ReturnPipe(Pipe pipe);

 private:
  std::vector<char> buffer_;
  std::vector<Pipe> pipes_;
};

class Pump {
 public:
  virtual ~Pump() = default;

  // Reads at most `most` bytes from `source` and writes them to `sink`. read() and written()
  // include bytes that were moved before an error. After an error, error() is the errno value.
  virtual PumpStop Move(int source, int sink, uint64_t most) = 0;

  // Makes Move() read until no byte is left. Must be called when the source's FIN or an urgent byte
  // has arrived, because a read stops before either of them. Without this call, a short read counts
  // as the last one, which saves a system call per message: epoll(7) reports later bytes as a new
  // edge.
  void ReadToEnd() { to_end_ = true; }

  // Whether the pump stopped at an urgent byte, which it cannot read.
  virtual bool at_urgent() const { return false; }
  // Returns a copying pump that continues where this one is; nullptr if this one copies, or still
  // holds bytes. Needed because splice(2) never reads past an urgent byte.
  virtual std::unique_ptr<Pump> MakeCopying() const { return nullptr; }

  // Total numbers of bytes.
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

#endif  // TWINPATH_SPLICE_FORWARD_PUMP_H_
