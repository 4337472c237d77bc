/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Decides where a packet goes, by its rule's action. Pure; any thread. */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "actions.h"
#include "datapath.h"
#include "effects.h"
#include "parse.h"
#include "types.h"

/* "forward": "reflect" sends a frame back to its sender. Swaps the MAC addresses of the frame in
 * [data, end), in place. Returns 0, or -1 if the frame has no Ethernet header. */
TP_INLINE int tp_reflect(__u8* data, const __u8* end) {
  if (data + TP_ETH_LEN > end) return -1;
  __u32 dst = tp_load32(data), middle = tp_load32(data + 4), src = tp_load32(data + 8);
  tp_store32(data, middle >> 16 | src << 16);
  tp_store32(data + 4, src >> 16 | dst << 16);
  tp_store32(data + 8, dst >> 16 | middle << 16);
  return 0;
}

/* Decides where the datapath's frame goes if it is not lost, by the rule's `action` and, for
 * TP_ACTION_PORT, `out_port`. Writes effects->fate and effects->to. A frame too short to reflect is
 * malformed. */
TP_INLINE void tp_forward(struct tp_datapath* dp, __u8 action, __u8 out_port,
                          struct tp_effects* effects) {
  effects->fate = TP_FATE_FORWARD;
  effects->to = TP_TO_KERNEL;
  switch (action) {
    case TP_ACTION_PORT:
      effects->to = out_port;
      break;
    case TP_ACTION_REFLECT:
      effects->to = dp->port;
      TP_FRAME_AGAIN(dp);
      if (tp_reflect(dp->data, dp->end)) {
        effects->fate = TP_FATE_MALFORMED;
        effects->to = 0;
      }
      break;
    case TP_ACTION_DROP:
      effects->fate = TP_FATE_DENIED;
      effects->to = 0;
      break;
    default:
      break;
  }
}

#endif /* TWINPATH_POLICY_FORWARD_H_ */
