// SPDX-License-Identifier: BSD-3-Clause
// What the workers do to whole bursts of mbufs: add up their octets, part the lost from the spared,
// free them. Inline, without state; runs on the lcores.

#ifndef TWINPATH_DPDK_WORKER_MBUF_H_
#define TWINPATH_DPDK_WORKER_MBUF_H_

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_vect.h>

#include <cstdint>
#include <cstring>

#include "src/policy/reflect.h"
#include "src/policy/types.h"

namespace twinpath {

inline constexpr uint32_t kMaxBurst = 64;  // the fates of a run fit one word

// The octets of `count` frames. Four at a time: on a wire without loss this is most of what a
// worker adds to receiving and sending.
inline uint64_t FrameBytes(rte_mbuf* const* frames, uint32_t count) {
  uint64_t bytes[4] = {};
  rte_mbuf* const* end = frames + count;
  for (; end - frames >= 4; frames += 4) {
    bytes[0] += frames[0]->pkt_len;
    bytes[1] += frames[1]->pkt_len;
    bytes[2] += frames[2]->pkt_len;
    bytes[3] += frames[3]->pkt_len;
  }
  for (; frames != end; frames++) bytes[0] += (*frames)->pkt_len;
  return bytes[0] + bytes[1] + bytes[2] + bytes[3];
}

// Parts a burst by `fates` (not 0): the lost go to `lost`, the spared close up in `frames`, both in
// order. Returns how many are spared.
inline uint32_t PartitionByMask(rte_mbuf** frames, uint32_t count, uint64_t fates,
                                rte_mbuf** lost) {
  uint32_t kept = static_cast<uint32_t>(__builtin_ctzll(fates));  // nothing moves before the first
  uint32_t gone = 0;
  if (__builtin_popcountll(fates) <= 3) {
    // A few lost: what lies between them moves as a whole.
    do {
      const auto at = static_cast<uint32_t>(__builtin_ctzll(fates));
      fates &= fates - 1;
      const uint32_t next = fates != 0 ? static_cast<uint32_t>(__builtin_ctzll(fates)) : count;
      lost[gone++] = frames[at];
      std::memmove(frames + kept, frames + at + 1, (next - at - 1) * sizeof(*frames));
      kept += next - at - 1;
    } while (fates != 0);
    return kept;
  }
  // Without branches: a coin's result cannot be predicted.
  for (uint32_t i = kept; i < count; i++) {
    rte_mbuf* frame = frames[i];
    const uint32_t fate = fates >> i & 1;
    lost[gone] = frame;
    frames[kept] = frame;
    gone += fate;
    kept += 1 - fate;
  }
  return kept;
}

// tp_reflect on a frame of at least 16 octets in one buffer, by one load, one shuffle and one
// store.
inline void ReflectLong(uint8_t* data) {
#ifdef __SSSE3__
  const __m128i swap = _mm_setr_epi8(6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15);
  auto* head = reinterpret_cast<__m128i*>(data);
  _mm_storeu_si128(head, _mm_shuffle_epi8(_mm_loadu_si128(head), swap));
#else
  tp_reflect(data, data + 16);
#endif
}

// Whether a frame is one buffer that nobody else holds: it may go back to its mempool as it is.
inline bool IsPlain(const rte_mbuf* frame, const rte_mempool* pool) {
  return frame->refcnt == 1 && frame->nb_segs == 1 && RTE_MBUF_DIRECT(frame) && frame->pool == pool;
}

// Frees `count` frames of any kind; those from one mempool go back in one move.
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

#endif  // TWINPATH_DPDK_WORKER_MBUF_H_
