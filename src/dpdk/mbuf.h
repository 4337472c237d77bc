// SPDX-License-Identifier: BSD-3-Clause
// What the workers do to whole bursts of mbufs: add up their octets, part the lost from the spared,
// free them. Inline, without state; runs on the lcores.

#ifndef TWINPATH_DPDK_MBUF_H_
#define TWINPATH_DPDK_MBUF_H_

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>

#include "src/policy/types.h"

namespace twinpath {

inline constexpr uint32_t kMaxBurst = 64;  // the fates of a run fit one word

// The octets of `count` frames.
inline uint64_t FrameBytes(rte_mbuf* const* frames, uint32_t count) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) bytes += frames[i]->pkt_len;
  return bytes;
}

// Parts a burst by `fates` (not 0): the lost go to `lost`, the spared close up in `frames`, both in
// order. Returns how many are spared.
inline uint32_t Part(rte_mbuf** frames, uint32_t count, uint64_t fates, rte_mbuf** lost) {
  // Nothing moves before the first lost one. From there on without branches: a coin's result
  // cannot be predicted.
  uint32_t kept = static_cast<uint32_t>(__builtin_ctzll(fates));
  uint32_t gone = 0;
  for (uint32_t i = kept; i < count; i++) {
    rte_mbuf* frame = frames[i];
    uint32_t fate = fates >> i & 1;
    lost[gone] = frame;
    frames[kept] = frame;
    gone += fate;
    kept += 1 - fate;
  }
  return kept;
}

// Whether a frame is one buffer that nobody else holds: it may go back to its mempool as it is.
inline bool IsPlain(const rte_mbuf* frame, const rte_mempool* pool) {
  return frame->refcnt == 1 && frame->nb_segs == 1 && RTE_MBUF_DIRECT(frame) && frame->pool == pool;
}

// Frees `count` frames (at most kMaxBurst) of any kind; those from one mempool go back in one move.
// The order of `frames` is lost.
inline void FreeFrames(rte_mbuf** frames, uint32_t count) {
  if (count == 0) return;
  rte_mempool* pool = frames[0]->pool;
  uint32_t plain = 0;
  for (uint32_t i = 0; i < count; i++) {
    rte_mbuf* frame = frames[i];
    if (TP_LIKELY(IsPlain(frame, pool)))
      frames[plain++] = frame;
    else
      rte_pktmbuf_free(frame);
  }
  if (plain) rte_mempool_put_bulk(pool, reinterpret_cast<void**>(frames), plain);
}

}  // namespace twinpath

#endif  // TWINPATH_DPDK_MBUF_H_
