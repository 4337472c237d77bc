// SPDX-License-Identifier: BSD-3-Clause
// pcap_dispatch.

#include "src/sockets/pcap/pcap_rx.h"

#include <cstring>
#include <utility>

#include "src/engine/burst.h"

namespace twinpath {
namespace {

constexpr int kBufferBytes = 16 << 20;
constexpr size_t kAlign = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<PcapRx>> PcapRx::Open(uint32_t index, uint32_t without_mark) {
  auto handle = OpenPcap(index, kBufferBytes);
  if (!handle.ok()) return handle.status();
  std::unique_ptr<PcapRx> rx(new PcapRx);
  rx->handle_ = *std::move(handle);
  rx->without_mark_ = without_mark;
  const size_t longest = static_cast<size_t>(pcap_snapshot(rx->handle_.get()));
  rx->memory_.resize(kMaxBurst * (longest + kAlign));
  return rx;
}

void PcapRx::Take(const pcap_pkthdr& header, const uint8_t* bytes) {
  uint8_t* to = memory_.data() + used_;
  std::memcpy(to, bytes, header.caplen);
  used_ += (header.caplen + kAlign) / kAlign * kAlign;
  *frames_++ = {.data = to, .length = header.caplen, .frame_length = header.len, .note = {}};
}

uint32_t PcapRx::Receive(SocketFrame* frames, uint32_t most) {
  used_ = 0;
  frames_ = frames;
  // Its return value does not count the frames that came before an error.
  (void)pcap_dispatch(
      handle_.get(), static_cast<int>(most),
      [](u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
        reinterpret_cast<PcapRx*>(self)->Take(*header, bytes);
      },
      reinterpret_cast<u_char*>(this));
  return static_cast<uint32_t>(frames_ - frames);
}

RingLosses PcapRx::Losses() {
  pcap_stat statistics = {};
  if (pcap_stats(handle_.get(), &statistics) != 0) return {};
  return {.full = statistics.ps_drop};
}

}  // namespace twinpath
