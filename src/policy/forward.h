/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Rule -> where to. Pure; any thread. */
#ifndef TWINPATH_POLICY_FORWARD_H_
#define TWINPATH_POLICY_FORWARD_H_

#include "actions.h"
#include "datapath.h"
#include "effects.h"
#include "reflect.h"
#include "types.h"

/* Where the datapath's frame, which its loss model spared, goes: by the rule's `action` and, for
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
