// SPDX-License-Identifier: BSD-3-Clause
// The rings.

#include "src/sockets/af_xdp/xsk.h"

#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

constexpr uint32_t kRing = 2048, kFill = 4096;  // places
constexpr uint32_t kRxChunks = kFill, kTxChunks = kRing;
constexpr uint64_t kBytes = uint64_t{kRxChunks + kTxChunks} * Xsk::kChunk;
constexpr int kSolXdp = 283;  // SOL_XDP
constexpr int kKicks = 8;     // the kernel sends at most 32 frames in one system call
// The kernel frees the queue of a socket that was closed some time later.
constexpr int kBindTries = 20;
constexpr std::chrono::milliseconds kBindPause(50);

}  // namespace

absl::StatusOr<std::shared_ptr<Xsk>> Xsk::Open(uint32_t index, uint32_t queue) {
  for (int tries = 0;; tries++) {
    std::shared_ptr<Xsk> xsk(new Xsk(queue));
    absl::Status done = xsk->MakeMemory();
    if (done.ok()) done = xsk->Bind(index);
    if (done.ok()) return xsk;
    if (!absl::IsFailedPrecondition(done) || tries == kBindTries) return done;
    xsk.reset();
    std::this_thread::sleep_for(kBindPause);
  }
}

absl::Status Xsk::MakeMemory() {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap");
  memory_ = static_cast<uint8_t*>(memory);
  const xsk_umem_config config = {.fill_size = kFill,
                                  .comp_size = kRing,
                                  .frame_size = kChunk,
                                  .frame_headroom = 0,
                                  .flags = 0};
  const int error = xsk_umem__create(&umem_, memory_, kBytes, &fill_, &completion_, &config);
  if (error == 0) return absl::OkStatus();
  if (-error == ENOBUFS || -error == EPERM)
    return absl::ResourceExhaustedError(
        absl::StrCat("no locked memory for an AF_XDP socket (", kBytes,
                     " bytes): grant CAP_IPC_LOCK, or raise the limit: ulimit -l"));
  return absl::ErrnoToStatus(-error, "making the memory of an AF_XDP socket");
}

absl::Status Xsk::Bind(uint32_t index) {
  xsk_socket_config config = {};
  config.rx_size = kRing;
  config.tx_size = kRing;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  config.bind_flags = XDP_USE_NEED_WAKEUP;
  const std::string name = NameOfLink(index);
  const int error = xsk_socket__create(&socket_, name.c_str(), queue_, umem_, &rx_, &tx_, &config);
  if (error == -EBUSY)
    return absl::FailedPreconditionError(
        absl::StrCat("another AF_XDP socket has queue ", queue_, " of ", name));
  if (error != 0)
    return absl::ErrnoToStatus(
        -error, absl::StrCat("binding an AF_XDP socket to ", name, " queue ", queue_));
  std::vector<uint64_t> chunks;
  for (uint32_t i = 0; i < kRxChunks; i++) chunks.push_back(uint64_t{i} * kChunk);
  GiveBack(chunks.data(), kRxChunks);
  for (uint32_t i = 0; i < kTxChunks; i++) free_.push_back(uint64_t{kRxChunks + i} * kChunk);
  return absl::OkStatus();
}

Xsk::~Xsk() {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
  if (umem_ != nullptr) xsk_umem__delete(umem_);
  if (memory_ != nullptr) munmap(memory_, kBytes);
}

bool Xsk::zero_copy() const {
  xdp_options options = {};
  socklen_t size = sizeof(options);
  return getsockopt(fd(), kSolXdp, XDP_OPTIONS, &options, &size) == 0 &&
         (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

// Lets the kernel receive into these chunks. The fill ring has a place for each of them.
void Xsk::GiveBack(const uint64_t* addresses, uint32_t count) {
  uint32_t at = 0;
  if (count == 0 || xsk_ring_prod__reserve(&fill_, count, &at) != count) return;
  for (uint32_t i = 0; i < count; i++)
    *xsk_ring_prod__fill_addr(&fill_, at + i) = addresses[i] / kChunk * kChunk;
  xsk_ring_prod__submit(&fill_, count);
}

uint32_t Xsk::Receive(SocketFrame* frames, uint32_t most) {
  GiveBack(received_, n_received_);
  uint32_t at = 0;
  n_received_ = xsk_ring_cons__peek(&rx_, std::min(most, kMaxBurst), &at);
  for (uint32_t i = 0; i < n_received_; i++) {
    const xdp_desc* found = xsk_ring_cons__rx_desc(&rx_, at + i);
    received_[i] = found->addr;
    frames[i] = {.data = memory_ + found->addr,
                 .length = found->len,
                 .frame_length = found->len,
                 .note = {}};
  }
  if (n_received_ != 0) xsk_ring_cons__release(&rx_, n_received_);
  return n_received_;
}

// Takes chunks back that were sent.
void Xsk::Reclaim() {
  uint32_t at = 0;
  const uint32_t sent = xsk_ring_cons__peek(&completion_, kRing, &at);
  for (uint32_t i = 0; i < sent; i++)
    free_.push_back(*xsk_ring_cons__comp_addr(&completion_, at + i));
  if (sent != 0) xsk_ring_cons__release(&completion_, sent);
}

bool Xsk::Put(const SocketFrame& frame) {
  if (free_.empty()) Reclaim();
  uint32_t at = 0;
  if (free_.empty() || xsk_ring_prod__reserve(&tx_, 1, &at) != 1) return false;
  const uint64_t chunk = free_.back();
  free_.pop_back();
  std::memcpy(memory_ + chunk, frame.data, frame.length);
  xdp_desc* to = xsk_ring_prod__tx_desc(&tx_, at);
  *to = {.addr = chunk, .len = frame.length, .options = 0};
  xsk_ring_prod__submit(&tx_, 1);
  return true;
}

int Xsk::Flush(uint32_t* left) {
  int error = 0;
  for (int kicks = 0; kicks < kKicks; kicks++) {
    if (xsk_ring_prod__needs_wakeup(&tx_))
      error = sendto(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
    Reclaim();
    *left = *tx_.producer - __atomic_load_n(tx_.consumer, __ATOMIC_ACQUIRE);
    if (*left == 0 || error == ENXIO || error == ENODEV || error == ENETDOWN) break;
  }
  return error;
}

RingLosses XskRx::Losses() {
  xdp_statistics counted = {};
  socklen_t size = sizeof(counted);
  if (getsockopt(xsk_->fd(), kSolXdp, XDP_STATISTICS, &counted, &size) != 0) return {};
  return {.full = counted.rx_dropped + counted.rx_ring_full};
}

void XskTx::Send(SocketFrame* const* frames, uint32_t count, tp_delivery* deliveries) {
  uint32_t put[kMaxBurst];
  uint32_t n_put = 0;
  for (uint32_t i = 0; i < count; i++) {
    const SocketFrame& frame = *frames[i];
    const bool long_one = frame.cut() || frame.length > Xsk::kChunk || IsTooLong(frame);
    too_long_ += long_one ? 1 : 0;
    // What the kernel has in its ring, it sends once the interface is up again.
    const bool taken = !long_one && !IsDown() && xsk_->Put(frame);
    deliveries[i] = taken ? TP_DELIVERED : TP_REFUSED;
    if (taken) put[n_put++] = i;
  }
  if (n_put == 0) return;
  uint32_t left = 0;
  const int error = xsk_->Flush(&left);
  if (error != ENXIO && error != ENODEV) return;
  for (uint32_t i = n_put - std::min(left, n_put); i < n_put; i++) deliveries[put[i]] = TP_NOWHERE;
}

}  // namespace twinpath
