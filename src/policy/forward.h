/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Rule -> where to. Owns the only bytes of a frame that the policy ever changes. Pure; any thread.
 */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "parse.h"
#include "types.h"

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

/* The verdict on a packet that its loss model spared, and in *out_port the port it leaves by (TP_TX
 * only). A frame too short to reflect is malformed. */
TP_INLINE enum tp_verdict tp_forward(const struct tp_state* state, __u8 port, __u8* data,
                                     const __u8* end, __u8* out_port) {
  switch (state->action) {
    case TP_ACTION_PORT:
      *out_port = state->out_port;
      return TP_TX;
    case TP_ACTION_REFLECT:
      *out_port = port;
      return tp_reflect(data, end) ? TP_MALFORMED : TP_TX;
    case TP_ACTION_DROP:
      return TP_DENIED;
    default:
      return TP_PASS;
  }
}

#endif /* TWINPATH_POLICY_FORWARD_H_ */
