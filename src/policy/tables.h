/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The list of a policy's read-only tables. src/config fills them, the DPDK path copies them into
 * hugepages, and the XDP path copies them into maps. All three loop over this list, and so does the
 * sum of the sizes. Read-only after set-up; any thread.
 */
#ifndef TWINPATH_POLICY_TABLES_H_
#define TWINPATH_POLICY_TABLES_H_

#include "types.h"

/* The tables that all ports share, each as X(name, type of its rows). `entries`, `alternatives` and
 * `intervals` may be empty; the others have a row 0. */
#define TP_SHARED_TABLES(X)              \
  X(buckets, struct tp_bucket)           \
  X(entries, struct tp_key)              \
  X(rules, struct tp_rule)               \
  X(models, struct tp_model)             \
  X(whens, struct tp_when)               \
  X(alternatives, struct tp_alternative) \
  X(intervals, struct tp_interval)

/* These tables and the shapes, of which each port has a range: see tp_plan. */
#define TP_TABLES(X) X(shapes, struct tp_shape) TP_SHARED_TABLES(X)

/* The tables in ordinary memory, owned by the path. */
struct tp_tables {
#define TP_TABLE_POINTER(name, type) const type* name;
  TP_TABLES(TP_TABLE_POINTER)
#undef TP_TABLE_POINTER
  __u32 bucket_shift; /* see tp_first_bucket */
};

#endif /* TWINPATH_POLICY_TABLES_H_ */
