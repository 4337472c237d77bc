/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* "forward": "reflect": a frame goes back to its sender. Pure; any thread. */
#ifndef TWINPATH_POLICY_REFLECT_H_
#define TWINPATH_POLICY_REFLECT_H_

#include "parse.h"

/* Swaps the MAC addresses of the frame in [data, end), in place. Returns 0, or -1 where the frame
 * has no Ethernet header. */
TP_INLINE int tp_reflect(__u8* data, const __u8* end) {
  if (data + TP_ETH_LEN > end) return -1;
  __u32 dst = tp_load32(data), middle = tp_load32(data + 4), src = tp_load32(data + 8);
  tp_store32(data, middle >> 16 | src << 16);
  tp_store32(data + 4, src >> 16 | dst << 16);
  tp_store32(data + 8, dst >> 16 | middle << 16);
  return 0;
}

#endif /* TWINPATH_POLICY_REFLECT_H_ */
