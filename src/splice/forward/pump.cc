// SPDX-License-Identifier: BSD-3-Clause
// The copying pump and the splicing pump.

#include "src/splice/forward/pump.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace twinpath::splice {
namespace {

constexpr size_t kBufferBytes = 256 << 10;  // of one read; a copying pump never holds more
constexpr size_t kPipeBytes = 256 << 10;    // a pipe's capacity, if the kernel allows it
constexpr size_t kSparePipes = 64;          // kept per worker
constexpr uint64_t kTurnBytes = 1 << 20;    // moved before other connections have a turn

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

class CopyPump : public Pump {
 public:
  // `moved` is the number of bytes that another pump has moved before.
  explicit CopyPump(PumpPool* pool, uint64_t moved = 0) : pool_(pool) { read_ = written_ = moved; }

  PumpStop Move(int source, int sink, uint64_t most) override {
    const uint64_t start = read_;
    for (;;) {
      if (!rest_.empty()) {
        const ssize_t sent = Write(sink, rest_.data() + offset_, rest_.size() - offset_);
        if (sent < 0) return PumpStop::kSinkError;
        offset_ += static_cast<size_t>(sent);
        if (offset_ < rest_.size()) return PumpStop::kSinkFull;
        rest_ = {};  // frees the memory, which an idle connection does not need
        offset_ = 0;
      }
      if (read_ - start >= std::min(most, kTurnBytes)) return PumpStop::kQuotaUsed;
      std::vector<char>& buffer = pool_->buffer();
      const size_t wanted = std::min<uint64_t>(buffer.size(), most - (read_ - start));
      const ssize_t got = recv(source, buffer.data(), wanted, MSG_DONTWAIT);
      if (got == 0) return PumpStop::kSourceEnded;
      if (got < 0) {
        if (errno == EINTR) continue;
        if (WouldBlock(errno)) return PumpStop::kSourceEmpty;
        error_ = errno;
        return PumpStop::kSourceError;
      }
      const auto size = static_cast<size_t>(got);
      read_ += size;
      const ssize_t sent = Write(sink, buffer.data(), size);
      if (sent < 0) return PumpStop::kSinkError;
      rest_.assign(buffer.begin() + sent, buffer.begin() + got);
      if (!rest_.empty()) return PumpStop::kSinkFull;
      if (size < wanted && !to_end_) return PumpStop::kSourceEmpty;
    }
  }

 private:
  // Writes as much as possible, and returns the number of bytes; negative on an error.
  ssize_t Write(int sink, const char* data, size_t size) {
    size_t done = 0;
    while (done < size) {
      const ssize_t sent = send(sink, data + done, size - done, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && WouldBlock(errno)) break;
      if (sent < 0) {
        error_ = errno;
        return -1;
      }
      done += static_cast<size_t>(sent);
    }
    written_ += done;
    return static_cast<ssize_t>(done);
  }

  PumpPool* pool_;
  std::vector<char> rest_;  // read; written up to offset_
  size_t offset_ = 0;
};

class SplicePump : public Pump {
 public:
  explicit SplicePump(PumpPool* pool) : pool_(pool) {}
  ~SplicePump() override {
    // A pipe that still holds bytes must not reach another connection.
    if (held() == 0) Release();
  }

  bool at_urgent() const override { return at_urgent_; }
  std::unique_ptr<Pump> MakeCopying() const override {
    return held() == 0 ? std::make_unique<CopyPump>(pool_, read_) : nullptr;
  }

  PumpStop Move(int source, int sink, uint64_t most) override {
    const uint64_t start = read_;
    for (;;) {
      while (held() != 0) {
        const ssize_t sent = ::splice(pipe_.out.get(), nullptr, sink, nullptr, held(),
                                      SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (sent > 0) {
          written_ += static_cast<uint64_t>(sent);
        } else if (sent < 0 && WouldBlock(errno)) {
          return PumpStop::kSinkFull;
        } else if (sent == 0 || errno != EINTR) {
          error_ = sent == 0 ? EPIPE : errno;
          return PumpStop::kSinkError;
        }
      }
      if (read_ - start >= std::min(most, kTurnBytes)) return PumpStop::kQuotaUsed;
      if (pipe_.in.get() < 0 && !pool_->TakePipe(&pipe_)) {
        error_ = errno;
        return PumpStop::kSourceError;
      }
      const ssize_t got = ::splice(source, nullptr, pipe_.in.get(), nullptr,
                                   std::min<uint64_t>(kPipeBytes, most - (read_ - start)),
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (got > 0) {
        read_ += static_cast<uint64_t>(got);
        continue;
      }
      if (got < 0 && errno == EINTR) continue;
      const int error = got < 0 ? errno : 0;
      Release();
      // splice(2) returns 0 not only at the FIN but also at an urgent byte.
      char next = 0;
      at_urgent_ = got == 0 && recv(source, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
      if (at_urgent_) return PumpStop::kSourceEmpty;
      if (got == 0) return PumpStop::kSourceEnded;
      if (WouldBlock(error)) return PumpStop::kSourceEmpty;
      error_ = error;
      return PumpStop::kSourceError;
    }
  }

 private:
  void Release() {
    if (pipe_.in.get() >= 0) pool_->ReturnPipe(std::move(pipe_));
    pipe_ = {};
  }

  PumpPool* pool_;
  PumpPool::Pipe pipe_;  // only while bytes arrive
  bool at_urgent_ = false;
};

}  // namespace

PumpPool::PumpPool() : buffer_(kBufferBytes) {}

bool PumpPool::TakePipe(Pipe* pipe) {
  if (!pipes_.empty()) {
    *pipe = std::move(pipes_.back());
    pipes_.pop_back();
    return true;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return false;
  pipe->out = FileDescriptor(ends[0]);
  pipe->in = FileDescriptor(ends[1]);
  // Fails beyond the user's pipe limit. The pipe then keeps its default capacity.
  static_cast<void>(fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kPipeBytes)));
  return true;
}

void PumpPool::ReturnPipe(Pipe pipe) {
  if (pipes_.size() < kSparePipes) pipes_.push_back(std::move(pipe));
}

std::unique_ptr<Pump> MakeCopyPump(PumpPool* pool) { return std::make_unique<CopyPump>(pool); }
std::unique_ptr<Pump> MakeSplicePump(PumpPool* pool) { return std::make_unique<SplicePump>(pool); }

}  // namespace twinpath::splice
