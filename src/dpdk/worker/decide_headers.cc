// SPDX-License-Identifier: BSD-3-Clause
// The way of frames whose headers decide: parse, classify, lose and forward as stages over a burst,
// each stage fetching ahead what the next one reads. Runs on the worker's lcore.

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <utility>

#include "src/dpdk/worker/worker.h"

namespace twinpath {
namespace {

// Bit s: slot s has the tag. Without branches: which slot it is cannot be predicted.
uint8_t SlotsWith(const tp_bucket& bucket, uint32_t tag) {
  uint32_t slots = 0;
  for (uint32_t slot = 0; slot < TP_BUCKET_SLOTS; slot++)
    slots |= static_cast<uint32_t>(bucket.tag[slot] == tag) << slot;
  return static_cast<uint8_t>(slots);
}

// The first of them; 0 where there is none.
uint32_t FirstSlot(uint8_t slots) {
  return static_cast<uint32_t>(__builtin_ctz(slots | 0x100)) & 7;
}

const tp_bucket* BucketOf(const tp_datapath& decision, uint64_t hash) {
  return &decision.tables.buckets[static_cast<uint32_t>(hash) & decision.tables.bucket_mask];
}

// tp_lookup, which answers at once where the first slot with the tag has the key.
uint32_t LookUp(tp_datapath* decision, const tp_shape& shape, const tp_key& key, uint64_t hash,
                uint8_t slots) {
  const tp_bucket* bucket = BucketOf(*decision, hash);
  const uint32_t slot = FirstSlot(slots);
  if (TP_LIKELY(slots != 0 &&
                tp_key_equal(&key, &shape.mask, &decision->tables.entries[bucket->entry[slot]]))) {
    return tp_rule_of_slot(decision, &key, bucket->rule[slot]);
  }
  return tp_lookup(decision, &key, &shape, hash);
}

}  // namespace

void Worker::DecideByHeaders(Queue& queue, uint32_t count) {
  count = Parse(queue, count);
  Classify(queue, count);
  LoseAndForward(queue, count);
}

// frames_ -> keys_. The malformed leave the burst; returns how many stay.
uint32_t Worker::Parse(Queue& queue, uint32_t count) {
  uint32_t kept = 0;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(frames_[i], void*));
  for (uint32_t i = 0; i < count; i++) {
    rte_mbuf* frame = frames_[i];
    const uint8_t* data = rte_pktmbuf_mtod(frame, const uint8_t*);
    uint32_t length = frame->pkt_len;
    bytes += length;
    // Headers lie in the first segment, or the frame is malformed.
    if (TP_LIKELY(tp_parse(data, data + frame->data_len, length, queue.port, &keys_[kept]) ==
                  TP_PARSED)) {
      frames_[kept++] = frame;
    } else {
      tp_count_add(&queue.counters.verdict[TP_MALFORMED], 1, length);
      Drop(frame);
    }
  }
  tp_count_add(&queue.counters.rx, count, bytes);
  return kept;
}

// keys_ -> rules_: tp_classify, turned inside out. Shape by shape over the burst, so that the
// buckets, then the entries, then the streams of all packets are on their way before the first is
// read.
void Worker::Classify(Queue& queue, uint32_t count) {
  tp_datapath* decision = &queue.decision;
  for (uint32_t i = 0; i < count; i++) rules_[i] = queue.fallback;
  rte_prefetch0(&queue.states[queue.fallback]);
  for (uint32_t s = 0; s < queue.n_shapes; s++) {
    const tp_shape* shape = &decision->tables.shapes[s];
    uint32_t pending = 0;
    for (uint32_t i = 0; i < count; i++) {
      if (shape->min_rule >= rules_[i]) continue;  // neither this nor a later shape has an earlier
      hashes_[i] = tp_key_hash(&keys_[i], &shape->mask);
      rte_prefetch0(BucketOf(*decision, hashes_[i]));
      pending_[pending++] = static_cast<uint8_t>(i);
    }
    if (pending == 0) return;
    for (uint32_t p = 0; p < pending; p++) {
      uint64_t hash = hashes_[pending_[p]];
      const tp_bucket* bucket = BucketOf(*decision, hash);
      slots_[p] = SlotsWith(*bucket, tp_hash_tag(hash));
      rte_prefetch0(&decision->tables.entries[bucket->entry[FirstSlot(slots_[p])]]);
    }
    for (uint32_t p = 0; p < pending; p++) {
      uint32_t i = pending_[p];
      const uint32_t rule = LookUp(decision, *shape, keys_[i], hashes_[i], slots_[p]);
      rules_[i] = std::min(rules_[i], rule);
      rte_prefetch0(&queue.states[rules_[i]]);
    }
  }
}

// rules_ -> verdicts. In the order of the burst: packet n of a stream is the n-th received.
void Worker::LoseAndForward(Queue& queue, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    rte_mbuf* frame = frames_[i];
    uint8_t* data = rte_pktmbuf_mtod(frame, uint8_t*);
    uint32_t length = frame->pkt_len;
    tp_state* state = &queue.states[rules_[i]];
    uint8_t out_port = TP_MAX_PORTS;
    tp_verdict verdict = TP_LOST;
    queue.decision.data = data;
    queue.decision.end = data + frame->data_len;
    if (!tp_lose(&queue.decision, state, rules_[i], length))
      verdict = tp_forward(&queue.decision, state->terms.action, state->terms.out_port, &out_port);
    Put(queue, frame, verdict, out_port);
  }
  SendBatches(queue);
}

// What the burst's frames leave by.
void Worker::SendBatches(Queue& queue) {
  for (uint32_t left = std::exchange(batches_used_, 0); left != 0; left &= left - 1) {
    uint32_t out_port = static_cast<uint32_t>(__builtin_ctz(left));
    Batch& batch = batches_[out_port];
    uint32_t n = std::exchange(batch.count, 0);
    uint64_t bytes = std::exchange(batch.bytes, 0);
    if (out_port == TP_MAX_PORTS)
      Pass(queue, batch.frames, n, bytes);
    else
      Transmit(queue, static_cast<uint8_t>(out_port), batch.frames, n, bytes);
  }
}

}  // namespace twinpath
