/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The flow of a packet, and the flows' streams. One table (table.h) serves all queues, so packet n
 * of a flow meets the same fate regardless of the queues of its packets.
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

/*
 * The packet's flow as a 64-bit hash under the key (a, b). It depends on IP version, protocol,
 * addresses and ports. All fragments of a datagram belong to the flow without ports, because only
 * the first fragment has them; so do packets whose ports or protocol could not be read. The flow of
 * a packet that is not IP, or whose IP header could not be read, depends on its MAC addresses and
 * EtherType. With `both_ways` both directions are one flow: the end with the lower number is first.
 *
 * SipHash-1-3 of both addresses, both ports and the protocol. If the packet is not IP: of the
 * source MAC address, the EtherType (low byte first) and the destination. The three lengths differ.
 */
TP_SUBPROGRAM __u64 tp_flow_of(const struct tp_key* key, int both_ways, __u64 a, __u64 b) {
  if (!key) return 0;
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  __u64 source = k[2] & TP_LOW48, destination = k[1] & TP_LOW48, ports = k[7] & 0xffffffff;
  __u64 source_end = 0, destination_end = 0; /* of IPv6 addresses */
  if (key->ip_version == 4) {
    source = k[3] & 0xffffffff;
    destination = k[3] >> 32;
  } else if (key->ip_version == 6) {
    source = k[3];
    source_end = k[4];
    destination = k[5];
    destination_end = k[6];
  }
  if (!(key->flags & TP_KEY_PORTS) || key->flags & TP_KEY_FRAGMENT) ports = 0;
  const int backwards = source != destination           ? source > destination
                        : source_end != destination_end ? source_end > destination_end
                                                        : (ports & 0xffff) > ports >> 16;
  if (both_ways && backwards) {
    __u64 other = source;
    source = destination;
    destination = other;
    other = source_end;
    source_end = destination_end;
    destination_end = other;
    ports = ports >> 16 | (ports & 0xffff) << 16;
  }
  struct tp_sip sip = tp_sip_begin(a, b);
  if (!(key->flags & TP_KEY_IP)) {
    tp_sip_word(&sip, source | (__u64)key->ether_type << 48);
    return tp_sip_end(&sip, destination, 14);
  }
  ports |= (__u64)key->proto << 32;
  if (key->ip_version == 4) {
    tp_sip_word(&sip, source | destination << 32);
    return tp_sip_end(&sip, ports, 13);
  }
  tp_sip_word(&sip, source);
  tp_sip_word(&sip, source_end);
  tp_sip_word(&sip, destination);
  tp_sip_word(&sip, destination_end);
  return tp_sip_end(&sip, ports, 37);
}

/* The first key word of a flow's stream of draws under a rule: identifies the flow. */
TP_INLINE __u64 tp_flow_key(const struct tp_rule* rule, const struct tp_key* key) {
  return tp_flow_of(key, rule->flags & TP_RULE_BOTH_WAYS, rule->key_a, rule->key_b);
}

/* The second key word of that stream. It also depends on the flow, because streams with the same
 * second word are shifts of each other: the streams of a million flows would overlap. */
TP_INLINE __u64 tp_flow_second_key(const struct tp_rule* rule, __u64 flow_key) {
  return tp_mix(rule->key_b + flow_key);
}

/* Where the flow's stream may be in the table. */
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
 * Takes the flow's next packet. Returns 1 if its model loses the packet, else 0. Loses nothing if
 * there is no table or if the lock fails, which does not happen in a datapath whose policy has
 * flows.
 */
TP_INLINE int tp_flow_lose(struct tp_datapath* dp, const struct tp_rule* rule, __u32 index,
                           __u64 flow_key) {
  const struct tp_table_size size = tp_flow_table_size(dp);
  if (!size.regions) return 0; /* a constant in XDP: the verifier skips the code below */
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
    const struct tp_block block = {flow_key, tp_flow_second_key(rule, flow_key), n >> 6};
    flow->fates = tp_rule_fates(TP_ENV(dp), index, &block, &markov);
    flow->markov = (__u32)markov;
  }
  const __u64 fates = flow->fates;
  tp_unlock_region(dp, region);
  struct tp_queue_extras* extras = TP_UNLIKELY(found & TP_ROW_ADDED) ? tp_extras(dp) : 0;
  if (extras) { /* Atomic: several CPUs may serve the queue. Rare, so cheap. */
    __sync_fetch_and_add(&extras->flows_added, 1);
    if (found & TP_ROW_EVICTED) __sync_fetch_and_add(&extras->flows_evicted, 1);
  }
  return (int)(fates >> (n & 63) & 1);
}

#endif /* TWINPATH_POLICY_FLOW_H_ */
