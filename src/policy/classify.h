/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Key -> rule: tuple space search (Srinivasan, Suri, Varghese: "Packet classification using tuple
 * space search", SIGCOMM 1999). Every shape of match is one probe of one hash table, whatever the
 * number of rules; shapes are tried in the order of the first rule they hold, and the search ends
 * when no later shape can hold an earlier rule. Read-only tables; any thread.
 *
 * The datapath supplies, before including this:
 *   const struct tp_shape *tp_hook_shape(struct tp_datapath *, __u32 i)    shape i of the ingress
 * port's plan const struct tp_bucket *tp_hook_bucket(struct tp_datapath *, __u32 i)  bucket i, any
 * i: wrapped by the hook const struct tp_key *tp_hook_entry(struct tp_datapath *, __u32 i) entry i
 * Each may return NULL only for an index that the tables do not have.
 */
#ifndef TWINPATH_POLICY_CLASSIFY_H_
#define TWINPATH_POLICY_CLASSIFY_H_

#include "types.h"

#define TP_NO_RULE 0xffffffffU

/* Multilinear hashing: the products do not wait for each other. The multipliers are successive
 * outputs of SplitMix64 from seed 0, made odd. The shape's number takes part in word 7. */
TP_INLINE __u64 tp_key_hash(const struct tp_key* key, const struct tp_key* mask) {
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  const tp_u64_alias* m = (const tp_u64_alias*)mask;
  const __u64 shape = 0xffffULL << 48;
  __u64 h = (k[0] & m[0]) * 0xe220a8397b1dcdafULL + (k[1] & m[1]) * 0x6e789e6aa1b965f5ULL +
            (k[2] & m[2]) * 0x06c45d188009454fULL + (k[3] & m[3]) * 0xf88bb8a8724c81edULL +
            (k[4] & m[4]) * 0x1b39896a51a8749bULL + (k[5] & m[5]) * 0x53cb9f0c747ea2ebULL +
            (k[6] & m[6]) * 0x2c829abe1f4532e1ULL +
            ((k[7] & m[7] & ~shape) | (m[7] & shape)) * 0xc584133ac916ab3dULL;
  h = (h ^ h >> 32) * 0x94d049bb133111ebULL;
  return h ^ h >> 29;
}

/* Never 0, which marks an empty slot. */
TP_INLINE __u32 tp_hash_tag(__u64 hash) { return (__u32)(hash >> 32) | 1; }

TP_INLINE int tp_key_equal(const struct tp_key* key, const struct tp_key* mask,
                           const struct tp_key* entry) {
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  const tp_u64_alias* m = (const tp_u64_alias*)mask;
  const tp_u64_alias* e = (const tp_u64_alias*)entry;
  const __u64 shape = 0xffffULL << 48;
  __u64 difference = 0;
  for (int i = 0; i < TP_KEY_WORDS - 1; i++) difference |= (k[i] & m[i]) ^ e[i];
  return (difference | (((k[7] & m[7] & ~shape) | (m[7] & shape)) ^ e[7])) == 0;
}

/* The first rule of this shape whose key is `key` under its mask, or TP_NO_RULE. */
TP_INLINE __u32 tp_lookup(struct tp_datapath* dp, const struct tp_key* key,
                          const struct tp_shape* shape, __u64 hash) {
  __u32 tag = tp_hash_tag(hash);
  for (__u32 probe = 0; probe < TP_MAX_PROBES; probe++) {
    const struct tp_bucket* bucket = tp_hook_bucket(dp, (__u32)hash + probe);
    if (!bucket) return TP_NO_RULE;
    for (int slot = 0; slot < TP_BUCKET_SLOTS; slot++) {
      if (bucket->tag[slot] != tag) continue;
      const struct tp_key* entry = tp_hook_entry(dp, bucket->entry[slot]);
      if (entry && tp_key_equal(key, &shape->mask, entry)) return bucket->rule[slot];
    }
    if (bucket->used < TP_BUCKET_SLOTS) break; /* nothing spilled into the next one */
  }
  return TP_NO_RULE;
}

/* The first rule that matches `key`; `fallback` and `n_shapes` are the ingress port's plan's. */
TP_INLINE __u32 tp_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                            __u32 fallback) {
  __u32 best = fallback;
  for (__u32 i = 0; i < TP_MAX_SHAPES; i++) {
    if (i >= n_shapes) break;
    const struct tp_shape* shape = tp_hook_shape(dp, i);
    if (!shape || shape->min_rule >= best) break;
    __u32 rule = tp_lookup(dp, key, shape, tp_key_hash(key, &shape->mask));
    if (rule < best) best = rule;
  }
  return best;
}

#endif /* TWINPATH_POLICY_CLASSIFY_H_ */
