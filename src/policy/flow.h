/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Which flow a packet belongs to, and the flows' streams: one table (table.h) for all queues, so
 * that packet n of a flow meets the same fate wherever its packets come in.
 */
#ifndef TWINPATH_POLICY_FLOW_H_
#define TWINPATH_POLICY_FLOW_H_

#include "datapath.h"
#include "model.h"
#include "random.h"
#include "table.h"
#include "types.h"

TP_STATIC_ASSERT(__builtin_offsetof(struct tp_flow, used_at) ==
                     __builtin_offsetof(struct tp_row, used_at),
                 "a tp_flow begins with a tp_row");

/* One end of a flow: an address and a transport port. */
TP_INLINE __u64 tp_flow_end(__u64 low, __u64 high, __u64 port) {
  return tp_mix((low ^ high * 0xd6e8feb86659fd93ULL) + port * TP_GOLDEN);
}

/*
 * The packet's flow, as 64 bits: by IP version, protocol, addresses and ports. All fragments of a
 * datagram are in the flow without ports, because only the first has them. A packet that is not IP:
 * by MAC addresses and EtherType. With `both_ways` both directions are one flow.
 */
TP_INLINE __u64 tp_flow_of(const struct tp_key* key, int both_ways) {
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  __u64 source, destination, kind, ports = k[7] & 0xffffffff;
  if (!(key->flags & TP_KEY_PORTS) || key->flags & TP_KEY_FRAGMENT) ports = 0;
  if (key->flags & TP_KEY_IP) {
    kind = (k[0] >> 8) & 0xffff;
    if (key->ip_version == 4) {
      source = tp_flow_end(k[3] & 0xffffffff, 0, ports & 0xffff);
      destination = tp_flow_end(k[3] >> 32, 0, ports >> 16);
    } else {
      source = tp_flow_end(k[3], k[4], ports & 0xffff);
      destination = tp_flow_end(k[5], k[6], ports >> 16);
    }
  } else {
    kind = (__u64)key->ether_type << 16;
    source = tp_flow_end(k[2] & TP_LOW48, 0, 0);
    destination = tp_flow_end(k[1] & TP_LOW48, 0, 0);
  }
  if (both_ways && source > destination) {
    __u64 other = source;
    source = destination;
    destination = other;
  }
  return tp_mix(source + (destination ^ kind) * 0xa0761d6478bd642fULL);
}

/* The first key word of a flow's stream of draws under a rule; the second is the rule's. */
TP_INLINE __u64 tp_flow_key(const struct tp_rule* rule, const struct tp_key* key) {
  return tp_mix(tp_flow_of(key, rule->flags & TP_RULE_BOTH_WAYS) + rule->key_a);
}

/* Where the flow's stream may be. */
TP_INLINE struct tp_place tp_flow_place(struct tp_table_size size, const struct tp_rule* rule,
                                        __u64 flow_key) {
  return tp_place_of(size, flow_key + rule->epoch * TP_GOLDEN);
}

/* tp_row_seek for a flow that is not at its home. */
TP_SUBPROGRAM __u64 tp_flow_seek(tp_env* env, const struct tp_place* place, __u32 now) {
  if (!place) return TP_ROW_NOWHERE;
  struct tp_flow_bucket* first = tp_flow_bucket_at(env, place->first);
  struct tp_flow_bucket* second = tp_flow_bucket_at(env, place->second);
  if (!first || !second) return TP_ROW_NOWHERE;
  return tp_row_seek(first, second, place, now, sizeof(struct tp_flow));
}

/*
 * Takes the flow's next packet; returns 1 where its model loses the packet, else 0. Without a
 * table, or where the lock is not to be had, nothing is lost: a datapath whose policy has flows has
 * both.
 */
TP_INLINE int tp_flow_lose(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                           __u64 flow_key) {
  const struct tp_table_size size = tp_flow_table_size(dp);
  if (!size.regions) return 0; /* a constant in XDP: the verifier does not follow what is below */
  const struct tp_place place = tp_flow_place(size, rule, flow_key);
  struct tp_flow_bucket* bucket = tp_flow_bucket_at(TP_ENV(dp), place.first);
  if (!bucket) return 0;
  const __u64 home = place.home & (TP_TABLE_WAYS - 2);
  struct tp_flow* flow = &bucket->flow[home];
  struct tp_region* region = tp_lock_region(dp, place.region);
  if (!region) return 0;
  const __u32 now = ++region->uses;
  __u64 found = 0;
  if (flow->key != place.key) flow = &bucket->flow[home + 1];
  if (TP_UNLIKELY(flow->key != place.key)) {
    found = tp_flow_seek(TP_ENV(dp), &place, now);
    bucket = tp_flow_bucket_at(TP_ENV(dp), (__u32)(found / TP_TABLE_WAYS));
    if (!bucket) {
      tp_unlock_region(dp, region);
      return 0;
    }
    flow = &bucket->flow[found & (TP_TABLE_WAYS - 1)];
  }
  flow->used_at = now;
  const __u64 n = flow->n++;
  if ((n & 63) == 0) {
    __u64 markov = flow->markov;
    const struct tp_block block = {flow_key, rule->key_b, n >> 6};
    flow->fates = tp_rule_fates(TP_ENV(dp), index, &block, &markov);
    flow->markov = (__u32)markov;
  }
  const __u64 fates = flow->fates;
  tp_unlock_region(dp, region);
  struct tp_queue_extras* extras = TP_UNLIKELY(found & TP_ROW_ADDED) ? tp_extras(dp) : 0;
  if (extras) { /* atomic, because a queue may have several CPUs, and a flow is new once */
    __sync_fetch_and_add(&extras->flows_added, 1);
    if (found & TP_ROW_EVICTED) __sync_fetch_and_add(&extras->flows_evicted, 1);
  }
  return (int)(fates >> (n & 63) & 1);
}

#endif /* TWINPATH_POLICY_FLOW_H_ */
