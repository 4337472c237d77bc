// SPDX-License-Identifier: BSD-3-Clause
// Access to mbufs for the decision, and freeing them. Inline, without state; runs on the lcores.

#ifndef TWINPATH_DPDK_WORKER_MBUF_H_
#define TWINPATH_DPDK_WORKER_MBUF_H_

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>

#include "src/engine/burst.h"
#include "src/engine/decide_blind.h"

namespace twinpath {

// The access that the templates of src/engine/decide_blind.h need.
struct MbufAccess {
  using Frame = rte_mbuf;
  static uint32_t Length(const rte_mbuf* frame) { return frame->pkt_len; }
  static uint8_t* Data(const rte_mbuf* frame) { return rte_pktmbuf_mtod(frame, uint8_t*); }
  static uint32_t DataLength(const rte_mbuf* frame) { return frame->data_len; }
};

// Whether a frame is one mbuf with one reference from `pool`, which may return to the pool
// directly.
inline bool IsPlain(const rte_mbuf* frame, const rte_mempool* pool) {
  return frame->refcnt == 1 && frame->nb_segs == 1 && RTE_MBUF_DIRECT(frame) && frame->pool == pool;
}

// Frees `count` frames of any kind. Plain frames of one mempool return to it in one call. Changes
// the order of `frames`.
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
