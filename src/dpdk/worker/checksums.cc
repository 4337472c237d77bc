// SPDX-License-Identifier: BSD-3-Clause
// Finds and finishes checksums. DPDK's function sums the bytes of any number of segments.

#include "src/dpdk/worker/checksums.h"

#include <rte_ip.h>

#include "src/dpdk/worker/mbuf.h"
#include "src/policy/egress/checksum.h"

namespace twinpath {
namespace {

// Returns whether the frame changed.
bool CompleteChecksum(const rte_mbuf* frame) {
  uint8_t* data = MbufAccess::Data(frame);
  const uint8_t* end = data + frame->data_len;
  tp_key key;
  tp_unfinished found;
  if (tp_parse(data, end, frame->pkt_len, 0, &key) != TP_PARSED ||
      !tp_find_unfinished(data, end, &key, &found))
    return false;
  uint16_t sum = 0;
  if (rte_raw_cksum_mbuf(frame, found.at, found.length, &sum) != 0) return false;
  const uint16_t before = tp_load16(data + found.field);
  const uint16_t checksum = tp_finished_checksum(key.proto, sum);
  tp_store16(data + found.field, checksum);
  return checksum != before;
}

}  // namespace

uint32_t CompleteChecksums(rte_mbuf* const* frames, uint32_t count) {
  uint32_t completed = 0;
  for (uint32_t i = 0; i < count; i++) completed += CompleteChecksum(frames[i]) ? 1 : 0;
  return completed;
}

}  // namespace twinpath
