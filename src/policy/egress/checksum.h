/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Finishes transport checksums that the sender left to its NIC. Linux does so on a veth, a TAP
 * device or virtio: the field then has only the folded sum of the pseudo-header, not complemented,
 * and the NIC should add the rest. The kernel marks such a frame as CHECKSUM_PARTIAL; without the
 * mark, a receiver drops the frame. So a datapath finishes the checksum before the frame leaves by
 * a port. Checksums: RFC 1071. Pure; any thread.
 *
 * If a finished checksum happens to equal the pseudo-header's sum, finishing it again yields the
 * same value.
 */
#ifndef TWINPATH_POLICY_EGRESS_CHECKSUM_H_
#define TWINPATH_POLICY_EGRESS_CHECKSUM_H_

#include "src/policy/packet.h"
#include "src/policy/parse.h"
#include "src/policy/types.h"

/* A frame's unfinished checksum, in bytes from the start of the frame. */
struct tp_unfinished {
  __u32 at;     /* the transport header */
  __u32 length; /* number of bytes from there that the checksum covers */
  __u32 field;  /* the checksum: in the first segment, as all headers are */
};

/* Folds a sum of 16-bit words into one word, with end-around carry. */
TP_INLINE __u32 tp_fold_sum(__u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u32)((sum & 0xffff) + (sum >> 16));
}

TP_INLINE __u64 tp_sum_of_word(__u64 word) { return (word & 0xffffffff) + (word >> 32); }

/* The pseudo-header's sum, in the byte order of words loaded from the frame. `length` is below
 * 2^16. RFC 9293, section 3.1; RFC 768; RFC 8200, section 8.1. */
TP_INLINE __u32 tp_pseudo_header_sum(const struct tp_key* key, __u32 length) {
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  __u64 sum = tp_sum_of_word(k[3]) + ((__u64)key->proto << 8) + __builtin_bswap16((__u16)length);
  if (key->ip_version == 6)
    sum += tp_sum_of_word(k[4]) + tp_sum_of_word(k[5]) + tp_sum_of_word(k[6]);
  return tp_fold_sum(sum);
}

/*
 * Returns 1, and writes *found, if the frame's TCP or UDP checksum is unfinished. `key` was parsed
 * from the frame, whose first segment is [data, end). Returns 0 for a fragment, because the rest of
 * its datagram is missing, for UDP without a checksum, and for a jumbogram.
 */
TP_INLINE int tp_find_unfinished(const __u8* data, const __u8* end, const struct tp_key* key,
                                 struct tp_unfinished* found) {
  if (!(key->flags & TP_KEY_PORTS) || key->flags & TP_KEY_FRAGMENT) return 0;
  const int tcp = key->proto == TP_PROTO_TCP;
  __u64 ip = tp_ip_offset(key), at = key->shape;
  TP_OPAQUE(at);
  if (at > TP_PARSE_WINDOW) return 0; /* impossible, because it was parsed */
  const __u8* p = data + ip;
  const __u8* transport = data + at;
  if (p + 20 > end || transport + 8 > end) return 0; /* also impossible */
  __u64 length = tp_be16(transport + 4);             /* of UDP */
  if (tcp) {
    const __u64 payload = tp_be16(p + 4); /* of IPv6 */
    const __u64 total = key->ip_version == 4 ? tp_be16(p + 2) : payload ? payload + 40 : 0;
    length = ip + total > at ? ip + total - at : 0;
  }
  if (length < 8 || length > 0xffff) return 0; /* a jumbogram */
  __u64 field = at + (tcp ? 16 : 6);
  TP_FORGET(field);
  if (field > TP_PARSE_WINDOW + 16 || data + field + 2 > end) return 0; /* impossible */
  found->at = (__u32)at;
  found->length = (__u32)length;
  found->field = (__u32)field;
  return tp_load16(data + field) == tp_pseudo_header_sum(key, (__u32)length);
}

/* The finished checksum, as it is stored. `sum` is the sum of all words that it covers, including
 * the unfinished checksum. In UDP 0 means "no checksum", so the equivalent 0xffff is stored
 * instead: RFC 768. */
TP_INLINE __u16 tp_finished_checksum(__u8 proto, __u64 sum) {
  const __u16 checksum = (__u16)~tp_fold_sum(sum);
  return checksum == 0 && proto == TP_PROTO_UDP ? 0xffff : checksum;
}

#endif /* TWINPATH_POLICY_EGRESS_CHECKSUM_H_ */
