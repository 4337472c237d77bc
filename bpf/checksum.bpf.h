/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Finishes the transport checksum of a frame before it is sent: src/policy/egress/checksum.h for
 * frames in one piece or in several. Runs on the CPU that serves the RX queue.
 */
#ifndef TWINPATH_BPF_CHECKSUM_BPF_H_
#define TWINPATH_BPF_CHECKSUM_BPF_H_

#include "bpf/supply.bpf.h"
#include "src/policy/egress/checksum.h"
#include "src/policy/pipeline.h"

enum {
  TP_SUM_LARGE = 512, /* the limit of bpf_csum_diff before Linux 6.13 */
  TP_SUM_SMALL = 64,
  TP_SUM_COPY = 64, /* small, because it is on the stack and little of that is left */
  TP_SUM_MOST = 65536,
};

/* Returns the `size` bytes at `at`, or NULL if they are not all in the first piece. The verifier
 * accepts no offset beyond 64 KiB. */
TP_INLINE const __u8* tp_sum_bytes(struct xdp_md* ctx, __u64 at, __u32 size) {
  const volatile struct xdp_md* frame = ctx;
  if (at > 0xffff - TP_SUM_LARGE) return 0;
  const __u8* p = (const __u8*)(long)frame->data + at;
  return p + size > (const __u8*)(long)frame->data_end ? 0 : p;
}

/* Sums `left` bytes at `at` of a frame in one piece. Returns 0, or -1 if the frame is too short.
 * Addresses are computed from `stop` and the forgotten `left`: the verifier knows where headers
 * begin, and would otherwise check the code for each possible length separately. */
TP_INLINE int tp_sum_plain(struct xdp_md* ctx, __u64 at, __u64 left, __u64* sum) {
  const __u64 stop = at + left;
  const __u8* p;
  __s64 more = 0;
  for (int i = 0; i < TP_SUM_MOST / TP_SUM_LARGE; i++) {
    TP_FORGET(left);
    if (left < TP_SUM_LARGE) break;
    if (!(p = tp_sum_bytes(ctx, stop - left, TP_SUM_LARGE))) return -1;
    more = bpf_csum_diff(0, 0, (__be32*)p, TP_SUM_LARGE, (__wsum)more);
    left -= TP_SUM_LARGE;
  }
  for (int i = 0; i < TP_SUM_LARGE / TP_SUM_SMALL; i++) {
    TP_FORGET(left);
    if (left < TP_SUM_SMALL) break;
    if (!(p = tp_sum_bytes(ctx, stop - left, TP_SUM_SMALL))) return -1;
    more = bpf_csum_diff(0, 0, (__be32*)p, TP_SUM_SMALL, (__wsum)more);
    left -= TP_SUM_SMALL;
  }
  *sum = (__u32)more;
  for (int i = 0; i < TP_SUM_SMALL / 4; i++) {
    TP_FORGET(left);
    if (left < 4) break;
    if (!(p = tp_sum_bytes(ctx, stop - left, 4))) return -1;
    *sum += tp_load32(p);
    left -= 4;
  }
  TP_FORGET(left);
  if (left & 2) {
    if (!(p = tp_sum_bytes(ctx, stop - left, 2))) return -1;
    *sum += tp_load16(p);
    left -= 2;
  }
  TP_FORGET(left);
  if (left & 1) {
    if (!(p = tp_sum_bytes(ctx, stop - left, 1))) return -1;
    *sum += *p;
  }
  return 0;
}

/* tp_sum_plain for a frame in several pieces. A piece may end within a word, so the bytes are
 * copied to the stack first. */
TP_INLINE int tp_sum_frags(struct xdp_md* ctx, __u64 at, __u64 left, __u64* sum) {
  const __u64 stop = at + left;
  __u32 copy[TP_SUM_COPY / 4];
  __s64 more = 0;
  for (int i = 0; i < TP_SUM_MOST / TP_SUM_COPY; i++) {
    TP_FORGET(left);
    if (left < TP_SUM_COPY) break;
    if (bpf_xdp_load_bytes(ctx, (__u32)(stop - left), copy, sizeof(copy))) return -1;
    more = bpf_csum_diff(0, 0, copy, sizeof(copy), (__wsum)more);
    left -= TP_SUM_COPY;
  }
  __builtin_memset(copy, 0, sizeof(copy));
  if (left && left < TP_SUM_COPY) {
    __u64 others = left - 1; /* the verifier of Linux 6.1 sees no zero here */
    TP_LIMIT(others, TP_SUM_COPY - 1);
    if (bpf_xdp_load_bytes(ctx, (__u32)(stop - left), copy, (__u32)others + 1)) return -1;
    more = bpf_csum_diff(0, 0, copy, sizeof(copy), (__wsum)more);
  }
  *sum = (__u32)more;
  return 0;
}

/* Returns the position of the frame's unfinished checksum in one number, for tp_complete; 0: the
 * checksum is finished. This is a separate function because little stack is left: its stack is free
 * again when tp_complete runs. */
TP_INLINE __u64 tp_unfinished_at(struct xdp_md* ctx, int frags) {
  struct tp_datapath room;
  struct tp_datapath* dp = tp_enter(ctx, &room, TP_ALL_WORDS, 0);
  const __u32 bytes =
      frags ? (__u32)bpf_xdp_get_buff_len(ctx) : (__u32)(dp->end - (const __u8*)dp->data);
  /* Does not use tp_read_key, which needs a second key on the stack. The key has port 0: a checksum
   * does not depend on the port, and the port would take a register. */
  struct tp_key key;
  __builtin_memset(&key, 0, sizeof(key));
  if (!tp_parse_common(dp->data, dp->end, bytes, 0, TP_ALL_WORDS, &key) &&
      tp_walk_headers(TP_ENV(dp), &key, bytes))
    return 0;
  TP_FRAME_AGAIN(dp);
  struct tp_unfinished found;
  if (!tp_find_unfinished(dp->data, dp->end, &key, &found)) return 0;
  return found.at | (__u64)found.length << 16 | (__u64)found.field << 32 | (__u64)key.proto << 48;
}

/* Finishes the checksum that tp_unfinished_at found. Returns whether the frame changed. */
TP_INLINE int tp_complete(struct xdp_md* ctx, __u64 found, int frags) {
  const __u64 at = found & 0xffff, length = found >> 16 & 0xffff;
  __u64 field = found >> 32 & 0xffff, sum = 0;
  if (frags ? tp_sum_frags(ctx, at, length, &sum) : tp_sum_plain(ctx, at, length, &sum)) return 0;
  struct tp_datapath room;
  struct tp_datapath* dp = tp_enter(ctx, &room, TP_ALL_WORDS, 0);
  TP_OPAQUE(field);
  if (field > TP_PARSE_WINDOW + 16) return 0;
  __u8* p = dp->data + field;
  if (p + 2 > dp->end) return 0;
  const __u16 before = tp_load16(p), checksum = tp_finished_checksum((__u8)(found >> 48), sum);
  tp_store16(p, checksum);
  return checksum != before;
}

#define TP_COMPLETION(kind, frags)                                                    \
  __attribute__((noinline)) __u64 tp_unfinished_##kind(struct xdp_md* ctx) {          \
    return tp_unfinished_at(ctx, frags);                                              \
  }                                                                                   \
  __attribute__((noinline)) int tp_complete_##kind(struct xdp_md* ctx, __u64 found) { \
    return tp_complete(ctx, found, frags);                                            \
  }
TP_COMPLETION(plain, 0)
TP_COMPLETION(frags, 1)

#endif /* TWINPATH_BPF_CHECKSUM_BPF_H_ */
