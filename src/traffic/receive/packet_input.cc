// SPDX-License-Identifier: BSD-3-Clause
// Maps the ring, and reads it block by block.

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>

#include <arpa/inet.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/traffic/receive/packet_input.h"

namespace twinpath {
namespace {

// 67,108,864 bytes. A block is handed over when it is full, or after 5 ms: where few frames come,
// 256 of them last for 1.28 s in which this process does not run. A block holds the longest frame
// that GRO makes by default.
constexpr uint32_t kBlockBytes = 1 << 18, kBlocks = 256, kFrameBytes = 2048;
constexpr uint32_t kBlockMilliseconds = 5;

// CLOCK_REALTIME, of which the kernel's timestamps are, less CLOCK_MONOTONIC: the reading with the
// least time between two looks at the latter.
int64_t RealtimeAhead() {
  const auto now = [](clockid_t clock) {
    timespec time = {};
    clock_gettime(clock, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  int64_t best = INT64_MAX, ahead = 0;
  for (int i = 0; i < 3; i++) {
    const int64_t before = now(CLOCK_MONOTONIC), real = now(CLOCK_REALTIME);
    const int64_t after = now(CLOCK_MONOTONIC);
    if (after - before < best) {
      best = after - before;
      ahead = real - (before + (after - before) / 2);
    }
  }
  return ahead;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PacketInput>> PacketInput::Create(const Link& link) {
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));  // nothing before bind()
  if (socket.get() < 0) return absl::ErrnoToStatus(errno, "socket(AF_PACKET)");
  const int version = TPACKET_V3, on = 1;
  if (setsockopt(socket.get(), SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_VERSION");
  if (setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_IGNORE_OUTGOING");
  tpacket_req3 request = {};
  request.tp_block_size = kBlockBytes;
  request.tp_block_nr = kBlocks;
  request.tp_frame_size = kFrameBytes;
  request.tp_frame_nr = kBlockBytes / kFrameBytes * kBlocks;
  request.tp_retire_blk_tov = kBlockMilliseconds;
  if (setsockopt(socket.get(), SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
    return absl::ErrnoToStatus(errno, "PACKET_RX_RING");
  void* ring = mmap(nullptr, size_t{kBlockBytes} * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED,
                    socket.get(), 0);
  if (ring == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap() of PACKET_RX_RING");
  auto promiscuous = Promiscuous::Hold(link.index);
  if (!promiscuous.ok()) {
    munmap(ring, size_t{kBlockBytes} * kBlocks);
    return promiscuous.status();
  }
  std::unique_ptr<PacketInput> input(
      new PacketInput(std::move(socket), *std::move(promiscuous), link.name));
  input->ring_ = static_cast<uint8_t*>(ring);
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(link.index);
  if (bind(input->socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("bind(AF_PACKET) to ", link.name));
  return input;
}

PacketInput::~PacketInput() {
  if (ring_ != nullptr) munmap(ring_, size_t{kBlockBytes} * kBlocks);
}

absl::StatusOr<bool> PacketInput::Poll(uint64_t wait_ns, Receiver* receiver) {
  const auto block = [this] {
    return reinterpret_cast<tpacket_block_desc*>(ring_ + size_t{block_} * kBlockBytes);
  };
  const auto ready = [](tpacket_block_desc* desc) {
    return __atomic_load_n(&desc->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
  };
  if (!ready(block())) {
    pollfd entry = {.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int ms = static_cast<int>(wait_ns / 1'000'000);
    if (poll(&entry, 1, ms) < 0 && errno != EINTR)
      return absl::ErrnoToStatus(errno, absl::StrCat("poll() of ", name_));
    if (entry.revents & (POLLERR | POLLNVAL | POLLHUP)) {
      int error = 0;
      socklen_t size = sizeof(error);
      getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      return absl::UnavailableError(absl::StrCat(name_, ": ", std::strerror(error)));
    }
  }
  for (uint32_t taken = 0; taken < kBlocks && ready(block()); taken++) {
    tpacket_block_desc* desc = block();
    const int64_t ahead = RealtimeAhead();
    const uint8_t* at = reinterpret_cast<const uint8_t*>(desc) + desc->hdr.bh1.offset_to_first_pkt;
    for (uint32_t i = 0; i < desc->hdr.bh1.num_pkts; i++) {
      const auto* header = reinterpret_cast<const tpacket3_hdr*>(at);
      ReceivedFrame frame;
      frame.bytes = {at + header->tp_mac, header->tp_snaplen};
      frame.length = header->tp_len;
      frame.arrival =
          static_cast<uint64_t>(int64_t{header->tp_sec} * 1'000'000'000 + header->tp_nsec - ahead);
      frame.finished = !(header->tp_status & TP_STATUS_CSUMNOTREADY);
      receiver->Add(frame);
      at += header->tp_next_offset;
    }
    __atomic_store_n(&desc->hdr.bh1.block_status, uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
    block_ = (block_ + 1) % kBlocks;
  }
  return true;
}

uint64_t PacketInput::missed() {
  tpacket_stats_v3 stats = {};
  socklen_t size = sizeof(stats);
  // The kernel resets its counts at each read.
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
    missed_ += stats.tp_drops;
  return missed_;
}

}  // namespace twinpath
