/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What is to become of one packet. The decision yields effects and does nothing else with the
 * packet; a datapath carries them out, and counts how the delivery went. Effects are pure: two
 * datapaths decide the same iff their effects are the same, field by field. Any thread.
 */
#ifndef TWINPATH_POLICY_EFFECTS_H_
#define TWINPATH_POLICY_EFFECTS_H_

#include "types.h"

/* tp_effects.fate: a packet that is not forwarded is counted as the verdict of the same number. */
enum tp_fate {
  TP_FATE_FORWARD = 0,              /* leaves by tp_effects.to */
  TP_FATE_LOST = TP_LOST,           /* lost by the rule's loss model */
  TP_FATE_DENIED = TP_DENIED,       /* "forward": "drop" */
  TP_FATE_MALFORMED = TP_MALFORMED, /* dropped as malformed, or too short to reflect */
};

/* tp_effects.to, where it is no port. */
enum {
  TP_TO_KERNEL = TP_MAX_PORTS,   /* handed to the kernel */
  TP_TO_MANY = TP_MAX_PORTS + 1, /* a copy to each port of tp_effects.many */
};

/* tp_effects.flags */
enum {
  TP_EFFECT_COMPLETE = 1, /* an unfinished transport checksum is finished: see checksum.h */
};

/* Small enough to be put in front of a frame as XDP metadata. The fast tiers fill in `rule`, `fate`
 * and `to`, and do not write the other fields: readers take those as 0. `many`, `copies`,
 * `corrupt`, `rewrite` and `delay` are for links and copies: no stage sets them yet, so they are 0.
 */
struct tp_effects {
  __u32 rule;    /* TP_NO_RULE where no rule was asked: dropped as malformed */
  __u8 fate;     /* enum tp_fate */
  __u8 to;       /* TP_FATE_FORWARD: out port, or TP_TO_...; else 0 */
  __u16 many;    /* TP_TO_MANY: bit p, a copy leaves by port p */
  __u8 copies;   /* how many more of the same leave */
  __u8 flags;    /* what else is to be done; 0: nothing */
  __u16 corrupt; /* which bit, behind the IP headers, is to be flipped */
  __u32 rewrite; /* by which row of a table headers are to be rewritten */
  __u64 delay;   /* nanoseconds from arrival; no deadline, because the decision knows no clock */
};
TP_STATIC_ASSERT(sizeof(struct tp_effects) == 24, "fits in front of a frame");

/* How the delivery of a packet that was to be forwarded went. */
enum tp_delivery {
  TP_DELIVERED = 0,
  TP_REFUSED = 1, /* the queue, of a port or of the kernel, did not take the packet */
  TP_NOWHERE = 2, /* the port is not there */
};

/* What a packet is counted as. */
TP_INLINE enum tp_verdict tp_verdict_of(struct tp_effects effects, enum tp_delivery delivery) {
  if (effects.fate != TP_FATE_FORWARD) return (enum tp_verdict)effects.fate;
  if (delivery == TP_REFUSED) return TP_TX_FULL;
  if (delivery == TP_NOWHERE) return TP_NO_PORT;
  return effects.to == TP_TO_KERNEL ? TP_PASS : TP_TX;
}

#endif /* TWINPATH_POLICY_EFFECTS_H_ */
