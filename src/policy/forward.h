/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Rule -> where to. Pure; any thread.
 *
 * The datapath supplies, before including this:
 * - int tp_hook_reflect(struct tp_datapath*, __u8* data, const __u8* end): tp_reflect
 */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "types.h"

/* The verdict on a packet that its loss model spared, by its rule's action, and in *out_port the
 * port it leaves by (TP_TX only): `to` for TP_ACTION_PORT. A frame too short to reflect is
 * malformed. */
TP_INLINE enum tp_verdict tp_forward(struct tp_datapath* dp, __u8 action, __u8 to, __u8 port,
                                     __u8* data, const __u8* end, __u8* out_port) {
  switch (action) {
    case TP_ACTION_PORT:
      *out_port = to;
      return TP_TX;
    case TP_ACTION_REFLECT:
      *out_port = port;
      return tp_hook_reflect(dp, data, end) ? TP_MALFORMED : TP_TX;
    case TP_ACTION_DROP:
      return TP_DENIED;
    default:
      return TP_PASS;
  }
}

#endif /* TWINPATH_POLICY_FORWARD_H_ */
