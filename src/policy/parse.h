/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Frame -> key. Reads Ethernet, up to two VLAN tags, IPv4 with options, IPv6 with extension
 * headers, fragments, TCP, UDP, ICMP; never past the end it is given. Pure; any thread.
 *
 * A frame is malformed when a header that its own fields promise is not whole in it, or when a
 * length field contradicts the frame or the least length of its own header; also when its headers
 * are more, or further in, than the limits below. What is merely unknown (another EtherType, an
 * IEEE 802.3 length in its place, another protocol) is not: it has a key with fewer fields.
 */
#ifndef TWINPATH_POLICY_PARSE_H_
#define TWINPATH_POLICY_PARSE_H_

#include "types.h"

enum tp_parse_result { TP_PARSED = 0, TP_PARSE_MALFORMED = 1 };

enum {
  TP_ETH_LEN = 14,
  TP_ETH_P_IPV4 = 0x0800,
  TP_ETH_P_IPV6 = 0x86dd,
  TP_ETH_P_VLAN = 0x8100, /* IEEE 802.1Q */
  TP_ETH_P_QINQ = 0x88a8, /* IEEE 802.1ad */
  TP_PROTO_HOPOPTS = 0,
  TP_PROTO_ICMP = 1,
  TP_PROTO_TCP = 6,
  TP_PROTO_UDP = 17,
  TP_PROTO_ROUTING = 43,
  TP_PROTO_FRAGMENT = 44,
  TP_PROTO_AH = 51,
  TP_PROTO_ICMPV6 = 58,
  TP_PROTO_DSTOPTS = 60,
  TP_PROTO_MOBILITY = 135,
  TP_PROTO_HIP = 139,
  TP_PROTO_SHIM6 = 140,
};

TP_INLINE __u16 tp_be16(const __u8* p) { return (__u16)((__u16)p[0] << 8 | p[1]); }
TP_INLINE __u32 tp_be32(const __u8* p) { return (__u32)tp_be16(p) << 16 | tp_be16(p + 2); }

/* Where the transport header starts and what bounds it, in octets from the start of the frame. */
struct tp_cursor {
  __u32 offset;
  __u32 l3_end;
  __u8 proto;
  __u8 jumbo; /* RFC 2675: the payload length is in an option */
};

/* RFC 791. */
TP_INLINE int tp_parse_ipv4(const __u8* data, const __u8* end, __u32 frame_len, struct tp_key* key,
                            struct tp_cursor* c) {
  __u32 off = c->offset;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (p + 20 > end) return TP_PARSE_MALFORMED;
  __u32 header = (__u32)(p[0] & 15) * 4;
  __u32 total = tp_be16(p + 2);
  __u16 fragment = tp_be16(p + 6);
  if (p[0] >> 4 != 4 || header < 20 || total < header || off + total > frame_len)
    return TP_PARSE_MALFORMED;
  key->ip_version = 4;
  key->flags |= TP_KEY_IP;
  if (fragment & 0x3fff) key->flags |= TP_KEY_FRAGMENT;
  if (fragment & 0x1fff) key->flags |= TP_KEY_LATER;
  key->dscp_ecn = p[1];
  key->proto = c->proto = p[9];
  __builtin_memcpy(key->address, p + 12, 8);
  c->offset = off + header;
  c->l3_end = off + total;
  c->jumbo = 0;
  return TP_PARSED;
}

/* RFC 8200; authentication headers RFC 4302, jumbograms RFC 2675, the limit on headers RFC 8883. */
TP_INLINE int tp_parse_ipv6(const __u8* data, const __u8* end, __u32 frame_len, struct tp_key* key,
                            struct tp_cursor* c) {
  __u32 off = c->offset;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (p + 40 > end) return TP_PARSE_MALFORMED;
  __u32 payload = tp_be16(p + 4);
  __u8 next = p[6];
  if (p[0] >> 4 != 6) return TP_PARSE_MALFORMED;
  c->jumbo = payload == 0 && next == TP_PROTO_HOPOPTS;
  if (c->jumbo) {
    /* A length of 0 is no room for the header that follows, but for a jumbo payload option (type
     * 0xc2), whose alignment of 4n + 2 makes it the first. RFC 2675, sections 2 and 3. */
    if (p + 48 > end || p[42] != 0xc2 || p[43] != 4) return TP_PARSE_MALFORMED;
    payload = tp_be32(p + 44);
    if (payload < 65536) return TP_PARSE_MALFORMED;
  }
  if ((__u64)off + 40 + payload > frame_len) return TP_PARSE_MALFORMED;
  c->l3_end = off + 40 + payload;
  key->ip_version = 6;
  key->flags |= TP_KEY_IP;
  key->dscp_ecn = (__u8)((__u8)(p[0] << 4) | p[1] >> 4);
  __builtin_memcpy(key->address, p + 8, 32);
  off += 40;
  int done = 0;
  for (int i = 0; i <= TP_MAX_EXTENSIONS; i++) {
    __u32 length;
    if (key->flags & TP_KEY_LATER) { /* what follows is payload */
      done = 1;
      break;
    }
    if (next != TP_PROTO_HOPOPTS && next != TP_PROTO_ROUTING && next != TP_PROTO_FRAGMENT &&
        next != TP_PROTO_AH && next != TP_PROTO_DSTOPTS && next != TP_PROTO_MOBILITY &&
        next != TP_PROTO_HIP && next != TP_PROTO_SHIM6) {
      done = 1;
      break;
    }
    TP_OPAQUE(off);
    if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
    p = data + off;
    if (p + 8 > end || off + 8 > c->l3_end) return TP_PARSE_MALFORMED;
    if (next == TP_PROTO_FRAGMENT) {
      __u16 fragment = tp_be16(p + 2);
      if (c->jumbo) return TP_PARSE_MALFORMED; /* RFC 2675, section 3 */
      length = 8;
      if (fragment & 0xfff9)
        key->flags |= TP_KEY_FRAGMENT; /* an atomic fragment is whole: RFC 6946 */
      if (fragment & 0xfff8) key->flags |= TP_KEY_LATER;
    } else if (next == TP_PROTO_AH) {
      length = ((__u32)p[1] + 2) * 4;
      if (length < 12) return TP_PARSE_MALFORMED; /* its fixed fields */
    } else {
      length = ((__u32)p[1] + 1) * 8;
    }
    off += length;
    if (off > c->l3_end) return TP_PARSE_MALFORMED;
    next = p[0];
  }
  if (!done) return TP_PARSE_MALFORMED;
  key->proto = c->proto = next;
  c->offset = off;
  return TP_PARSED;
}

