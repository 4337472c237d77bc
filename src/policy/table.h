/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A table of rows with a 64-bit key. It has a fixed size and consists of regions, each with a lock.
 * A row may be in either of two buckets of one region. A new row goes into its first bucket until
 * that is half full, and then into the emptier of the two (Azar, Broder, Karlin, Upfal: "Balanced
 * allocations", 1994). So three quarters of the places fill before a row has to be evicted. The
 * evicted row is the one of both buckets that has been idle longest, measured by the region's count
 * of uses, without a clock. The search in a bucket begins at the row's home, so that one cache line
 * is enough for most rows.
 *
 * Works for any type of row that begins with a tp_row; `row_size` is a constant. A bucket has
 * TP_TABLE_WAYS rows. The caller finds the buckets, and holds the region's lock. Any thread.
 */
#ifndef TWINPATH_POLICY_TABLE_H_
#define TWINPATH_POLICY_TABLE_H_

#include "types.h"

enum { TP_REGION_BUCKETS = 64 }; /* per lock, at most */

/* The first fields of every row. */
struct tp_row {
  __u64 key;     /* identifies the row; 0: a free place */
  __u32 used_at; /* its last use, by the region's count of uses */
} __attribute__((may_alias));

/* A region's lock and its count of uses. */
struct tp_region {
  __u32 locked; /* 0 or 1 */
  __u32 uses;
};

/* The size of a table; 0 regions if there is no table. */
struct tp_table_size {
  __u32 regions;
  __u32 region_buckets; /* of each */
};

/* Where a row may be. */
struct tp_place {
  __u64 key; /* tp_row.key */
  __u32 region;
  __u32 first, second; /* indexes of buckets, among all regions */
  __u32 home;          /* a way of either bucket; the next way is in the same cache line */
};

/* Maps `number` of [0, 2^bits) to [0, n); `bits` is 16 or 32. */
TP_INLINE __u32 tp_scale(__u64 number, __u64 n, int bits) { return (__u32)(number * n >> bits); }

/* The place of the row that `hash`, 64 random bits, identifies. */
TP_INLINE struct tp_place tp_place_of(struct tp_table_size size, __u64 hash) {
  struct tp_place place;
  const __u32 n = size.region_buckets;
  place.key = hash + !hash;
  place.region = tp_scale(place.key >> 32, size.regions, 32);
  place.first = tp_scale(place.key & 0xffff, n, 16);
  place.second = tp_scale(place.key >> 16 & 0xffff, n, 16);
  if (place.second == place.first) place.second = place.first + 1 < n ? place.first + 1 : 0;
  place.first += place.region * n;
  place.second += place.region * n;
  place.home = place.key & (TP_TABLE_WAYS - 2);
  return place;
}

/* The i-th way that the search tries, in both buckets. */
TP_INLINE __u64 tp_row_way(const struct tp_place* place, __u64 i) {
  return (place->home + i) & (TP_TABLE_WAYS - 1);
}

TP_INLINE struct tp_row* tp_row_at(void* bucket, __u64 way, __u64 row_size) {
  return (struct tp_row*)((__u8*)bucket + way * row_size);
}

/* The first i whose way in the bucket has this key; TP_TABLE_WAYS: none. */
TP_INLINE __u64 tp_row_find(void* bucket, const struct tp_place* place, __u64 key, __u64 row_size) {
  __u64 i = 0;
  for (; i < TP_TABLE_WAYS; i++)
    if (tp_row_at(bucket, tp_row_way(place, i), row_size)->key == key) break;
  TP_FORGET(i);
  return i;
}

TP_INLINE __u64 tp_rows_used(void* bucket, __u64 row_size) {
  __u64 used = 0;
  for (__u64 way = 0; way < TP_TABLE_WAYS; way++) {
    used += tp_row_at(bucket, way, row_size)->key != 0;
    TP_FORGET(used);
  }
  return used;
}

/* The i whose row has been idle longest at `now`. An i of TP_TABLE_WAYS or more counts the ways of
 * the second bucket. */
TP_INLINE __u64 tp_row_longest_idle(void* first, void* second, const struct tp_place* place,
                                    __u32 now, __u64 row_size) {
  __u64 longest = 0, best = 0;
  for (__u64 i = 0; i < 2 * TP_TABLE_WAYS; i++) {
    const __u64 way = tp_row_way(place, i);
    const __u32 used_at = i < TP_TABLE_WAYS ? tp_row_at(first, way, row_size)->used_at
                                            : tp_row_at(second, way, row_size)->used_at;
    const __u32 idle = now - used_at;
    if (idle > longest) {
      longest = idle;
      best = i;
    }
    TP_FORGET(best);
    TP_FORGET(longest);
  }
  return best;
}

/* tp_row_seek returns bucket * TP_TABLE_WAYS + way, with these flags. */
#define TP_ROW_ADDED (1ULL << 62)
#define TP_ROW_EVICTED (1ULL << 61)
#define TP_ROW_NOWHERE (~0ULL) /* there is no such bucket */

/* Finds a row in its two buckets. If it is in neither, makes a place for it, with its key and 0 in
 * all other fields. The region must be locked, and `now` is its count of uses. TP_FORGET hides the
 * row's place from the verifier, which would otherwise follow each place separately. */
TP_INLINE __u64 tp_row_seek(void* first, void* second, const struct tp_place* place, __u32 now,
                            __u64 row_size) {
  __u64 i = tp_row_find(first, place, place->key, row_size), in_second = 0, added = 0;
  if (i >= TP_TABLE_WAYS) {
    i = tp_row_find(second, place, place->key, row_size);
    in_second = 1;
  }
  if (i >= TP_TABLE_WAYS) {
    added = TP_ROW_ADDED;
    const __u64 used = tp_rows_used(first, row_size);
    in_second = used >= TP_TABLE_WAYS / 2 && tp_rows_used(second, row_size) < used;
    i = tp_row_find(in_second ? second : first, place, 0, row_size);
    if (i >= TP_TABLE_WAYS) {
      added |= TP_ROW_EVICTED;
      i = tp_row_longest_idle(first, second, place, now, row_size);
      in_second = i >= TP_TABLE_WAYS;
    }
  }
  TP_FORGET(i);
  TP_FORGET(in_second);
  const __u64 way = tp_row_way(place, i);
  if (added) {
    tp_u64_alias* row = (tp_u64_alias*)tp_row_at(in_second ? second : first, way, row_size);
    row[0] = place->key;
    for (__u64 word = 1; word < row_size / 8; word++) row[word] = 0;
  }
  return (in_second ? place->second : place->first) * (__u64)TP_TABLE_WAYS + way + added;
}

#endif /* TWINPATH_POLICY_TABLE_H_ */
