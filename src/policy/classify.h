/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Finds the rule of a key by tuple space search (Srinivasan, Suri, Varghese: "Packet classification
 * using tuple space search", SIGCOMM 1999). Every shape of match costs one probe of one hash table,
 * for any number of rules. Shapes are tried in the order of their first rules, and the search ends
 * when no later shape can have an earlier rule. Read-only tables; any thread.
 */
#ifndef TWINPATH_POLICY_CLASSIFY_H_
#define TWINPATH_POLICY_CLASSIFY_H_

#include "condition.h"
#include "datapath.h"
#include "types.h"

/* Word `i` of a key under a mask. Word 7 has the shape's number, which is in the mask. */
TP_INLINE __u64 tp_masked_word(const struct tp_key* key, const struct tp_key* mask, int i) {
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  const tp_u64_alias* m = (const tp_u64_alias*)mask;
  return (i == 7 ? k[7] | 0xffffULL << 48 : k[i]) & m[i];
}

/*
 * Multilinear hashing: the products do not depend on each other. The multipliers are successive
 * outputs of SplitMix64 from seed 0, made odd. `words` is a constant; all other words must be 0
 * under the mask, so that their products are 0. A bit of the sum does not depend on higher bits of
 * the key's words, so the highest bits select the bucket.
 */
TP_INLINE __u64 tp_key_sum_words(const struct tp_key* key, const struct tp_key* mask, __u32 words) {
  __u64 sum = tp_masked_word(key, mask, 7) * 0xc584133ac916ab3dULL;
  if (words & TP_WORD(0)) sum += tp_masked_word(key, mask, 0) * 0xe220a8397b1dcdafULL;
  if (words & TP_WORD(1)) sum += tp_masked_word(key, mask, 1) * 0x6e789e6aa1b965f5ULL;
  if (words & TP_WORD(2)) sum += tp_masked_word(key, mask, 2) * 0x06c45d188009454fULL;
  if (words & TP_WORD(3)) sum += tp_masked_word(key, mask, 3) * 0xf88bb8a8724c81edULL;
  if (words & TP_WORD(4)) sum += tp_masked_word(key, mask, 4) * 0x1b39896a51a8749bULL;
  if (words & TP_WORD(5)) sum += tp_masked_word(key, mask, 5) * 0x53cb9f0c747ea2ebULL;
  if (words & TP_WORD(6)) sum += tp_masked_word(key, mask, 6) * 0x2c829abe1f4532e1ULL;
  return sum;
}

TP_INLINE __u64 tp_key_sum(const struct tp_key* key, const struct tp_key* mask) {
  return tp_key_sum_words(key, mask, TP_ALL_WORDS);
}

/* A hash whose bits are all well mixed. */
TP_INLINE __u64 tp_key_hash(const struct tp_key* key, const struct tp_key* mask) {
  __u64 h = tp_key_sum(key, mask);
  h = (h ^ h >> 32) * 0x94d049bb133111ebULL;
  return h ^ h >> 29;
}

/* The bucket where the search for a key begins. The table has 2^(64 - shift) buckets, at least two,
 * and TP_MAX_PROBES - 1 more after them, so that the search does not wrap around. */
TP_INLINE __u32 tp_first_bucket(__u64 sum, __u32 shift) { return (__u32)(sum >> shift); }

/* The tag of a key. It is never 0, which marks an empty slot. */
TP_INLINE __u32 tp_key_tag(__u64 sum) { return (__u32)(sum >> 16) | 1; }

TP_INLINE int tp_key_equal_words(const struct tp_key* key, const struct tp_key* mask,
                                 const struct tp_key* entry, __u32 words) {
  const tp_u64_alias* e = (const tp_u64_alias*)entry;
  __u64 difference = tp_masked_word(key, mask, 7) ^ e[7];
  for (int i = 0; i < TP_KEY_WORDS - 1; i++)
    if (words & TP_WORD(i)) difference |= tp_masked_word(key, mask, i) ^ e[i];
  return difference == 0;
}

TP_INLINE int tp_key_equal(const struct tp_key* key, const struct tp_key* mask,
                           const struct tp_key* entry) {
  return tp_key_equal_words(key, mask, entry, TP_ALL_WORDS);
}

/* Resolves the field `rule` of a bucket: returns the rule itself, or the first of its alternatives
 * that holds, or TP_NO_RULE. */
TP_INLINE __u32 tp_rule_of_slot(struct tp_datapath* dp, const struct tp_key* key, __u32 rule) {
  if (TP_LIKELY(!(rule & TP_ALTERNATIVE))) return rule;
  if (!TP_IS_GENERAL(dp)) return TP_NO_RULE;
  return tp_first_holding(TP_ENV(dp), key, rule & ~TP_ALTERNATIVE, dp->now);
}

/* The field `rule` of the bucket whose key is `key` under the mask of this shape, or TP_NO_RULE.
 * `sum` is the key's tp_key_sum under the mask. */
TP_INLINE __u32 tp_lookup_slot(struct tp_datapath* dp, const struct tp_key* key,
                               const struct tp_shape* shape, __u64 sum) {
  const __u32 tag = tp_key_tag(sum), first = tp_first_bucket(sum, TP_BUCKET_SHIFT(dp));
  for (__u32 probe = 0; probe < TP_MAX_PROBES; probe++) {
    const struct tp_bucket* bucket = TP_ROW(dp, buckets, first + probe);
    if (!bucket) return TP_NO_RULE;
    for (int slot = 0; slot < TP_BUCKET_SLOTS; slot++) {
      if (bucket->tag[slot] != tag) continue;
      const struct tp_key* entry = TP_ROW(dp, entries, bucket->entry[slot]);
      if (!entry || !tp_key_equal_words(key, &shape->mask, entry, TP_WORDS(dp))) continue;
      return bucket->rule[slot];
    }
    if (bucket->used < TP_BUCKET_SLOTS) break; /* it has not overflowed into the next bucket */
  }
  return TP_NO_RULE;
}

/* The first rule of this shape that holds and whose key is `key` under its mask, or TP_NO_RULE. */
TP_INLINE __u32 tp_lookup(struct tp_datapath* dp, const struct tp_key* key,
                          const struct tp_shape* shape, __u64 sum) {
  const __u32 rule = tp_lookup_slot(dp, key, shape, sum);
  return rule == TP_NO_RULE ? rule : tp_rule_of_slot(dp, key, rule);
}

TP_INLINE __u32 tp_lookup_shape(struct tp_datapath* dp, const struct tp_key* key,
                                const struct tp_shape* shape) {
  return tp_lookup(dp, key, shape, tp_key_sum_words(key, &shape->mask, TP_WORDS(dp)));
}

/* tp_lookup_slot in the port's shape number `i`, in the general tier. The caller resolves
 * alternatives: Linux 6.1 counts the stack of each function in steps of 32 bytes, and allows
 * 512 in all. */
TP_SUBPROGRAM __u32 tp_probe(tp_env* env, const struct tp_key* key, __u32 i) {
  struct tp_datapath room;
  if (!key) return TP_NO_RULE;
  struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 1);
  const struct tp_shape* shape = TP_ROW(dp, shapes, i);
  if (!shape) return TP_NO_RULE;
  return tp_lookup_slot(dp, key, shape, tp_key_sum_words(key, &shape->mask, TP_ALL_WORDS));
}

