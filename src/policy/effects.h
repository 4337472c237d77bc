/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The result of the decision on one packet. The decision only computes effects; a datapath carries
 * them out, and counts the result of the delivery. Two datapaths decide the same iff all fields of
 * their effects are equal. Any thread.
 */
#ifndef TWINPATH_POLICY_EFFECTS_H_
#define TWINPATH_POLICY_EFFECTS_H_

#include "types.h"

/* tp_effects.fate. A packet that is not forwarded counts as the verdict of the same number. */
enum tp_fate {
  TP_FATE_FORWARD = 0,              /* leaves by tp_effects.to */
  TP_FATE_LOST = TP_LOST,           /* lost by the rule's loss model */
  TP_FATE_DENIED = TP_DENIED,       /* "drop", or no request that "reflect-echo" answers */
  TP_FATE_MALFORMED = TP_MALFORMED, /* dropped as malformed, or too short to reflect */
};

/* Values of tp_effects.to that are not ports. */
enum {
  TP_TO_KERNEL = TP_MAX_PORTS,   /* handed to the kernel */
  TP_TO_MANY = TP_MAX_PORTS + 1, /* a copy to each port of tp_effects.many */
};

/* tp_effects.flags */
enum {
  TP_EFFECT_COMPLETE = 1, /* an unfinished transport checksum is finished: see checksum.h */
};

/* Small enough to be put in front of a frame as XDP metadata. The fast tiers write only `rule`,
 * `fate` and `to`; readers must take the other fields as 0. `many`, `copies`, `corrupt`, `rewrite`
 * and `delay` are for links and copies. No stage sets them yet, so they are 0. */
struct tp_effects {
  __u32 rule;    /* TP_NO_RULE: dropped as malformed, before any rule was tried */
  __u8 fate;     /* enum tp_fate */
  __u8 to;       /* TP_FATE_FORWARD: out port, or TP_TO_...; otherwise 0 */
  __u16 many;    /* TP_TO_MANY: bit p, a copy leaves by port p */
  __u8 copies;   /* number of additional identical packets that leave */
  __u8 flags;    /* TP_EFFECT_..., or 0 */
  __u16 corrupt; /* the bit after the IP headers that is flipped */
  __u32 rewrite; /* the row of a table by which headers are rewritten */
  __u64 delay;   /* nanoseconds from arrival; not a deadline, because the decision has no clock */
};
TP_STATIC_ASSERT(sizeof(struct tp_effects) == 24, "fits in front of a frame");

/* The result of delivering a packet whose fate is TP_FATE_FORWARD. */
enum tp_delivery {
  TP_DELIVERED = 0,
  TP_REFUSED = 1, /* the queue of the port or of the kernel did not accept the packet */
  TP_NOWHERE = 2, /* the port does not exist */
};

/* The verdict that a packet counts as. */
TP_INLINE enum tp_verdict tp_verdict_of(struct tp_effects effects, enum tp_delivery delivery) {
  if (effects.fate != TP_FATE_FORWARD) return (enum tp_verdict)effects.fate;
  if (delivery == TP_REFUSED) return TP_TX_FULL;
  if (delivery == TP_NOWHERE) return TP_NO_PORT;
  return effects.to == TP_TO_KERNEL ? TP_PASS : TP_TX;
}

#endif /* TWINPATH_POLICY_EFFECTS_H_ */
