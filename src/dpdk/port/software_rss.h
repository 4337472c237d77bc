// SPDX-License-Identifier: BSD-3-Clause
// Several queues for a device that has only one. The lcore of queue 0 receives for all queues,
// distributes the frames to rings by their RSS hash, and sends the frames that the other lcores put
// into their rings. Workers see the queues of a net_ring ethdev; the RX callback of queue 0 does
// the distribution. The control thread creates and destroys this object while no worker runs.

#ifndef TWINPATH_DPDK_PORT_SOFTWARE_RSS_H_
#define TWINPATH_DPDK_PORT_SOFTWARE_RSS_H_

#include <rte_ethdev.h>
#include <rte_ring.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/profile/rss.h"
#include "src/dpdk/port/ethdev.h"
#include "src/dpdk/port/toeplitz.h"
#include "src/dpdk/worker/mbuf.h"
#include "src/dpdk/worker/queue_end.h"

namespace twinpath {

struct SoftwareRssRequest {
  uint32_t queues = 2;  // 2 to kMaxSpreadQueues
  uint32_t burst = 32;  // 1 to kMaxBurst
  RssSpec rss;
  rte_mempool* mempool = nullptr;
};

inline constexpr uint32_t kMaxSpreadQueues = 16;  // the queues of a net_ring ethdev
inline constexpr uint32_t kSpreadRing = 1024;     // frames in each ring: by queue and direction

// The error for more than kMaxSpreadQueues queues.
absl::Status TooManyToSpread(uint32_t queues);

class SoftwareRss {
 public:
  // Uses queue 0 of `device`, which is started and outlives this object.
  static absl::StatusOr<std::unique_ptr<SoftwareRss>> Create(const SoftwareRssRequest& request,
                                                             const Ethdev& device);
  // Sends the frames that are still in the rings, for at most 0.1 s.
  ~SoftwareRss();
  SoftwareRss(const SoftwareRss&) = delete;
  SoftwareRss& operator=(const SoftwareRss&) = delete;

  QueueEnd end(uint32_t queue) const;
  const RssState& rss() const { return state_; }
  // Frames dropped because a queue's ring was full, so its lcore is too slow. Any thread.
  uint64_t full_packets() const { return full_.load(std::memory_order_relaxed); }

 private:
  struct RingFree {
    void operator()(rte_ring* ring) const { rte_ring_free(ring); }
  };
  using Ring = std::unique_ptr<rte_ring, RingFree>;
  struct Batch {
    uint32_t count = 0;
    rte_mbuf* frames[kMaxBurst];
  };

  SoftwareRss(const SoftwareRssRequest& request, const Ethdev& device);
  absl::Status MakeRings(const std::string& name);
  static uint16_t OnReceive(uint16_t port, uint16_t queue, rte_mbuf** frames, uint16_t count,
                            uint16_t most, void* self);
  void Receive();
  void Transmit();
  bool Flush();

  // control: rw before the run; the lcore of queue 0: ro
  const uint16_t device_;
  const uint32_t longest_chain_;
  const uint16_t burst_;
  const RssSpec spec_;
  RssState state_;
  SoftRss hash_;
  std::vector<Ring> in_, out_;  // by queue: to its worker, from its worker
  std::optional<Ethdev> ethdev_;
  const rte_eth_rxtx_callback* callback_ = nullptr;

  // the lcore of queue 0: rw
  std::vector<Batch> batches_;  // by queue
  uint32_t next_ = 0;           // the ring of out_ that is sent first
  uint32_t waiting_ = 0, waiting_at_ = 0;
  rte_mbuf* waiting_frames_[kMaxBurst];  // taken from a ring, not yet sent
  std::atomic<uint64_t> full_ = 0;       // control: ro
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_PORT_SOFTWARE_RSS_H_
