/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Who a packet belongs to, and the table of flows: one for all queues, so that packet n of a flow
 * meets the same fate wherever its packets come in. Fixed in size: a flow may be in either of two
 * buckets of one region. It goes to its first until that is half full, and then where more room is
 * (Azar, Broder, Karlin, Upfal: "Balanced allocations", 1994), so that three quarters of the places
 * fill before a flow has to go for another. Then the one goes that was idle for the longest of
 * those two buckets, by the region's own count of packets: no clock decides. In a bucket it begins
 * at a place of its own, its home, so that of most flows one cache line tells all. A region is used
 * under its lock.
 *
 * The datapath supplies, before including this:
 * - struct tp_flow_bucket* tp_hook_flows(struct tp_datapath*, __u32 i): bucket i, or NULL
 * - __u32 tp_hook_regions(struct tp_datapath*), __u32 tp_hook_region_buckets(struct tp_datapath*):
 *   how many, and of how many buckets each
 * - __u32* tp_hook_lock(struct tp_datapath*, __u32 region): locks it; returns its count of packets,
 *   or NULL, unlocked
 * - void tp_hook_unlock(struct tp_datapath*, __u32 region)
 * - struct tp_queue_extras* tp_hook_extras(struct tp_datapath*): the queue's
 * - __u64 tp_hook_draw(struct tp_datapath*, __u32 rule, __u64 a, __u64 b, __u64 block,
 *   __u64* chain): tp_model_fates of that rule, for all lanes
 * and after tp_flow_seek:
 * - __u64 tp_hook_seek(struct tp_datapath*, const struct tp_flow_place*, __u32 now): tp_flow_seek,
 *   in place or out of line
 */
#ifndef TWINPATH_POLICY_FLOW_H_
#define TWINPATH_POLICY_FLOW_H_

#include "model.h"
#include "random.h"
#include "types.h"

/* One end of a flow: an address and a transport port. */
TP_INLINE __u64 tp_flow_end(__u64 low, __u64 high, __u64 port) {
  return tp_mix((low ^ high * 0xd6e8feb86659fd93ULL) + port * TP_GOLDEN);
}

/*
 * The packet's flow, as 64 bits: by IP version, protocol, addresses and ports. All fragments of a
 * datagram are in the flow without ports: only the first has them. What is not IP: by MAC addresses
 * and EtherType. With `both_ways` the answers are in the flow of the questions.
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

/* Where a flow may be. */
struct tp_flow_place {
  __u64 id; /* tp_flow.key */
  __u32 region, first, second;
  __u32 home; /* of the ways of either; the next one is in the same cache line */
};

/* `number` of [0, 2^16) or [0, 2^32) to [0, n) */
TP_INLINE __u32 tp_scale(__u64 number, __u64 n, int bits) { return (__u32)(number * n >> bits); }

TP_INLINE struct tp_flow_place tp_flow_find_place(struct tp_datapath* dp,
                                                  const struct tp_rule* rule, __u64 flow_key) {
  struct tp_flow_place place;
  const __u32 n = tp_hook_region_buckets(dp);
  place.id = flow_key + rule->epoch * TP_GOLDEN;
  place.id += !place.id;
  place.region = tp_scale(place.id >> 32, tp_hook_regions(dp), 32);
  place.first = tp_scale(place.id & 0xffff, n, 16);
  place.second = tp_scale(place.id >> 16 & 0xffff, n, 16);
  if (place.second == place.first) place.second = place.first + 1 < n ? place.first + 1 : 0;
  place.first += place.region * n;
  place.second += place.region * n;
  place.home = place.id & (TP_FLOW_WAYS - 2);
  return place;
}

/* The i-th way that a flow looks at, of both its buckets. */
TP_INLINE __u64 tp_flow_way(const struct tp_flow_place* place, __u64 i) {
  return (place->home + i) & (TP_FLOW_WAYS - 1);
}

/* The first of its ways in the bucket, in its own order, that has this key; TP_FLOW_WAYS: none. */
TP_INLINE __u64 tp_flow_find(const struct tp_flow_bucket* bucket, const struct tp_flow_place* place,
                             __u64 key) {
  __u64 i = 0;
  for (; i < TP_FLOW_WAYS; i++)
    if (bucket->flow[tp_flow_way(place, i)].key == key) break;
  TP_FORGET(i);
  return i;
}

TP_INLINE __u64 tp_flows_used(const struct tp_flow_bucket* bucket) {
  __u64 used = 0;
  for (int way = 0; way < TP_FLOW_WAYS; way++) {
    used += bucket->flow[way].key != 0;
    TP_FORGET(used);
  }
  return used;
}

