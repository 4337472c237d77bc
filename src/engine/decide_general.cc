// SPDX-License-Identifier: BSD-3-Clause
// The general tier, whose rules may use everything: loss by flow or packet, marks, conditions. It
// has the stages of decide_headers.cc, and one more that prefetches the flows.

#include <initializer_list>

#include "src/engine/burst.h"
#include "src/engine/stages.h"

namespace twinpath {
namespace {

// Computes flow_keys from rules. Prefetches the home of every flow before it reads any of them.
// Then prefetches both buckets of the flows that are not at home.
void FindFlows(QueuePlan* plan, uint32_t count, uint64_t malformed, Burst* burst) {
  tp_datapath* datapath = &plan->datapath;
  tp_place places[kMaxBurst];
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    const tp_rule* rule = &datapath->tables.rules[burst->rules[i]];
    if (rule->loss != TP_LOSS_FLOW || (malformed >> i & 1) != 0) continue;
    burst->flow_keys[i] = tp_flow_key(rule, &burst->keys[i]);
    places[found] = tp_flow_place(datapath->flows->size, rule, burst->flow_keys[i]);
    const tp_flow_bucket* bucket = tp_flow_bucket_at(datapath, places[found].first);
    __builtin_prefetch(&bucket->flow[places[found].home]);
    found++;
  }
  for (uint32_t f = 0; f < found; f++) {
    const tp_place& place = places[f];
    const tp_flow* home = &tp_flow_bucket_at(datapath, place.first)->flow[place.home];
    if (home[0].key == place.key || home[1].key == place.key) continue;
    for (const uint32_t index : {place.first, place.second}) {
      const tp_flow_bucket* bucket = tp_flow_bucket_at(datapath, index);
      for (int way = 0; way < TP_TABLE_WAYS; way += 2) __builtin_prefetch(&bucket->flow[way]);
    }
  }
}

// Decides one frame whose rule and flow are known.
void DecideFrame(tp_datapath* datapath, const FrameView& frame, uint32_t index,
                 const tp_packet& packet, tp_effects* effects) {
  const tp_rule* rule = &datapath->tables.rules[index];
  datapath->data = frame.data;
  datapath->end = frame.data + frame.data_len;
  *effects = {};
  effects->rule = index;
  if (tp_lose_general(datapath, rule, index, &datapath->states[index], &packet, 0))
    effects->fate = TP_FATE_LOST;
  else
    tp_forward_general(datapath, rule, index, &packet, effects, 0);
}

}  // namespace

uint64_t DecideGeneral(QueuePlan* plan, uint32_t count, Burst* burst) {
  tp_datapath* datapath = &plan->datapath;
  const Parsed parsed = Parse(*plan, count, burst);
  // With TP_RULE_COUNTED, the first frame of a burst may change the rule of the second.
  if (!plan->counted) {
    Classify(plan, count, parsed.malformed, burst);
    if (datapath->flows != nullptr) FindFlows(plan, count, parsed.malformed, burst);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (TP_UNLIKELY(parsed.malformed >> i & 1)) {
      burst->effects[i] = {TP_NO_RULE, TP_FATE_MALFORMED, 0, 0, 0, 0, 0, 0, 0};
      continue;
    }
    const tp_key* key = &burst->keys[i];
    if (plan->counted) {
      burst->rules[i] = tp_classify(datapath, key, plan->n_shapes, plan->fallback);
      burst->flow_keys[i] = tp_flow_key(&datapath->tables.rules[burst->rules[i]], key);
    }
    const tp_packet packet = {burst->frames[i].frame_len, key, burst->flow_keys[i]};
    DecideFrame(datapath, burst->frames[i], burst->rules[i], packet, &burst->effects[i]);
  }
  return parsed.bytes;
}

}  // namespace twinpath