/* RFC 9293, 768, 792, 4443. A first fragment must hold the whole transport header: RFC 7112 for
 * IPv6; for IPv4 a shorter one is the tiny fragment that RFC 1858 has filters discard. */
TP_INLINE int tp_parse_transport(const __u8* data, const __u8* end, struct tp_key* key,
                                 const struct tp_cursor* c) {
  __u32 off = c->offset;
  __u32 need = c->proto == TP_PROTO_TCP      ? 20
               : c->proto == TP_PROTO_UDP    ? 8
               : c->proto == TP_PROTO_ICMP   ? 8
               : c->proto == TP_PROTO_ICMPV6 ? 4
                                             : 0;
  if (!need || key->flags & TP_KEY_LATER) return TP_PARSED;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW || off + need > c->l3_end) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (c->proto == TP_PROTO_TCP) {
    if (p + 20 > end) return TP_PARSE_MALFORMED;
    __u32 header = (__u32)(p[12] >> 4) * 4;
    if (header < 20 || off + header > c->l3_end) return TP_PARSE_MALFORMED;
    key->tcp_flags = p[13];
  } else if (c->proto == TP_PROTO_UDP) {
    if (p + 8 > end) return TP_PARSE_MALFORMED;
    __u32 length = tp_be16(p + 4);
    /* A fragment holds less than the datagram's length; a jumbogram has 0 here. */
    if (length < 8 && !(c->jumbo && length == 0)) return TP_PARSE_MALFORMED;
    if (off + length > c->l3_end && !(key->flags & TP_KEY_FRAGMENT)) return TP_PARSE_MALFORMED;
  } else {
    return TP_PARSED;
  }
  __builtin_memcpy(&key->src_port, p, 4);
  key->flags |= TP_KEY_PORTS;
  return TP_PARSED;
}

/*
 * Reads the frame in [data, end) into *key. `frame_len` (octets) is at least end - data; it is
 * more where only the first segment of a frame is at hand: headers must lie in that segment and in
 * the first TP_PARSE_WINDOW octets. `port` is the ingress port's index. Returns TP_PARSED, or
 * TP_PARSE_MALFORMED with *key undefined.
 */
TP_INLINE int tp_parse(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                       struct tp_key* key) {
  struct tp_cursor c = {TP_ETH_LEN, 0, 0, 0};
  __builtin_memset(key, 0, sizeof(*key));
  if (data + TP_ETH_LEN > end) return TP_PARSE_MALFORMED;
  key->port = port;
  __builtin_memcpy(key->dst_mac, data, 6);
  __builtin_memcpy(key->src_mac, data + 6, 6);
  __u16 type = tp_be16(data + 12);
  if (type == TP_ETH_P_VLAN || type == TP_ETH_P_QINQ) {
    if (data + TP_ETH_LEN + 4 > end) return TP_PARSE_MALFORMED;
    key->flags |= TP_KEY_VLAN;
    key->vlan = tp_be16(data + 14) & 0xfff;
    type = tp_be16(data + 16);
    c.offset = TP_ETH_LEN + 4;
    if (type == TP_ETH_P_VLAN || type == TP_ETH_P_QINQ) {
      if (data + TP_ETH_LEN + 8 > end) return TP_PARSE_MALFORMED;
      key->inner_vlan = tp_be16(data + 18) & 0xfff;
      type = tp_be16(data + 20);
      c.offset = TP_ETH_LEN + 8;
    }
  }
  key->ether_type = type;
  if (type == TP_ETH_P_IPV4) {
    if (tp_parse_ipv4(data, end, frame_len, key, &c)) return TP_PARSE_MALFORMED;
  } else if (type == TP_ETH_P_IPV6) {
    if (tp_parse_ipv6(data, end, frame_len, key, &c)) return TP_PARSE_MALFORMED;
  } else {
    return TP_PARSED;
  }
  return tp_parse_transport(data, end, key, &c);
}

#endif /* TWINPATH_POLICY_PARSE_H_ */
