/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The program's maps. src/xdp sets the sizes of the arrays before loading; one set of maps serves
 * the instances of all ports. User space maps them into its memory: it fills the tables through
 * that, and reads counters and states without a system call. A "queue" here counts over all ports:
 * a port's first_queue plus the RX queue.
 */
#ifndef TWINPATH_BPF_MAPS_BPF_H_
#define TWINPATH_BPF_MAPS_BPF_H_

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/layout.h"
#include "src/policy/table.h"
#include "src/policy/tables.h"

#define TP_ARRAY(name, row)            \
  struct {                             \
    __uint(type, BPF_MAP_TYPE_ARRAY);  \
    __uint(map_flags, BPF_F_MMAPABLE); \
    __uint(max_entries, 1);            \
    __type(key, __u32);                \
    __type(value, row);                \
  } name SEC(".maps");

/* The policy: tp_buckets, tp_entries and so on. Written by src/xdp while no program uses the
 * instance, read-only otherwise. */
#define TP_TABLE(name, row) TP_ARRAY(tp_##name, row)
TP_SHARED_TABLES(TP_TABLE)

/* The streams, by queue * n_slots + slot, but for tp_xdp_queue.only. Written by the CPU that serves
 * the queue; those of slots that no rule has, by src/xdp. */
TP_ARRAY(tp_states, struct tp_state)
/* What of them was marked; one element where no rule marks. */
TP_ARRAY(tp_mark_counts, struct tp_count)

/* The flows of all queues, and for each region its lock and its count of packets. Written by any
 * CPU under the lock. Mapped by nobody; but only what can be mapped begins on a page, so that two
 * flows share a cache line and none is in two. */
TP_ARRAY(tp_flows, struct tp_flow_bucket)
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct tp_region);
} tp_flow_regions SEC(".maps");

/* For streams of models with memory that several CPUs serve: by a few bits of their key. */
struct tp_stream_lock {
  struct bpf_spin_lock lock;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TP_STREAM_LOCKS);
  __type(key, __u32);
  __type(value, struct tp_stream_lock);
} tp_stream_locks SEC(".maps");

/* The queues. In .bss and of a fixed number, so that one is found by an addition. */
struct tp_xdp_queue tp_queues[TP_MAX_XDP_QUEUES] = {};

/* What the programs for any policy counted, by queue: the counts above stand still from when
 * another policy was put into force. `only` is not used. */
struct tp_xdp_queue tp_live_queues[TP_MAX_XDP_QUEUES] = {};

/* By queue, as above. */
struct tp_queue_extras tp_queue_extras[TP_MAX_XDP_QUEUES] = {};

/* Nanoseconds, for tp_constants.clock_given. Written between two frames. */
__u64 tp_clock = 0;

/* By port: frames of RX queues that came up after the tables were made. */
struct tp_count tp_strays[TP_MAX_PORTS] = {};

/* The way out by each port; the kernel takes an interface out when it goes away. */
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, TP_MAX_PORTS);
  __type(key, __u32);
  __type(value, __u32);
} tp_out_ports SEC(".maps");

#endif /* TWINPATH_BPF_MAPS_BPF_H_ */
