/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The loss models: 64 fates of a stream at a time, bit i for packet 64 * block + i. Integers only.
 * Pure except for `markov`, in which a model with memory keeps the state of its Markov chain at the
 * start of the next block. The owner of a stream draws its blocks in order. Any thread.
 *
 * A stream begins in a state drawn from the model's stationary distribution, so that the first
 * packets of a short flow are lost at the same rate as all others. The state before packet n
 * decides its fate; then the state changes.
 *
 * tp_model.value has, by model, probabilities as thresholds of 2^64 (tp_model.always if exactly 1)
 * and numbers:
 * - random: none; its rate is tp_rule.threshold;
 * - Gilbert-Elliott (Gilbert: "Capacity of a burst-noise channel", Bell System Technical Journal
 *   39, 1960; Elliott: "Estimates of error rates for codes on burst-noise channels", ibid. 42,
 *   1963): p from good to bad, r back, the loss in good, the loss in bad, the start in bad. Loses
 *   g = (r * loss_good + p * loss_bad) / (p + r), in bursts of g / P(lost, then not) packets: 1 / r
 *   if loss_bad is 1 and loss_good 0;
 * - four states (Salsano, Ludovici, Ordine, Giannuzzi: "Definition of a general and intuitive loss
 *   model for packet networks and its implementation in the netem module in the Linux kernel",
 *   2012): p13, p13 + p14, p31, p31 + p32, p23, and three thresholds for the start in state 3, 4
 *   and 2. With the chain's stationary distribution s: loses s3 + s4, in bursts of
 *   (s3 + s4) / (s3 * (p31 + p32) + s4) packets;
 * - periodic: every, offset, burst: packet n is lost iff n >= offset and
 *   (n - offset) mod every < burst. Loses burst / every, in bursts of burst;
 * - sequence: repeat (0: never; else at least 64), first interval, number of intervals.
 * A correlated loss of rate q and correlation c is the Gilbert-Elliott chain with p = q (1 - c) and
 * r = (1 - q)(1 - c) that loses everything in bad and nothing in good. It is the only chain of two
 * states that loses q and in which neighbors' fates correlate by c.
 */
#ifndef TWINPATH_POLICY_MODEL_H_
#define TWINPATH_POLICY_MODEL_H_

#include "datapath.h"
#include "random.h"
#include "types.h"

/* tp_model.value, by model */
enum {
  TP_GE_P = 0,
  TP_GE_R = 1,
  TP_GE_LOSS_GOOD = 2,
  TP_GE_LOSS_BAD = 3,
  TP_GE_START_BAD = 4,
  TP_FOUR_13 = 0,
  TP_FOUR_13_14 = 1,
  TP_FOUR_31 = 2,
  TP_FOUR_31_32 = 3,
  TP_FOUR_23 = 4,
  TP_FOUR_START_3 = 5,
  TP_FOUR_START_4 = 6,
  TP_FOUR_START_2 = 7,
  TP_PERIODIC_EVERY = 0,
  TP_PERIODIC_OFFSET = 1,
  TP_PERIODIC_BURST = 2,
  TP_SEQUENCE_REPEAT = 0,
  TP_SEQUENCE_FIRST = 1,
  TP_SEQUENCE_INTERVALS = 2,
};

/* The states of a Markov chain. The four-state model loses in the odd ones. In Gilbert-Elliott, 0
 * is good and 1 is bad. */
enum {
  TP_MARKOV_GAP = 0,      /* Salsano's 1: received, in a gap */
  TP_MARKOV_BURST = 1,    /* 3: lost, in a burst */
  TP_MARKOV_SPARED = 2,   /* 2: received, in a burst */
  TP_MARKOV_ISOLATED = 3, /* 4: lost by itself, in a gap */
};

/* The purpose of a draw. Draws of one stream for different purposes are independent. */
enum { TP_DRAW_LOSS = 1, TP_DRAW_START = 2 };
TP_INLINE __u64 tp_draw_key(__u64 a, __u64 purpose) {
  return tp_mix(a + purpose * 0xd1342543de82ef95ULL);
}

/* Bit i of the result: packet i's draw is below value[index]. */
TP_INLINE __u64 tp_below(const struct tp_model* model, int index, const struct tp_block* block,
                         __u64 lanes) {
  if (model->always >> index & 1) return lanes;
  return tp_loss_mask(block->a, block->b, block->number, model->value[index], lanes);
}

/* The index of the lowest bit that is set. At least one is set. */
TP_INLINE __u64 tp_lowest_bit(__u64 x) {
#ifdef __bpf__
  /* BPF has no such instruction, so this counts the bits below the lowest one. */
  x = (x & -x) - 1;
  x -= x >> 1 & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
  return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL) * 0x0101010101010101ULL >> 56;
