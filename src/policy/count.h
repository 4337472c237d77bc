/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Counts packets by their effects and delivery. A queue's counters have one writer. The shared
 * functions are for a queue that several CPUs serve at once. */
#ifndef TWINPATH_POLICY_COUNT_H_
#define TWINPATH_POLICY_COUNT_H_

#include "effects.h"
#include "types.h"

TP_INLINE void tp_count_add(struct tp_count* count, __u64 packets, __u64 bytes) {
  count->packets += packets;
  count->bytes += bytes;
}

TP_INLINE void tp_count_add_shared(struct tp_count* count, __u64 packets, __u64 bytes) {
  __sync_fetch_and_add(&count->packets, packets);
  __sync_fetch_and_add(&count->bytes, bytes);
}

/* Adds `more` to `sum`. No other thread may write either of them. */
TP_INLINE void tp_count_sum(struct tp_count* sum, const struct tp_count* more) {
  tp_count_add(sum, more->packets, more->bytes);
}

/* Reads a counter atomically while its writer may change it. tp_count_read reads packets and bytes
 * one after the other, so they may differ by a packet. */
TP_INLINE __u64 tp_count_load(const __u64* counter) {
  return __atomic_load_n(counter, __ATOMIC_RELAXED);
}
TP_INLINE struct tp_count tp_count_read(const struct tp_count* count) {
  struct tp_count read;
  read.packets = tp_count_load(&count->packets);
  read.bytes = tp_count_load(&count->bytes);
  return read;
}

/* The counter of a verdict. `out_port` matters only for TP_TX, and is below TP_MAX_PORTS. */
TP_INLINE struct tp_count* tp_verdict_count(struct tp_queue_counters* counters,
                                            enum tp_verdict verdict, __u8 out_port) {
  if (verdict == TP_TX) return &counters->tx[out_port & (TP_MAX_PORTS - 1)];
  return &counters->verdict[verdict];
}

/* The counter of a packet with these effects. */
TP_INLINE struct tp_count* tp_effects_count(struct tp_queue_counters* counters,
                                            struct tp_effects effects, enum tp_delivery delivery) {
  return tp_verdict_count(counters, tp_verdict_of(effects, delivery), effects.to);
}

#endif /* TWINPATH_POLICY_COUNT_H_ */
