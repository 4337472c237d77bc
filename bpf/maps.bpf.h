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

#define TP_TABLE(name, value_type)     \
  struct {                             \
    __uint(type, BPF_MAP_TYPE_ARRAY);  \
    __uint(map_flags, BPF_F_MMAPABLE); \
    __uint(max_entries, 1);            \
    __type(key, __u32);                \
    __type(value, value_type);         \
  } name SEC(".maps")

/* The policy. Written by src/xdp before the program is attached, read-only afterwards. */
TP_TABLE(tp_buckets, struct tp_bucket);
TP_TABLE(tp_entries, struct tp_key);
TP_TABLE(tp_rules, struct tp_rule);

/* The streams, by queue * n_rules + rule, but for tp_xdp_queue.only. Written by the CPU that serves
 * the queue. */
TP_TABLE(tp_states, struct tp_state);

/* The queues. In .bss and of a fixed number, so that one is found by an addition. */
struct tp_xdp_queue tp_queues[TP_MAX_XDP_QUEUES] = {};

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
