/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Transport checksums that the sender left to its NIC. Linux does so on a veth, a TAP device or
 * virtio: the field then holds the folded sum of the pseudo-header, not complemented, from which
 * the NIC would go on. A receiver that gets the frame without the kernel's own note of that
 * (CHECKSUM_PARTIAL) drops it. So a datapath finishes such a checksum when the frame leaves by a
 * port. Checksums: RFC 1071. Pure; any thread.
 *
 * A finished checksum that happens to equal that sum stays as it is: finishing it yields the same
 * value.
 */
#ifndef TWINPATH_POLICY_EGRESS_CHECKSUM_H_
#define TWINPATH_POLICY_EGRESS_CHECKSUM_H_

#include "src/policy/packet.h"
#include "src/policy/parse.h"
#include "src/policy/types.h"

/* A frame's unfinished checksum, in bytes from the start of the frame. */
struct tp_unfinished {
  __u32 at;     /* the transport header */
  __u32 length; /* what the checksum covers from there on */
  __u32 field;  /* the checksum: in the first segment, as all headers are */
};

/* A sum of 16-bit words, in any form, as one such word: with end-around carry. */
TP_INLINE __u32 tp_fold_sum(__u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u32)((sum & 0xffff) + (sum >> 16));
}

TP_INLINE __u64 tp_sum_of_word(__u64 word) { return (word & 0xffffffff) + (word >> 32); }

/* The pseudo-header's sum, in the order in which words are loaded from the frame. `length` is below
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
 * from the frame, whose first segment is [data, end). Never for a fragment, whose datagram is not
 * at hand, for UDP without a checksum, or for a jumbogram.
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
  if (p + 20 > end || transport + 8 > end) return 0; /* likewise */
  __u64 length = tp_be16(transport + 4);             /* UDP's */
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

/* The finished checksum, as it is stored, where `sum` is that of all words that it covers, the
 * unfinished checksum included. 0 means "none" in UDP, so that 0xffff, its equal, takes its place:
 * RFC 768. */
TP_INLINE __u16 tp_finished_checksum(__u8 proto, __u64 sum) {
  const __u16 checksum = (__u16)~tp_fold_sum(sum);
  return checksum == 0 && proto == TP_PROTO_UDP ? 0xffff : checksum;
}

#endif /* TWINPATH_POLICY_EGRESS_CHECKSUM_H_ */
