// SPDX-License-Identifier: BSD-3-Clause
// The headers tier, in which headers choose the rule. Its stages also serve the general tier.

#include <algorithm>

#include "src/engine/burst.h"
#include "src/engine/stages.h"

namespace twinpath {
namespace {

// Returns a mask of the slots that have the tag. Has no branches, because the slot cannot be
// predicted.
uint8_t SlotsWith(const tp_bucket& bucket, uint32_t tag) {
  uint32_t slots = 0;
  for (uint32_t slot = 0; slot < TP_BUCKET_SLOTS; slot++)
    slots |= static_cast<uint32_t>(bucket.tag[slot] == tag) << slot;
  return static_cast<uint8_t>(slots);
}

// The first slot of such a mask; 0 if the mask is empty.
uint32_t FirstSlot(uint8_t slots) {
  return static_cast<uint32_t>(__builtin_ctz(slots | 0x100)) & 7;
}

const tp_bucket* BucketOf(const tp_datapath& datapath, uint64_t sum) {
  return &datapath.tables.buckets[tp_first_bucket(sum, datapath.tables.bucket_shift)];
}

// The same result as tp_lookup, but faster if the first slot with the tag has the key.
uint32_t LookUp(tp_datapath* datapath, const tp_shape& shape, const tp_key& key, uint64_t sum,
                uint8_t slots) {
  const tp_bucket* bucket = BucketOf(*datapath, sum);
  const uint32_t slot = FirstSlot(slots);
  if (TP_LIKELY(slots != 0 &&
                tp_key_equal(&key, &shape.mask, &datapath->tables.entries[bucket->entry[slot]]))) {
    return tp_rule_of_slot(datapath, &key, bucket->rule[slot]);
  }
  return tp_lookup(datapath, &key, &shape, sum);
}

// Computes effects from rules, in the order of the burst: packet n of a stream is the n-th
// received.
void LoseAndForward(QueuePlan* plan, uint32_t count, uint64_t malformed, Burst* burst) {
  tp_datapath* datapath = &plan->datapath;
  for (uint32_t i = 0; i < count; i++) {
    tp_effects* effects = &burst->effects[i];
    if (TP_UNLIKELY(malformed >> i & 1)) {
      effects->rule = TP_NO_RULE;
      effects->fate = TP_FATE_MALFORMED;
      effects->to = 0;
      continue;
    }
    const FrameView& frame = burst->frames[i];
    const uint32_t rule = burst->rules[i];
    tp_state* state = &datapath->states[rule];
    datapath->data = frame.data;
    datapath->end = frame.data + frame.data_len;
    effects->rule = rule;
    if (tp_lose(datapath, state, rule, frame.frame_len)) {
      effects->fate = TP_FATE_LOST;
      effects->to = 0;
    } else {
      tp_forward(datapath, state->terms.action, state->terms.out_port, effects);
    }
  }
}

}  // namespace

Parsed Parse(const QueuePlan& plan, uint32_t count, Burst* burst) {
  Parsed parsed = {0, 0};
  for (uint32_t i = 0; i < count; i++) {
    const FrameView& frame = burst->frames[i];
    parsed.bytes += frame.frame_len;
    const int result = tp_parse(frame.data, frame.data + frame.data_len, frame.frame_len,
                                plan.datapath.port, &burst->keys[i]);
    if (TP_UNLIKELY(tp_drops(&plan.datapath, result))) parsed.malformed |= uint64_t{1} << i;
  }
  return parsed;
}

// tp_classify with its loops exchanged: tries each shape for the whole burst. So it can prefetch
// the buckets, then the entries, then the streams of all packets before it reads the first of them.
void Classify(QueuePlan* plan, uint32_t count, uint64_t malformed, Burst* burst) {
  tp_datapath* datapath = &plan->datapath;
  for (uint32_t i = 0; i < count; i++) burst->rules[i] = plan->fallback;
  // No rule comes before rule 0, so no shape is tried for malformed frames.
  for (; TP_UNLIKELY(malformed != 0); malformed &= malformed - 1)
    burst->rules[__builtin_ctzll(malformed)] = 0;
  __builtin_prefetch(&datapath->states[plan->fallback]);
  for (uint32_t s = 0; s < plan->n_shapes; s++) {
    const tp_shape* shape = &datapath->tables.shapes[s];
    uint32_t pending = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (shape->min_rule >= burst->rules[i]) continue;  // no later shape has an earlier rule
      burst->sums[i] = tp_key_sum(&burst->keys[i], &shape->mask);
      __builtin_prefetch(BucketOf(*datapath, burst->sums[i]));
      burst->pending[pending++] = static_cast<uint8_t>(i);
    }
    if (pending == 0) return;
    for (uint32_t p = 0; p < pending; p++) {
      const uint64_t sum = burst->sums[burst->pending[p]];
      const tp_bucket* bucket = BucketOf(*datapath, sum);
      burst->slots[p] = SlotsWith(*bucket, tp_key_tag(sum));
      __builtin_prefetch(&datapath->tables.entries[bucket->entry[FirstSlot(burst->slots[p])]]);
    }
    for (uint32_t p = 0; p < pending; p++) {
      const uint32_t i = burst->pending[p];
      const uint32_t rule =
          LookUp(datapath, *shape, burst->keys[i], burst->sums[i], burst->slots[p]);
      burst->rules[i] = std::min(burst->rules[i], rule);
      __builtin_prefetch(&datapath->states[burst->rules[i]]);
    }
  }
}

uint64_t DecideHeaders(QueuePlan* plan, uint32_t count, Burst* burst) {
  const Parsed parsed = Parse(*plan, count, burst);
  Classify(plan, count, parsed.malformed, burst);
  LoseAndForward(plan, count, parsed.malformed, burst);
  return parsed.bytes;
}

}  // namespace twinpath