#else
  return (__u64)__builtin_ctzll(x);
#endif
}

/* Masks of packets: where a chain leaves each state, and where it then takes the first of two ways
 * out: from GAP to BURST, from BURST to GAP. From SPARED the only way leads to BURST. A chain
 * always leaves ISOLATED after one packet, to GAP. */
struct tp_ways {
  __u64 leaves_gap, to_burst, leaves_burst, to_gap, leaves_spared;
};

/* Returns the packets before which the chain is in an odd state. Takes one step per change of
 * state.
 */
TP_INLINE __u64 tp_markov_walk(const struct tp_ways* ways, __u64* state) {
  __u64 at = 0, odd = 0, s = *state;
  for (int i = 0; i < 64; i++) {
    __u64 leaves = s == TP_MARKOV_GAP      ? ways->leaves_gap
                   : s == TP_MARKOV_BURST  ? ways->leaves_burst
                   : s == TP_MARKOV_SPARED ? ways->leaves_spared
                                           : ~0ULL;
    leaves >>= at & 63;
    if (!leaves) {
      if (s & 1) odd |= ~0ULL << (at & 63);
      break;
    }
    __u64 last = at + tp_lowest_bit(leaves);
    if (s & 1) odd |= ~0ULL << (at & 63) & ~0ULL >> (63 - (last & 63));
    __u64 first_way = (s == TP_MARKOV_GAP     ? ways->to_burst
                       : s == TP_MARKOV_BURST ? ways->to_gap
                                              : ~0ULL) >>
                      (last & 63);
    if (s == TP_MARKOV_GAP)
      s = first_way & 1 ? TP_MARKOV_BURST : TP_MARKOV_ISOLATED;
    else if (s == TP_MARKOV_BURST)
      s = first_way & 1 ? TP_MARKOV_GAP : TP_MARKOV_SPARED;
    else
      s = s == TP_MARKOV_SPARED ? TP_MARKOV_BURST : TP_MARKOV_GAP;
    at = last + 1;
    if (at >= 64) break;
  }
  *state = s;
  return odd;
}

/* The state before packet 0 of a stream with key (a, b). */
TP_INLINE __u64 tp_markov_start(const struct tp_model* model, __u8 kind, __u64 a, __u64 b) {
  const struct tp_block start = {tp_draw_key(a, TP_DRAW_START), b, 0};
  if (kind == TP_MODEL_GILBERT_ELLIOTT)
    return tp_below(model, TP_GE_START_BAD, &start, 1) ? TP_MARKOV_BURST : TP_MARKOV_GAP;
  if (tp_below(model, TP_FOUR_START_3, &start, 1)) return TP_MARKOV_BURST;
  if (tp_below(model, TP_FOUR_START_4, &start, 1)) return TP_MARKOV_ISOLATED;
  if (tp_below(model, TP_FOUR_START_2, &start, 1)) return TP_MARKOV_SPARED;
  return TP_MARKOV_GAP;
}

/* The block's fates in a model with memory. Draws for a state are made only for packets before
 * which the chain is in that state. One draw is enough for the changes of all states, because the
 * chain is in only one state before a packet. */
TP_INLINE __u64 tp_markov_fates(const struct tp_model* model, __u8 kind,
                                const struct tp_block* block, __u64* markov) {
  if (block->number == 0) *markov = tp_markov_start(model, kind, block->a, block->b);
  struct tp_ways ways = {0, ~0ULL, 0, ~0ULL, 0};
  if (kind == TP_MODEL_GILBERT_ELLIOTT) {
    ways.leaves_gap = tp_below(model, TP_GE_P, block, ~0ULL);
    __u64 bad = 0;
    if (*markov != TP_MARKOV_GAP || ways.leaves_gap) {
      ways.leaves_burst = tp_below(model, TP_GE_R, block, ~0ULL);
      bad = tp_markov_walk(&ways, markov);
    }
    const struct tp_block losses = {tp_draw_key(block->a, TP_DRAW_LOSS), block->b, block->number};
    __u64 lost = 0;
    if (bad) lost = tp_below(model, TP_GE_LOSS_BAD, &losses, bad);
    if (~bad) lost |= tp_below(model, TP_GE_LOSS_GOOD, &losses, ~bad);
    return lost;
  }
  ways.leaves_gap = tp_below(model, TP_FOUR_13_14, block, ~0ULL);
  if (*markov == TP_MARKOV_GAP && !ways.leaves_gap) return 0;
  ways.to_burst = tp_below(model, TP_FOUR_13, block, ways.leaves_gap);
  ways.leaves_burst = tp_below(model, TP_FOUR_31_32, block, ~0ULL);
  ways.to_gap = tp_below(model, TP_FOUR_31, block, ways.leaves_burst);
  ways.leaves_spared = tp_below(model, TP_FOUR_23, block, ~0ULL);
  return tp_markov_walk(&ways, markov);
}