/* The first rule that matches `key` and holds. `n_shapes` and `fallback` are from the ingress
 * port's plan. The first shape is probed in place, because most ports have only one. */
TP_INLINE __u32 tp_classify(struct tp_datapath* dp, const struct tp_key* key, __u32 n_shapes,
                            __u32 fallback) {
  __u32 best = fallback;
  const struct tp_shape* shape = TP_ROW(dp, shapes, 0);
  if (!n_shapes) return best;
  if (shape && shape->min_rule < best) {
    const __u32 rule = tp_lookup_shape(dp, key, shape);
    if (rule < best) best = rule;
  }
  if (n_shapes == 1) return best;
  struct tp_key whole = {}; /* kernels before 6.3 refuse a key with gaps in a subprogram */
  tp_u64_alias* to = (tp_u64_alias*)&whole;
  const tp_u64_alias* from = (const tp_u64_alias*)key;
  for (int i = 0; i < TP_KEY_WORDS; i++)
    if (TP_WORDS(dp) & TP_WORD(i)) to[i] = from[i];
  for (__u32 i = 1; i < TP_MAX_SHAPES; i++) {
    if (i >= n_shapes) break;
    shape = TP_ROW(dp, shapes, i);
    if (!shape || shape->min_rule >= best) break;
    __u32 rule = TP_IS_GENERAL(dp) ? tp_probe(TP_ENV(dp), key, i) : TP_PROBE(dp, &whole, i);
    if (TP_IS_GENERAL(dp) && rule != TP_NO_RULE) rule = tp_rule_of_slot(dp, key, rule);
    if (rule < best) best = rule;
  }
  return best;
}

#endif /* TWINPATH_POLICY_CLASSIFY_H_ */
