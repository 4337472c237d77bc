/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The programs' maps. src/xdp sets the sizes of the arrays before loading; the programs of all
 * ports share them, except where said. User space maps them into its memory, and so fills the
 * tables and reads counters and streams without a system call. Queues are numbered over all ports:
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

/* By rule; of the generation, as the tables are. */
TP_ARRAY(tp_bindings, struct tp_binding)

/* The streams, by queue * n_slots + slot, but for those in a tp_xdp_queue. Written by the CPU that
 * serves the queue; those of slots that no rule has, by src/xdp. */
TP_ARRAY(tp_states, struct tp_state)
/* What of each stream was marked; one element where no rule marks. */
TP_ARRAY(tp_mark_counts, struct tp_count)

/* The flows of all queues, and each region's lock and count of uses. Written by any CPU under the
 * lock. User space does not map the flows; but only an array that can be mapped begins on a page,
 * so that two flows share a cache line and no flow lies in two. */
TP_ARRAY(tp_flows, struct tp_flow_bucket)
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct tp_region);
} tp_flow_regions SEC(".maps");

/* For streams of models with memory that several CPUs serve: by a few bits of the stream's key. */
struct tp_stream_lock {
  struct bpf_spin_lock lock;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TP_STREAM_LOCKS);
  __type(key, __u32);
  __type(value, struct tp_stream_lock);
} tp_stream_locks SEC(".maps");

/* The queues, by generation. In .bss and of a fixed number, so that a queue is found by an
 * addition. */
struct tp_xdp_queue tp_queues[TP_GENERATIONS * TP_MAX_XDP_QUEUES] = {};

/* By queue, for both generations. */
struct tp_queue_extras tp_queue_extras[TP_MAX_XDP_QUEUES] = {};

/* Nanoseconds, where tp_constants.clock_given. Written between two frames. */
__u64 tp_clock = 0;

/* By port: frames of RX queues that came up after the maps were made. */
struct tp_count tp_strays[TP_MAX_PORTS] = {};

/* The interface by which frames leave, by port; the kernel removes an interface that disappears.
 * Each program has a map of its own. */
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, TP_MAX_PORTS);
  __type(key, __u32);
  __type(value, __u32);
} tp_out_ports SEC(".maps");

#endif /* TWINPATH_BPF_MAPS_BPF_H_ */
