/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A keyed hash of the parts of a packet that switches and routers do not change: IP addresses,
 * protocol, IPv4 identification and fragment offset, and up to 64 bytes after the IP headers,
 * without the transport checksum, which offloads fill in late. It leaves out MAC addresses, VLAN
 * tags, type of service, TTL, lengths, checksums, and the padding after the datagram. For a frame
 * that is not IP, it hashes the first 64 bytes. Packets that are equal in these parts meet the same
 * fate. The bytes after the IP headers begin where the parser stopped reading extension headers.
 * Bytes beyond TP_PARSE_WINDOW are not hashed. Pure; any thread.
 *
 * The hash is SipHash-1-3 of these bytes: IP version (0: not IP), protocol, 0x10 in a fragment
 * after the first, 0; for IPv4 fragment offset and identification, low byte first, otherwise four
 * zeroes; both IP addresses; then the bytes from the frame, with the checksum as 0.
 */
#ifndef TWINPATH_POLICY_PACKET_H_
#define TWINPATH_POLICY_PACKET_H_

#include "datapath.h"
#include "parse.h"
#include "random.h"
#include "types.h"

enum { TP_HASHED_BYTES = 64 };

/* Where the IP header begins, in bytes from the start of the frame. */
TP_INLINE __u64 tp_ip_offset(const struct tp_key* key) {
  return TP_ETH_LEN + (key->flags & TP_KEY_VLAN ? 4 : 0) + (key->flags & TP_KEY_INNER ? 4 : 0);
}

/* The bits of word `i` after the IP headers that are a transport checksum. */
TP_INLINE __u64 tp_checksum_bits(const struct tp_key* key, int i) {
  if (key->flags & TP_KEY_LATER) return 0;
  if (i == 0 && key->proto == TP_PROTO_UDP) return 0xffffULL << 48;
  if (i == 2 && key->proto == TP_PROTO_TCP) return 0xffff;
  if (i == 0 && (key->proto == TP_PROTO_ICMP || key->proto == TP_PROTO_ICMPV6))
    return 0xffffULL << 16;
  return 0;
}

/* The hash under the key (a, b) of the env's frame. `key` was parsed from that frame. */
TP_SUBPROGRAM __u64 tp_packet_hash(tp_env* env, const struct tp_key* key, __u64 a, __u64 b) {
  if (!key) return 0;
  struct tp_datapath room;
  const struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 1);
  const __u8* data = dp->data;
  const __u8* end = dp->end;
  const tp_u64_alias* k = (const tp_u64_alias*)key;
  __u64 at = 0, left = (__u64)(end - data), length = 8;
  struct tp_sip sip = tp_sip_begin(a, b);
  if (key->flags & TP_KEY_IP) {
    __u64 ip = tp_ip_offset(key), total = 40;
    const __u8* p = data + ip;
    if (p + 20 > end) return 0; /* impossible, because it was parsed */
    __u64 first = (k[0] >> 8 & 0xffff) | (__u64)(key->flags & TP_KEY_LATER) << 16;
    if (key->ip_version == 4) {
      first |= (__u64)(tp_be16(p + 6) & 0x1fff) << 32 | (__u64)tp_be16(p + 4) << 48;
      total = tp_be16(p + 2);
    } else if (tp_be16(p + 4)) {
      total = 40 + (__u64)tp_be16(p + 4);
    } else {
      total = left; /* a jumbogram is longer than the hashed part */
    }
    tp_sip_word(&sip, first);
    tp_sip_word(&sip, k[3]);
    length += 8;
    if (key->ip_version == 6) {
      for (int i = 4; i < 7; i++) tp_sip_word(&sip, k[i]);
      length += 24;
    }
    at = key->shape;
    left = ip + total > at ? ip + total - at : 0; /* without the padding */
  } else {
    tp_sip_word(&sip, 0);
  }
  TP_OPAQUE(at);
  if (at > TP_PARSE_WINDOW) return tp_sip_end(&sip, 0, length);
  const __u8* p = data + at;
  __u64 checksum = 0, rest = 0;
  if (left > TP_HASHED_BYTES) left = TP_HASHED_BYTES;
  for (int i = 0; i < TP_HASHED_BYTES / 8; i++) {
    checksum = key->flags & TP_KEY_IP ? tp_checksum_bits(key, i) : 0;
    if (left < 8 || p + 8 > end) break;
    tp_sip_word(&sip, tp_load64(p) & ~checksum);
    p += 8;
    left -= 8;
    length += 8;
  }
  for (int i = 0; i < 7; i++) {
    if ((__u64)i >= left || p + 1 > end) break;
    rest |= (__u64)*p << 8 * i;
    p++;
    length++;
  }
  TP_FORGET(rest);
  TP_FORGET(length);
  /* The last bytes, which are not a whole word, may also have a checksum. */
  return tp_sip_end(&sip, rest & ~checksum, length);
}

#endif /* TWINPATH_POLICY_PACKET_H_ */
