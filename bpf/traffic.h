/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The frames of `twinpath generate`: frame n of a stream is a function of (plan, n, time), compiled
 * for user space and for bpf/generate.bpf.c, so that every backend sends the same frames. Also the
 * tag that each of them carries, at the start of its UDP payload. Pure; any thread.
 *
 * The tag has 18 bytes, in network order, so that it fits into an IPv4 frame of 60 bytes:
 *
 *   0   3 bytes   TP_TAG_MAGIC
 *   3   1         the stream: whose numbers these are
 *   4   2         the clock of the time: a hash of the machine's boot
 *   6   6         the sequence number, from 0
 *   12  6         when the frame was sent: nanoseconds of CLOCK_MONOTONIC modulo 2^48
 *
 * The UDP checksum is that of the frame, so a receiver knows whether the tag and the rest of the
 * datagram are intact. The rest of the payload is 0, which no checksum notices; so checksums need
 * only the fields that differ between frames.
 */
#ifndef TWINPATH_BPF_TRAFFIC_H_
#define TWINPATH_BPF_TRAFFIC_H_

#include "src/policy/random.h"
#include "src/policy/types.h"

enum {
  TP_TAG_MAGIC = 0x547047,
  TP_TAG_STREAM = 3,
  TP_TAG_CLOCK = 4,
  TP_TAG_SEQUENCE = 6,
  TP_TAG_TIME = 12,
  TP_TAG_BYTES = 18,

  TP_TRAFFIC_START = 128,         /* the most bytes from a frame's start to the end of its tag */
  TP_TRAFFIC_SIZES = 64,          /* the most sizes in turn */
  TP_TRAFFIC_PORT_BITS = 14,      /* flows of a source address: a port each */
  TP_TRAFFIC_FIRST_PORT = 0xc000, /* the first ephemeral port of RFC 6335 */
};

enum tp_traffic_spread { TP_SPREAD_TURN, TP_SPREAD_UNIFORM, TP_SPREAD_ZIPF };

/* One cell of an alias table (Walker 1977; Vose 1991): a draw below `threshold` takes the cell's
 * own flow, another one takes `other`. */
struct tp_traffic_alias {
  __u32 threshold;
  __u32 other;
};

struct tp_traffic {
  /* The headers and the tag of flow 0, with lengths, checksums, sequence number and time 0. */
  __u8 start[TP_TRAFFIC_START];
  __u32 start_length; /* a multiple of 4; 0: frames are sent as they are */
  __u32 ip, l4, tag;  /* offsets */
  __u32 ip_version;
  __u32 trailer; /* bytes behind the datagram */
  /* Sums of 16-bit words, in host order: of the IPv4 header, and of pseudo-header, UDP header and
   * payload, without what tp_traffic_write adds. */
  __u32 ip_sum, l4_sum;
  __u32 source;      /* the last four bytes of flow 0's source address */
  __u32 source_port; /* of flow 0 */
  __u32 flows;
  __u32 spread; /* enum tp_traffic_spread */
  __u32 sizes;  /* in turn; 0: a range */
  __u32 shortest, longest;
  __u32 pad;
  __u64 seed;
  __u16 size[TP_TRAFFIC_SIZES];
};

enum tp_traffic_purpose { TP_DRAW_SIZE = 1, TP_DRAW_FLOW = 2, TP_DRAW_GAP = 3 };

TP_INLINE __u64 tp_traffic_draw(__u64 seed, __u64 n, __u64 purpose) {
  return tp_word(tp_mix(seed + TP_GOLDEN), purpose * TP_GOLDEN, n);
}

/* Bytes of frame n, without its FCS. */
TP_INLINE __u32 tp_traffic_size(const struct tp_traffic* t, __u64 n) {
  if (t->sizes == 1) return t->size[0];
  if (t->sizes) {
    __u64 i = n % t->sizes;
    if (i >= TP_TRAFFIC_SIZES) return 0; /* impossible */
    return t->size[i];
  }
  __u64 draw = tp_traffic_draw(t->seed, n, TP_DRAW_SIZE) >> 32;
  return t->shortest + (__u32)(draw * (t->longest - t->shortest + 1) >> 32);
}

