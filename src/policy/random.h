/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The random functions: keyed, integers only. Pure; any thread.
 *
 * The first hashes a stream and a counter: packet n of a stream always meets the same fate, on
 * every path, in any order. The mixer is the finalizer of SplitMix64 (Steele, Lea, Flood: "Fast
 * splittable pseudorandom number generators", OOPSLA 2014, with Stafford's variant 13 constants)
 * over a Weyl sequence, with a second key word added between its two multiplications so that two
 * streams are never shifts of each other.
 *
 * The second hashes a message, to distinguish packets and flows: SipHash-1-3, see below.
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

/* Hashes a name to a key: FNV-1a, 64 bits (Fowler, Noll, Vo), then mixed. Host only, at set-up. */
TP_INLINE __u64 tp_name_hash(const char* name, __u64 length) {
  __u64 h = 0xcbf29ce484222325ULL;
  for (__u64 i = 0; i < length; i++) h = (h ^ (__u8)name[i]) * 0x100000001b3ULL;
  return tp_mix(h);
}

/* A rule's two key words, from the seed and the hash of its name. */
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

/* 64 packets of a stream: number * 64 to number * 64 + 63. (a, b) is the stream's key. */
struct tp_block {
  __u64 a, b, number;
};

/*
 * The fates of the 64 packets of a block at once: bit i is set iff packet 64 * block + i is lost.
 *
 * Packet i's draw is a 64-bit number whose bit 63 - j is bit i of word 64 * block + j. The packet
 * is lost iff draw < threshold. The comparison runs over all lanes from the top bit down and ends
 * when every lane is decided. Each word halves the undecided lanes, so about eight words are enough
 * for 64 packets and any threshold. `lanes` are the packets to decide; the bits of the others are
 * 0.
 */
TP_SUBPROGRAM __u64 tp_loss_mask(__u64 a, __u64 b, __u64 block, __u64 threshold, __u64 lanes) {
  __u64 less = 0, equal = lanes, t = threshold, counter = block * 64;
  for (int j = 0; j < 64; j += 4) {
    /* Once t is 0, a lane that is equal so far cannot become less. */
    if (!equal || !t) break;
    for (int k = 0; k < 4; k++) { /* four at a time: the words do not depend on each other */
      __u64 w = tp_word(a, b, counter++);
      __u64 one = (__u64)((__s64)t >> 63); /* all ones if the threshold has a 1 */
      less |= equal & ~w & one;
      equal &= ~(w ^ one);
      t <<= 1;
    }
  }
  return less;
}

/* Packet n's whole draw, which tp_loss_mask compares. It costs 64 words, so it is for tests and
 * explanations. */
TP_INLINE __u64 tp_draw(__u64 a, __u64 b, __u64 n) {
  __u64 draw = 0;
  for (__u64 j = 0; j < 64; j++)
    draw = draw << 1 | (tp_word(a, b, (n & ~63ULL) + j) >> (n & 63) & 1);
  return draw;
}

/*
 * SipHash-1-3: a keyed hash of a short message (Aumasson, Bernstein: "SipHash: a fast short-input
 * PRF", INDOCRYPT 2012), with one round for each word and three at the end. The state has 256 bits,
 * so that no difference in one word is certain to be cancelled by a difference in the next
 * (Dobraunig, Mendel, Schlaeffer: "Differential cryptanalysis of SipHash", SAC 2014). The message
 * is a sequence of bytes, in little-endian words:
 *
 *   struct tp_sip sip = tp_sip_begin(a, b);
 *   tp_sip_word(&sip, word);                      (for each 8 bytes)
 *   hash = tp_sip_end(&sip, last_bytes, length);  (0 to 7 bytes, and the length of the message)
 */
struct tp_sip {
  __u64 v0, v1, v2, v3;
};

TP_INLINE __u64 tp_rotate_left(__u64 x, int bits) { return x << bits | x >> (64 - bits); }

TP_INLINE void tp_sip_round(struct tp_sip* s) {
  s->v0 += s->v1;
  s->v2 += s->v3;
  s->v1 = tp_rotate_left(s->v1, 13) ^ s->v0;
  s->v3 = tp_rotate_left(s->v3, 16) ^ s->v2;
  s->v0 = tp_rotate_left(s->v0, 32);
  s->v2 += s->v1;
  s->v0 += s->v3;
  s->v1 = tp_rotate_left(s->v1, 17) ^ s->v2;
  s->v3 = tp_rotate_left(s->v3, 21) ^ s->v0;
  s->v2 = tp_rotate_left(s->v2, 32);
}

/* The state before the first byte, under the key (a, b). The constants are those of the paper. */
TP_INLINE struct tp_sip tp_sip_begin(__u64 a, __u64 b) {
  const struct tp_sip begin = {a ^ 0x736f6d6570736575ULL, b ^ 0x646f72616e646f6dULL,
                               a ^ 0x6c7967656e657261ULL, b ^ 0x7465646279746573ULL};
  return begin;
}

TP_INLINE void tp_sip_word(struct tp_sip* s, __u64 word) {
  s->v3 ^= word;
  tp_sip_round(s);
  s->v0 ^= word;
}

/* The hash. `rest` has the last `length` mod 8 bytes in its low bytes, the first one lowest, and is
 * 0 elsewhere. `length` is the length of the whole message in bytes, so that a message and its
 * beginning have different hashes. */
TP_INLINE __u64 tp_sip_end(struct tp_sip* s, __u64 rest, __u64 length) {
  tp_sip_word(s, rest | length << 56);
  s->v2 ^= 0xff;
  for (int i = 0; i < 3; i++) tp_sip_round(s);
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* TWINPATH_POLICY_RANDOM_H_ */
