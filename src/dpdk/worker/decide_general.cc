// SPDX-License-Identifier: BSD-3-Clause
// The way of frames whose rules may ask for anything: losses of flows and of packets, marks,
// conditions. The stages are those of worker_headers.cc, with one between for the flows, which are
// fetched ahead, too. Runs on the worker's lcore.

#include <rte_prefetch.h>

#include "src/dpdk/worker/worker.h"
#include "src/kernel/clock.h"

namespace twinpath {

void Worker::DecideAny(Queue& queue, uint32_t count) {
  tp_datapath* decision = &queue.decision;
  if (timed_) decision->now = clock_ != nullptr ? *clock_ : CoarseNow();
  count = Parse(queue, count);
  // Where a rule holds for so many packets, what the first of a burst meets decides on the second.
  if (!counted_) {
    Classify(queue, count);
    if (decision->flows != nullptr) FindFlows(queue, count);
  }
  for (uint32_t i = 0; i < count; i++) {
    rte_mbuf* mbuf = frames_[i];
    if (counted_) {
      rules_[i] = tp_classify(decision, &keys_[i], queue.n_shapes, queue.fallback);
      flow_keys_[i] = tp_flow_key(&decision->tables.rules[rules_[i]], &keys_[i]);
    }
    const tp_rule* rule = &decision->tables.rules[rules_[i]];
    uint8_t* data = rte_pktmbuf_mtod(mbuf, uint8_t*);
    decision->data = data;
    decision->end = data + mbuf->data_len;
    const tp_packet packet = {.bytes = mbuf->pkt_len, .key = &keys_[i], .flow_key = flow_keys_[i]};
    uint8_t out_port = TP_MAX_PORTS;
    tp_verdict verdict = TP_LOST;
    if (!tp_lose_general(decision, rule, rules_[i], &queue.states[rules_[i]], &packet, 0))
      verdict = tp_forward(decision, rule->action, rule->out_port, &out_port);
    Put(queue, mbuf, verdict, out_port);
  }
  SendBatches(queue);
}

// rules_ -> flow_keys_. The homes of all flows are on their way before the first is looked at;
// then, of those that are elsewhere, what is looked at next.
void Worker::FindFlows(Queue& queue, uint32_t count) {
  tp_datapath* decision = &queue.decision;
  tp_place places[kMaxBurst];
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    const tp_rule* rule = &decision->tables.rules[rules_[i]];
    if (rule->loss != TP_LOSS_FLOW) continue;
    flow_keys_[i] = tp_flow_key(rule, &keys_[i]);
    places[found] = tp_flow_place(decision->flows->size, rule, flow_keys_[i]);
    const tp_flow_bucket* bucket = tp_flow_bucket_at(decision, places[found].first);
    rte_prefetch0(&bucket->flow[places[found].home]);
    found++;
  }
  for (uint32_t f = 0; f < found; f++) {
    const tp_place& place = places[f];
    const tp_flow* home = &tp_flow_bucket_at(decision, place.first)->flow[place.home];
    if (home[0].key == place.key || home[1].key == place.key) continue;
    for (const uint32_t index : {place.first, place.second}) {
      const tp_flow_bucket* bucket = tp_flow_bucket_at(decision, index);
      for (int way = 0; way < TP_TABLE_WAYS; way += 2) rte_prefetch0(&bucket->flow[way]);
    }
  }
}

}  // namespace twinpath