/* The flow of frame n; with TP_SPREAD_ZIPF, the number of its cell, see tp_traffic_cell. */
TP_INLINE __u32 tp_traffic_flow(const struct tp_traffic* t, __u64 n) {
  if (t->flows == 1) return 0;
  if (t->spread == TP_SPREAD_TURN) return (__u32)(n % t->flows);
  return (__u32)((tp_traffic_draw(t->seed, n, TP_DRAW_FLOW) >> 32) * t->flows >> 32);
}

/* The flow of frame n by its cell. */
TP_INLINE __u32 tp_traffic_cell(const struct tp_traffic* t, __u64 n, __u32 own,
                                const struct tp_traffic_alias* cell) {
  return (__u32)tp_traffic_draw(t->seed, n, TP_DRAW_FLOW) < cell->threshold ? own : cell->other;
}

/* The Internet checksum (RFC 1071) of a sum of 16-bit words. */
TP_INLINE __u16 tp_traffic_checksum(__u32 sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)~sum;
}

TP_INLINE __u32 tp_halves(__u32 word) { return (word >> 16) + (word & 0xffff); }

TP_INLINE void tp_put16(__u8* p, __u16 value) { tp_store16(p, __builtin_bswap16(value)); }
TP_INLINE void tp_put32(__u8* p, __u32 value) { tp_store32(p, __builtin_bswap32(value)); }

/* Writes the start of frame n, which has `size` bytes and lies from `data` to `end`: all that
 * differs from 0 in it. Returns 0, and writes nothing, where the frame is too short. */
TP_INLINE int tp_traffic_write(const struct tp_traffic* t, __u32 flow, __u32 size, __u64 n,
                               __u64 time, __u8* data, const __u8* end) {
  if (t->start_length == 0) return 1;
  if (data + t->start_length > end) return 0;
  for (__u32 i = 0; i < TP_TRAFFIC_START; i += 4) {
    if (i >= t->start_length) break;
    tp_store32(data + i, tp_load32(t->start + i));
  }
  __u32 source = t->source + (flow >> TP_TRAFFIC_PORT_BITS);
  __u32 port = t->source_port + (flow & ((1U << TP_TRAFFIC_PORT_BITS) - 1));
  __u32 datagram = size - t->trailer - t->l4;
  __u32 high = (__u32)(n >> 16), middle = (__u32)(n << 16) | (__u32)(time >> 32 & 0xffff),
        low = (__u32)time;
  __u8* ip = data + t->ip;
  if (t->ip_version == 4) {
    __u32 total = size - t->trailer - t->ip;
    tp_put16(ip + 2, (__u16)total);
    tp_put32(ip + 12, source);
    tp_put16(ip + 10, tp_traffic_checksum(t->ip_sum + tp_halves(source) + total));
  } else {
    tp_put16(ip + 4, (__u16)(size - t->trailer - t->ip - 40));
    tp_put32(ip + 20, source);
  }
  /* The length counts twice: in the pseudo-header and in the UDP header. */
  __u32 sum = t->l4_sum + tp_halves(source) + port + 2 * datagram;
  sum += tp_halves(high) + tp_halves(middle) + tp_halves(low);
  __u16 checksum = tp_traffic_checksum(sum);
  __u8* udp = data + t->l4;
  tp_put16(udp, (__u16)port);
  tp_put16(udp + 4, (__u16)datagram);
  tp_put16(udp + 6, checksum ? checksum : 0xffff); /* RFC 768: 0 means none */
  __u8* tag = data + t->tag;
  tp_put32(tag + TP_TAG_SEQUENCE, high);
  tp_put32(tag + TP_TAG_SEQUENCE + 4, middle);
  tp_put32(tag + TP_TAG_SEQUENCE + 8, low);
  return 1;
}

#endif /* TWINPATH_BPF_TRAFFIC_H_ */
