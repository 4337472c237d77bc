/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What a datapath supplies to the decision. host.h implements it with tables in ordinary memory,
 * for the DPDK worker and for tests; bpf/supply.bpf.h implements it with BPF maps. Another datapath
 * defines TP_DATAPATH as the name of its own header. That header defines:
 *
 *   struct tp_datapath         one queue of one port, or one frame on it. The decision uses
 *                              .port: the ingress port, index into the policy's ports; .data, .end:
 *                              the frame's first segment; .now: nanoseconds of a monotonic clock,
 *                              if a rule depends on the time
 *   tp_env                     what a TP_SUBPROGRAM gets instead of a tp_datapath
 *   TP_ENV(dp)                 the tp_env of a tp_datapath
 *   tp_enter(env, room, words, general)
 *                              the tp_datapath of a tp_env, if necessary stored in `room`; its
 *                              TP_WORDS and TP_IS_GENERAL are `words` and `general`
 *   TP_ROW(dp, table, i)       row i of a read-only table of tables.h, or NULL beyond the table
 *   TP_BUCKET_SHIFT(dp)        see tp_first_bucket
 *   TP_DROPS_MALFORMED(dp)     1: malformed frames are dropped before any rule is tried
 *   tp_stream(dp, rule, slot)  the stream of rule number `rule` on this queue, or NULL; `slot` is
 *                              the rule's tp_rule.slot
 *   tp_terms_of(dp, state)     the tp_terms of the stream's rule
 *   tp_extras_of_rule(dp, rule, slot)
 *                              the rule's tp_rule_extras on this queue; NULL if no rule needs them
 *   tp_extras(dp)              the queue's tp_queue_extras, or NULL
 *   tp_flow_table_size(dp), tp_flow_bucket_at(env, i), tp_lock_region(dp, i),
 *   tp_unlock_region(dp, region)
 *                              the flow table: see table.h. NULL if there is no such bucket, or if
 *                              the lock cannot be taken
 *   tp_lock_stream(dp, state), tp_unlock_stream(dp)
 *                              for queues that several CPUs serve at once; 0: the lock failed
 *
 * The header may also replace the defaults below. Each of them is a constant where the decision is
 * compiled, so a datapath may compile several decisions, each without the code it does not need.
 */
#ifndef TWINPATH_POLICY_DATAPATH_H_
#define TWINPATH_POLICY_DATAPATH_H_

#include "table.h"
#include "tables.h"
#include "types.h"

#ifndef TP_DATAPATH
#define TP_DATAPATH "host.h"
#endif
#include TP_DATAPATH

/* The words of the key (TP_WORD) that the port's shapes need, at least. */
#ifndef TP_WORDS
#define TP_WORDS(dp) TP_ALL_WORDS
#endif

/* 1: rules may have conditions. */
#ifndef TP_IS_GENERAL
#define TP_IS_GENERAL(dp) 1
#endif

/* The function that probes a shape if no rule has a condition. */
#ifndef TP_PROBE
#define TP_PROBE(dp, key, i) tp_probe(TP_ENV(dp), key, i)
#endif

/* 1: all packets of the queue are in one stream. The queue's counters hold the stream's bytes and
 * losses, so the stream counts only packets. */
#ifndef TP_IS_BLIND
#define TP_IS_BLIND(dp) 0
#endif

/* 0: the fates of the stream's next packet have already been drawn. */
#ifndef TP_MAY_DRAW
#define TP_MAY_DRAW(dp) 1
#endif

/* Reads .data and .end again, if that is cheaper than keeping them in registers. */
#ifndef TP_FRAME_AGAIN
#define TP_FRAME_AGAIN(dp) ((void)(dp))
#endif

#endif /* TWINPATH_POLICY_DATAPATH_H_ */
