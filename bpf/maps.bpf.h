/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The maps of the XDP programs. src/xdp sets the sizes of the arrays before it loads them. The
 * programs of all ports share the maps, unless a comment says otherwise. User space maps them into
 * its memory, so it fills tables and reads counters and streams without system calls. Queues are
 * numbered over all ports: a port's first_queue plus the RX queue.
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

/* The policy: tp_buckets, tp_entries and so on. src/xdp writes them while no program of their
 * generation is attached. They are read-only otherwise. */
#define TP_TABLE(name, row) TP_ARRAY(tp_##name, row)
TP_SHARED_TABLES(TP_TABLE)

/* Indexed by rule. Each generation has its own, like the tables. */
TP_ARRAY(tp_bindings, struct tp_binding)

/* The streams, by queue * n_slots + slot, except those in a tp_xdp_queue. The CPU that serves the
 * queue writes them; src/xdp writes those of slots that no rule uses. */
TP_ARRAY(tp_states, struct tp_state)
/* The further counters of each stream's rule. One element if no rule needs them. */
TP_ARRAY(tp_rule_extras, struct tp_rule_extras)

/* The flow table of all queues, and the lock and the use counter of each region. Any CPU writes
 * them while it holds the lock. User space does not map the array, but the array is mappable,
 * because only such an array begins on a page: so no flow crosses a cache line. */
TP_ARRAY(tp_flows, struct tp_flow_bucket)
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct tp_region);
} tp_flow_regions SEC(".maps");

/* Locks for streams that several CPUs serve and whose model has memory. Bits of the stream's key
 * select the lock. */
struct tp_stream_lock {
  struct bpf_spin_lock lock;
};
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, TP_STREAM_LOCKS);
  __type(key, __u32);
  __type(value, struct tp_stream_lock);
} tp_stream_locks SEC(".maps");

/* The queues, by generation. Their number is fixed and they are in .bss, so that a program finds a
 * queue by an addition. */
struct tp_xdp_queue tp_queues[TP_GENERATIONS * TP_MAX_XDP_QUEUES] = {};

/* Indexed by queue; shared by both generations. */
struct tp_queue_extras tp_queue_extras[TP_MAX_XDP_QUEUES] = {};

/* The time in nanoseconds, if tp_constants.clock_given. User space writes it between two frames. */
__u64 tp_clock = 0;

/* Indexed by port: frames on RX queues that the maps have no room for. They are dropped. */
struct tp_count tp_strays[TP_MAX_PORTS] = {};

/* Indexed by port. */
struct tp_out_port tp_outs[TP_MAX_PORTS] = {};

/* Indexed by out port: the part of tx_full that was too long for its interface. */
struct tp_count tp_too_long[TP_MAX_PORTS] = {};

/* Indexed by the port that received a frame: whether tp_send_long runs after its program. */
__u32 tp_long_frames[TP_MAX_PORTS] = {};

/* The interface through which frames leave, by port. The kernel removes an interface that
 * disappears. Each program has its own map. */
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, TP_MAX_PORTS);
  __type(key, __u32);
  __type(value, __u32);
} tp_out_ports SEC(".maps");

#endif /* TWINPATH_BPF_MAPS_BPF_H_ */
