/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Rule -> where to. Pure; any thread. */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "datapath.h"
#include "reflect.h"
#include "types.h"

/* The verdict on the datapath's frame, which its loss model spared: by the rule's `action` and, for
 * TP_ACTION_PORT, `to`. Writes the port that the frame leaves by to
 * *out_port (TP_TX only). A frame too short to reflect is malformed. */
TP_INLINE enum tp_verdict tp_forward(struct tp_datapath* dp, __u8 action, __u8 to, __u8* out_port) {
  switch (action) {
    case TP_ACTION_PORT:
      *out_port = to;
      return TP_TX;
    case TP_ACTION_REFLECT:
      *out_port = dp->port;
      TP_FRAME_AGAIN(dp);
      return tp_reflect(dp->data, dp->end) ? TP_MALFORMED : TP_TX;
    case TP_ACTION_DROP:
      return TP_DENIED;
    default:
      return TP_PASS;
  }
}

#endif /* TWINPATH_POLICY_FORWARD_H_ */