/* The lowest `count` bits; all bits if `count` is 64 or more. */
TP_INLINE __u64 tp_low_bits(__u64 count) { return count < 64 ? ~(~0ULL << count) : ~0ULL; }

TP_INLINE __u64 tp_periodic_fates(const struct tp_model* model, __u64 block) {
  const __u64 every = model->value[TP_PERIODIC_EVERY], burst = model->value[TP_PERIODIC_BURST];
  const __u64 offset = model->value[TP_PERIODIC_OFFSET], first = block * 64;
  if (every == 0) return 0; /* row 0, which belongs to no rule: src/config allows no such period */
  __u64 fates = 0, start;   /* of the first whole period in the block */
  if (first >= offset) {
    const __u64 phase = (first - offset) % every;
    if (phase && phase < burst) fates = tp_low_bits(burst - phase);
    start = phase ? every - phase : 0;
  } else {
    start = offset - first;
  }
  if (start >= 64) return fates;
  __u64 bursts = tp_low_bits(burst), width = every;
  for (int i = 0; i < 6 && width < 64; i++) {
    bursts |= bursts << (width & 63);
    width *= 2;
  }
  return fates | bursts << start;
}

/* The lost packets among packets 64 * word to 64 * word + 63 of a sequence, by binary search. */
TP_INLINE __u64 tp_sequence_word(tp_env* env, const struct tp_model* model, __u64 word) {
  __u32 low = 0, high = (__u32)model->value[TP_SEQUENCE_INTERVALS];
  const __u32 base = (__u32)model->value[TP_SEQUENCE_FIRST];
  (void)env;
  for (int i = 0; i < 17 && low < high; i++) { /* TP_MAX_INTERVALS is 2^16 */
    const __u32 middle = (low + high) / 2;
    const struct tp_interval* interval = TP_ROW(env, intervals, base + middle);
    if (!interval || word < interval->first)
      high = middle;
    else if (word > interval->last)
      low = middle + 1;
    else
      return interval->bits;
  }
  return 0;
}

/* The lost packets of a sequence among the 64 packets that start with number `first`. */
TP_INLINE __u64 tp_sequence_bits(tp_env* env, const struct tp_model* model, __u64 first) {
  const __u64 lane = first & 63;
  __u64 bits = tp_sequence_word(env, model, first >> 6) >> lane;
  if (lane) bits |= tp_sequence_word(env, model, (first >> 6) + 1) << (64 - lane);
  return bits;
}

TP_INLINE __u64 tp_sequence_fates(tp_env* env, const struct tp_model* model, __u64 block) {
  const __u64 repeat = model->value[TP_SEQUENCE_REPEAT];
  if (repeat == 0) return tp_sequence_word(env, model, block);
  const __u64 first = block * 64 % repeat, left = repeat - first;
  __u64 bits = tp_sequence_bits(env, model, first);
  if (left < 64) bits = (bits & tp_low_bits(left)) | tp_sequence_bits(env, model, 0) << left;
  return bits;
}

/* The block's fates in a model other than random. */
TP_RARE __u64 tp_model_fates(tp_env* env, const struct tp_rule* rule, const struct tp_block* block,
                             __u64* markov) {
  const struct tp_model* model = TP_ROW(env, models, rule->model);
  if (!model) return 0;
  if (rule->model_kind == TP_MODEL_PERIODIC) return tp_periodic_fates(model, block->number);
  if (rule->model_kind == TP_MODEL_SEQUENCE) return tp_sequence_fates(env, model, block->number);
  return tp_markov_fates(model, rule->model_kind, block, markov);
}

/* The fates of a block of rule number `index`, in any model. A model with memory reads its state
 * from *markov, and writes the next one there. */
TP_SUBPROGRAM __u64 tp_rule_fates(tp_env* env, __u32 index, const struct tp_block* block,
                                  __u64* markov) {
  const struct tp_rule* rule = TP_ROW(env, rules, index);
  if (!rule || !block || !markov) return 0;
  if (TP_LIKELY(rule->model_kind == TP_MODEL_RANDOM))
    return tp_loss_mask(block->a, block->b, block->number, rule->threshold, ~0ULL);
  return tp_model_fates(env, rule, block, markov);
}

/* Whether packet n's fate depends on the fates of earlier packets. */
TP_INLINE int tp_has_memory(__u8 model_kind) {
  return model_kind == TP_MODEL_GILBERT_ELLIOTT || model_kind == TP_MODEL_FOUR_STATE;
}

#endif /* TWINPATH_POLICY_MODEL_H_ */
