// SPDX-License-Identifier: BSD-3-Clause
// The rings, the net_ring ethdev over them, and the distribution by the lcore of queue 0.

#include "src/dpdk/port/software_rss.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/policy/parse.h"

namespace twinpath {
namespace {

constexpr uint16_t kPlaces = 128;  // of the table, as most NICs have
constexpr std::chrono::milliseconds kLastFlush(100);

// The key of Microsoft's specification, which is the default of most drivers.
constexpr uint8_t kCommonKey[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                  0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                  0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                  0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

RssState StateOf(const RssSpec& spec, uint32_t queues) {
  RssState state;
  state.fields = spec.fields & ~kRssSctp;
  if (spec.fields & kRssSctp) state.cannot.emplace_back("software does not hash sctp");
  state.key = spec.symmetric     ? SymmetricRssKey(sizeof(kCommonKey))
              : spec.key.empty() ? std::vector<uint8_t>(kCommonKey, std::end(kCommonKey))
                                 : spec.key;
  for (uint16_t i = 0; i < kPlaces; i++) state.reta.push_back(static_cast<uint16_t>(i % queues));
  return state;
}

void FreeAll(rte_ring* ring) {
  void* frame = nullptr;
  while (rte_ring_dequeue(ring, &frame) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
}

}  // namespace

absl::Status TooManyToSpread(uint32_t queues) {
  return absl::InvalidArgumentError(absl::StrCat(
      "software spreads frames over at most ", kMaxSpreadQueues, " queues, and ", queues,
      " are asked for; use --queues ", kMaxSpreadQueues,
      ", or the profile's rss: {\"spread\": \"device\"} where all devices have so many"));
}

SoftwareRss::SoftwareRss(const SoftwareRssRequest& request, const Ethdev& device)
    : device_(device.port()),
      longest_chain_(device.longest_chain()),
      burst_(static_cast<uint16_t>(request.burst)),
      spec_(request.rss),
      state_(StateOf(request.rss, request.queues)),
      hash_(state_.fields, state_.key),
      batches_(request.queues) {}

absl::StatusOr<std::unique_ptr<SoftwareRss>> SoftwareRss::Create(const SoftwareRssRequest& request,
                                                                 const Ethdev& device) {
  if (request.queues > kMaxSpreadQueues) return TooManyToSpread(request.queues);
  std::unique_ptr<SoftwareRss> spread(new SoftwareRss(request, device));
  const std::string name = absl::StrCat("tps", device.port());  // EAL's names are short
  absl::Status made = spread->MakeRings(name);
  if (!made.ok()) return made;
  std::vector<rte_ring*> in, out;
  for (const Ring& ring : spread->in_) in.push_back(ring.get());
  for (const Ring& ring : spread->out_) out.push_back(ring.get());
  const auto count = static_cast<unsigned>(request.queues);
  if (rte_eth_from_rings(name.c_str(), in.data(), count, out.data(), count,
                         static_cast<unsigned>(device.node())) < 0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "rte_eth_from_rings of ", name, ": ", rte_strerror(rte_errno), StderrCapture::LastLine()));
  }
  auto ethdev = Ethdev::Adopt(absl::StrCat("net_ring_", name));
  if (!ethdev.ok()) return ethdev.status();
  spread->ethdev_.emplace(*std::move(ethdev));
  absl::Status started = spread->ethdev_->Start(
      {.queues = static_cast<uint16_t>(count), .promiscuous = false, .mempool = request.mempool});
  if (!started.ok()) return started;
  spread->callback_ = rte_eth_add_rx_callback(spread->ethdev_->port(), 0, OnReceive, spread.get());
  if (spread->callback_ == nullptr)
    return absl::ErrnoToStatus(rte_errno, absl::StrCat("rte_eth_add_rx_callback of ", name));
  return spread;
}

absl::Status SoftwareRss::MakeRings(const std::string& name) {
  for (auto* rings : {&in_, &out_}) {
    for (size_t q = 0; q < batches_.size(); q++) {
      const std::string ring = absl::StrCat(name, rings == &in_ ? "i" : "o", q);
      rings->emplace_back(rte_ring_create(ring.c_str(), kSpreadRing, SOCKET_ID_ANY,
                                          RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ));
      if (rings->back() == nullptr) {
        return absl::ResourceExhaustedError(
            absl::StrCat("rte_ring_create of ", ring, ": ", rte_strerror(rte_errno)));
      }
    }
  }
  return absl::OkStatus();
}

SoftwareRss::~SoftwareRss() {
  if (callback_ != nullptr) rte_eth_remove_rx_callback(ethdev_->port(), 0, callback_);
  if (callback_ != nullptr) {
    const auto end = std::chrono::steady_clock::now() + kLastFlush;
    do {
      Transmit();
    } while (waiting_ != 0 && std::chrono::steady_clock::now() < end);
  }
  for (; waiting_ != 0; waiting_--) rte_pktmbuf_free(waiting_frames_[waiting_at_++]);
  for (auto* rings : {&in_, &out_})
    for (const Ring& ring : *rings)
      if (ring != nullptr) FreeAll(ring.get());
  ethdev_.reset();  // before its rings
}

QueueEnd SoftwareRss::end(uint32_t queue) const {
  return {.ethdev = ethdev_->port(),
          .queue = static_cast<uint16_t>(queue),
          .longest_chain = longest_chain_};
}

uint16_t SoftwareRss::OnReceive(uint16_t, uint16_t, rte_mbuf**, uint16_t count, uint16_t,
                                void* self) {
  auto* spread = static_cast<SoftwareRss*>(self);
  spread->Transmit();
  spread->Receive();
  return count;
}

void SoftwareRss::Receive() {
  rte_mbuf* frames[kMaxBurst];
  const uint32_t count = rte_eth_rx_burst(device_, 0, frames, burst_);
  for (uint32_t i = 0; i < count; i++) {
    const auto* data = rte_pktmbuf_mtod(frames[i], const uint8_t*);
    tp_key key;
    const int result = tp_parse(data, data + frames[i]->data_len, frames[i]->pkt_len, 0, &key);
    const bool parsed = !tp_is_malformed(static_cast<__u64>(result));
    Batch& batch = batches_[parsed ? state_.reta[hash_.Hash(key) % kPlaces] : 0];
    batch.frames[batch.count++] = frames[i];
  }
  if (count == 0) return;
  for (size_t q = 0; q < batches_.size(); q++) {
    Batch& batch = batches_[q];
    if (batch.count == 0) continue;
    const uint32_t taken = rte_ring_enqueue_burst(
        in_[q].get(), reinterpret_cast<void**>(batch.frames), batch.count, nullptr);
    if (taken < batch.count) {
      full_.store(full_packets() + batch.count - taken, std::memory_order_relaxed);
      FreeFrames(batch.frames + taken, batch.count - taken);
    }
    batch.count = 0;
  }
}

// Sends one burst from each ring, as far as the device accepts frames. Refused frames wait in
// waiting_frames_, and later ones in the ring, until the ring is full and the worker counts
// tx_full.
void SoftwareRss::Transmit() {
  const auto queues = static_cast<uint32_t>(out_.size());
  if (waiting_ != 0 && !Flush()) return;
  for (uint32_t i = 0; i < queues; i++) {
    rte_ring* ring = out_[(next_ + i) % queues].get();
    waiting_at_ = 0;
    waiting_ =
        rte_ring_dequeue_burst(ring, reinterpret_cast<void**>(waiting_frames_), burst_, nullptr);
    if (waiting_ != 0 && !Flush()) break;
  }
  next_ = (next_ + 1) % queues;
}

// Sends waiting frames. Returns whether none is left.
bool SoftwareRss::Flush() {
  const uint16_t sent =
      rte_eth_tx_burst(device_, 0, waiting_frames_ + waiting_at_, static_cast<uint16_t>(waiting_));
  waiting_at_ += sent;
  waiting_ -= sent;
  return waiting_ == 0;
}

}  // namespace twinpath
