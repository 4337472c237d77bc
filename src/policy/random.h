/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The random function: keyed, counter-based, integers only. Packet n of a stream always meets the
 * same fate, on every path, in any order. Pure functions; any thread.
 *
 * The mixer is the finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
 * number generators", OOPSLA 2014, with Stafford's variant 13 constants) over a Weyl sequence, with
 * a second key word added between its two multiplications so that two streams are never shifts of
 * each other.
 */
#ifndef TWINPATH_POLICY_RANDOM_H_
#define TWINPATH_POLICY_RANDOM_H_

#include "types.h"

#define TP_GOLDEN 0x9e3779b97f4a7c15ULL

TP_INLINE __u64 tp_mix(__u64 x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/* Word `counter` of the stream keyed by (a, b): 64 random bits. */
TP_INLINE __u64 tp_word(__u64 a, __u64 b, __u64 counter) {
  __u64 x = a + counter * TP_GOLDEN;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL + b;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo), then mixed: names become keys. Host side only, at set-up. */
TP_INLINE __u64 tp_name_hash(const char* name, __u64 length) {
  __u64 h = 0xcbf29ce484222325ULL;
  for (__u64 i = 0; i < length; i++) h = (h ^ (__u8)name[i]) * 0x100000001b3ULL;
  return tp_mix(h);
}

/* A rule's two key words, from (seed, name). */
TP_INLINE void tp_rule_key(__u64 seed, __u64 name_hash, __u64* a, __u64* b) {
  *a = tp_mix(tp_mix(seed + TP_GOLDEN) ^ name_hash);
  *b = tp_mix(*a + tp_mix(seed ^ 0x6a09e667f3bcc909ULL) + name_hash);
}

/* The two key words of a rule's stream on one queue of one port. */
TP_INLINE void tp_stream_key(const struct tp_rule* rule, __u64 port_key, __u32 queue, __u64* a,
                             __u64* b) {
  *a = tp_mix(rule->key_a ^ tp_mix(port_key + ((__u64)queue + 1) * TP_GOLDEN));
  *b = tp_mix(rule->key_b + tp_mix(*a ^ port_key));
}

/* 64 packets of a stream, number * 64 to number * 64 + 63; (a, b) is the stream's key. */
struct tp_block {
  __u64 a, b, number;
};

/*
 * The fates of the 64 packets of a block at once: bit i is set iff packet 64 * block + i is lost.
 *
 * Packet i's draw is a 64-bit number whose bit 63 - j is bit i of word 64 * block + j, and it is
 * lost iff draw < threshold. The comparison runs over all lanes from the top bit down and ends when
 * no lane is undecided: each word halves them, so that about eight words serve 64 packets whatever
 * the threshold. `lanes` are the packets to decide; the others' bits are 0.
 */
TP_SUBPROGRAM __u64 tp_loss_mask(__u64 a, __u64 b, __u64 block, __u64 threshold, __u64 lanes) {
  __u64 less = 0, equal = lanes, t = threshold, counter = block * 64;
  for (int j = 0; j < 64; j += 4) {
    /* Once t is 0, a lane that is equal so far cannot become less. */
    if (!equal || !t) break;
    for (int k = 0; k < 4; k++) { /* four at a time: the words do not depend on each other */
      __u64 w = tp_word(a, b, counter++);
      __u64 one = (__u64)((__s64)t >> 63); /* all ones where the threshold has a 1 */
      less |= equal & ~w & one;
      equal &= ~(w ^ one);
      t <<= 1;
    }
  }
  return less;
}

/* Packet n's whole draw, as tp_loss_mask compares it. Costs 64 words: for tests and explanations.
 */
TP_INLINE __u64 tp_draw(__u64 a, __u64 b, __u64 n) {
  __u64 draw = 0;
  for (__u64 j = 0; j < 64; j++)
    draw = draw << 1 | (tp_word(a, b, (n & ~63ULL) + j) >> (n & 63) & 1);
  return draw;
}

#endif /* TWINPATH_POLICY_RANDOM_H_ */
