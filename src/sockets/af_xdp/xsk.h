// SPDX-License-Identifier: BSD-3-Clause
// One AF_XDP socket (the kernel's Documentation/networking/af_xdp.rst): the memory for its frames,
// and its four rings, by libxdp's <xdp/xsk.h>. One worker uses it for both directions.

#ifndef TWINPATH_SOCKETS_AF_XDP_XSK_H_
#define TWINPATH_SOCKETS_AF_XDP_XSK_H_

#include <xdp/xsk.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "src/engine/burst.h"
#include "src/sockets/af_xdp/redirect.h"
#include "src/sockets/engine.h"

namespace twinpath {

class Xsk {
 public:
  // A chunk of the memory; the kernel keeps the first kHeadroom bytes of one that it receives into.
  static constexpr uint32_t kChunk = 4096, kHeadroom = 256;
  static constexpr uint32_t kLongestReceived = kChunk - kHeadroom;

  // Binds it to one queue of the interface: zero-copy where the driver can, else with copies.
  // FailedPrecondition: another socket has the queue.
  static absl::StatusOr<std::shared_ptr<Xsk>> Open(uint32_t index, uint32_t queue);
  ~Xsk();
  Xsk(const Xsk&) = delete;
  Xsk& operator=(const Xsk&) = delete;

  int fd() const { return xsk_socket__fd(socket_); }
  bool zero_copy() const;
  uint32_t queue() const { return queue_; }

  // As RxQueue::Receive.
  uint32_t Receive(SocketFrame* frames, uint32_t most);
  // Copies a frame to the TX ring; false: there is no room.
  bool Put(const SocketFrame& frame);
  // Lets the kernel send what is in the TX ring. Returns the errno of the last try, and in *left
  // how many of the last frames it has not taken yet: it takes them with the next ones.
  int Flush(uint32_t* left);

 private:
  explicit Xsk(uint32_t queue) : queue_(queue) {}
  absl::Status MakeMemory();
  absl::Status Bind(uint32_t index);
  void GiveBack(const uint64_t* addresses, uint32_t count);
  void Reclaim();

  const uint32_t queue_;
  uint8_t* memory_ = nullptr;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_prod fill_ = {}, tx_ = {};
  xsk_ring_cons completion_ = {}, rx_ = {};
  std::vector<uint64_t> free_;         // chunks to send with
  uint64_t received_[kMaxBurst] = {};  // chunks of the last burst
  uint32_t n_received_ = 0;
};

class XskRx : public RxQueue {
 public:
  XskRx(std::shared_ptr<Xsk> xsk, std::shared_ptr<Redirect> redirect)
      : xsk_(std::move(xsk)), redirect_(std::move(redirect)) {}
  uint32_t Receive(SocketFrame* frames, uint32_t most) override {
    return xsk_->Receive(frames, most);
  }
  int fd() const override { return xsk_->fd(); }
  absl::Status Begin() override { return redirect_->Give(xsk_->queue(), xsk_->fd()); }
  void End() override { redirect_->Take(xsk_->queue()); }
  RingLosses Losses() override;

 private:
  const std::shared_ptr<Xsk> xsk_;
  const std::shared_ptr<Redirect> redirect_;  // detached before the socket is closed
};

class XskTx : public TxQueue {
 public:
  explicit XskTx(std::shared_ptr<Xsk> xsk) : xsk_(std::move(xsk)) {}
  void Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) override;

 private:
  const std::shared_ptr<Xsk> xsk_;
};

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_AF_XDP_XSK_H_