/* What tp_flow_seek returns: bucket * TP_FLOW_WAYS + way, and these. */
#define TP_FLOW_ADDED (1ULL << 62)
#define TP_FLOW_EVICTED (1ULL << 61)
#define TP_FLOW_NOWHERE (~0ULL) /* there is no such bucket */

/* Where the flow is, of all its places; where it is not known, a place is made its own. The region
 * is locked. */
TP_INLINE __u64 tp_flow_seek(struct tp_datapath* dp, const struct tp_flow_place* place, __u32 now) {
  struct tp_flow_bucket* first = tp_hook_flows(dp, place->first);
  struct tp_flow_bucket* second = tp_hook_flows(dp, place->second);
  if (!first || !second) return TP_FLOW_NOWHERE;
  /* Where it is, as numbers that the verifier forgets: or it would follow each place by itself. */
  __u64 i = tp_flow_find(first, place, place->id), in_second = 0, added = 0;
  if (i >= TP_FLOW_WAYS) {
    i = tp_flow_find(second, place, place->id);
    in_second = 1;
  }
  if (i >= TP_FLOW_WAYS) {
    added = TP_FLOW_ADDED;
    const __u64 used = tp_flows_used(first);
    in_second = used >= TP_FLOW_WAYS / 2 && tp_flows_used(second) < used;
    i = tp_flow_find(in_second ? second : first, place, 0);
    if (i >= TP_FLOW_WAYS) {
      __u64 longest = 0, best = 0;
      added |= TP_FLOW_EVICTED;
      for (__u64 each = 0; each < 2 * TP_FLOW_WAYS; each++) {
        const struct tp_flow_bucket* candidate = each < TP_FLOW_WAYS ? first : second;
        const __u32 idle = now - candidate->flow[tp_flow_way(place, each)].used_at;
        if (idle > longest) {
          longest = idle;
          best = each;
        }
        TP_FORGET(best);
        TP_FORGET(longest);
      }
      in_second = best >= TP_FLOW_WAYS;
      i = best;
    }
  }
  TP_FORGET(i);
  TP_FORGET(in_second);
  const __u64 way = tp_flow_way(place, i);
  if (added) {
    struct tp_flow* flow = in_second ? &second->flow[way] : &first->flow[way];
    flow->key = place->id;
    flow->n = 0;
  }
  return (in_second ? place->second : place->first) * (__u64)TP_FLOW_WAYS + way + added;
}

TP_INLINE __u64 tp_hook_seek(struct tp_datapath* dp, const struct tp_flow_place* place, __u32 now);

/*
 * Takes the flow's next packet; returns 1 where its model loses it, else 0. Without a table, or
 * where the lock is not to be had, nothing is lost: a datapath whose policy has flows has both.
 */
TP_INLINE int tp_flow_lose(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                           __u64 flow_key) {
  const struct tp_flow_place place = tp_flow_find_place(dp, rule, flow_key);
  struct tp_flow_bucket* bucket = tp_hook_flows(dp, place.first);
  if (!bucket) return 0;
  const __u64 home = place.home & (TP_FLOW_WAYS - 2);
  struct tp_flow* flow = &bucket->flow[home];
  __u32* clock = tp_hook_lock(dp, place.region);
  if (!clock) return 0;
  const __u32 now = ++*clock;
  __u64 found = 0;
  if (flow->key != place.id) flow = &bucket->flow[home + 1];
  if (TP_UNLIKELY(flow->key != place.id)) {
    found = tp_hook_seek(dp, &place, now);
    bucket = tp_hook_flows(dp, (__u32)(found / TP_FLOW_WAYS));
    if (!bucket) {
      tp_hook_unlock(dp, place.region);
      return 0;
    }
    flow = &bucket->flow[found & (TP_FLOW_WAYS - 1)];
  }
  flow->used_at = now;
  const __u64 n = flow->n++;
  if ((n & 63) == 0) {
    __u64 chain = flow->chain;
    flow->mask = tp_hook_draw(dp, index, flow_key, rule->key_b, n >> 6, &chain);
    flow->chain = (__u32)chain;
  }
  const __u64 mask = flow->mask;
  tp_hook_unlock(dp, place.region);
  struct tp_queue_extras* extras = TP_UNLIKELY(found & TP_FLOW_ADDED) ? tp_hook_extras(dp) : 0;
  if (extras) { /* A queue may have several CPUs; a flow is new once. */
    __sync_fetch_and_add(&extras->flows_added, 1);
    if (found & TP_FLOW_EVICTED) __sync_fetch_and_add(&extras->flows_evicted, 1);
  }
  return (int)(mask >> (n & 63) & 1);
}

#endif /* TWINPATH_POLICY_FLOW_H_ */
