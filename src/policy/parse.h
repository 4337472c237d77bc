/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Frame -> key. Reads Ethernet, up to two VLAN tags, IPv4 with options, IPv6 with extension
 * headers, fragments, TCP, UDP, ICMP; never past the end of the frame. Pure; any thread.
 *
 * A frame is malformed when a header that its own fields promise is not whole in it, when a length
 * field contradicts the frame or the least length of the field's own header, or when its headers
 * are more, or further in, than the limits in types.h. A frame that is merely unknown (another
 * EtherType, an IEEE 802.3 length in its place, another protocol) is not malformed: its key has
 * fewer fields.
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

/* Unaligned loads and stores, in the machine's order. In BPF they are plain loads, because clang
 * would load byte by byte, and the machines that run XDP programs load unaligned words. */
#ifdef __bpf__
#define TP_LOAD(name, type)                                         \
  TP_INLINE type name(const __u8* p) {                              \
    return *(const type __attribute__((may_alias))*)(const void*)p; \
  }
#else
#define TP_LOAD(name, type)                     \
  TP_INLINE type name(const __u8* p) {          \
    type value;                                 \
    __builtin_memcpy(&value, p, sizeof(value)); \
    return value;                               \
  }
#endif
TP_LOAD(tp_load16, __u16)
TP_LOAD(tp_load32, __u32)
TP_LOAD(tp_load64, __u64)
#undef TP_LOAD

#ifdef __bpf__
#define TP_STORE(name, type) \
  TP_INLINE void name(__u8* p, type value) { *(type __attribute__((may_alias))*)(void*)p = value; }
#else
#define TP_STORE(name, type) \
  TP_INLINE void name(__u8* p, type value) { __builtin_memcpy(p, &value, sizeof(value)); }
#endif
TP_STORE(tp_store16, __u16)
TP_STORE(tp_store32, __u32)
#undef TP_STORE

TP_INLINE __u16 tp_be16(const __u8* p) { return __builtin_bswap16(tp_load16(p)); }
TP_INLINE __u32 tp_be32(const __u8* p) { return __builtin_bswap32(tp_load32(p)); }

/* Where the parser is, in bytes from the start of the frame, and what it has read so far. These
 * stay in registers: the key is written once, in whole words, because a word that was stored in
 * pieces stalls the load that follows. */
struct tp_cursor {
  __u64 offset; /* of the next header */
  __u64 l3_end; /* what bounds the transport header */
  __u64 jumbo;  /* RFC 2675: the payload length is in an option */
  __u64 flags;  /* TP_KEY_... */
  __u64 ip_version;
  __u64 proto;
  __u64 dscp_ecn;
  __u64 tcp_flags;
  __u64 ports; /* source and destination, in network order */
};

/* TP_KEY_FRAGMENT where any bit of `any` is set, and TP_KEY_LATER where any bit of `later` is; both
 * are below 2^16. Without branches, which would be more ways for the verifier to follow. */
TP_INLINE __u64 tp_fragment_flags(__u64 any, __u64 later) {
  return ((any + 0xffff) >> 16) * TP_KEY_FRAGMENT | ((later + 0xffff) >> 16) * TP_KEY_LATER;
}

/* The half of word 7 that TP_WORD_LENGTH asks for. */
TP_INLINE __u64 tp_length_half(__u32 frame_len, __u64 behind_ip) {
  return (__u64)(frame_len < 65535 ? frame_len : 65535) << 32 | behind_ip << 48;
}

/* RFC 791. */
TP_INLINE int tp_parse_ipv4(const __u8* data, const __u8* end, __u32 frame_len, __u32 words,
                            tp_u64_alias* k, struct tp_cursor* c) {
  __u64 off = c->offset;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (p + 20 > end) return TP_PARSE_MALFORMED;
  __u64 header = (__u64)(p[0] & 15) * 4;
  __u64 total = tp_be16(p + 2);
  __u64 fragment = tp_be16(p + 6);
  if (p[0] >> 4 != 4 || header < 20 || total < header || off + total > frame_len)
    return TP_PARSE_MALFORMED;
  c->ip_version = 4;
  c->flags |= TP_KEY_IP | tp_fragment_flags(fragment & 0x3fff, fragment & 0x1fff);
  c->dscp_ecn = p[1];
  c->proto = p[9];
  if (words & TP_WORD(3)) k[3] = tp_load64(p + 12);
  c->offset = off + header;
  c->l3_end = off + total;
  return TP_PARSED;
}

/* The headers that RFC 8200 and its kin allow before the upper layer. */
TP_INLINE int tp_is_extension(__u32 next) {
  return next == TP_PROTO_HOPOPTS || next == TP_PROTO_ROUTING || next == TP_PROTO_FRAGMENT ||
         next == TP_PROTO_AH || next == TP_PROTO_DSTOPTS || next == TP_PROTO_MOBILITY ||
         next == TP_PROTO_HIP || next == TP_PROTO_SHIM6;
}

/* RFC 8200, section 4; authentication headers: RFC 4302; the limit on headers: RFC 8883. `next` is
 * the type of the first header. */
TP_INLINE int tp_parse_extensions(const __u8* data, const __u8* end, __u32 next,
                                  struct tp_cursor* c) {
  __u64 off = c->offset, flags = 0;
  for (int i = 0; i <= TP_MAX_EXTENSIONS; i++) {
    __u64 length;
    TP_FORGET(off);
    TP_FORGET(flags);
    if (flags & TP_KEY_LATER || !tp_is_extension(next)) { /* a later fragment: payload */
      c->flags |= flags;
      c->proto = next;
      c->offset = off;
      return TP_PARSED;
    }
    if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
    const __u8* p = data + off;
    if (p + 8 > end || off + 8 > c->l3_end) return TP_PARSE_MALFORMED;
    if (next == TP_PROTO_FRAGMENT) {
      __u64 fragment = tp_be16(p + 2);
      if (c->jumbo) return TP_PARSE_MALFORMED; /* RFC 2675, section 3 */
      length = 8;
      /* An atomic fragment is whole: RFC 6946. */
      flags |= tp_fragment_flags(fragment & 0xfff9, fragment & 0xfff8);
    } else if (next == TP_PROTO_AH) {
      length = ((__u64)p[1] + 2) * 4;
      if (length < 12) return TP_PARSE_MALFORMED; /* its fixed fields */
    } else {
      length = ((__u64)p[1] + 1) * 8;
    }
    off += length;
    if (off > c->l3_end) return TP_PARSE_MALFORMED;
    next = p[0];
  }
  return TP_PARSE_MALFORMED;
}

/* RFC 8200; jumbograms: RFC 2675. */
TP_INLINE int tp_parse_ipv6(const __u8* data, const __u8* end, __u32 frame_len, __u32 words,
                            tp_u64_alias* k, struct tp_cursor* c) {
  __u64 off = c->offset;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (p + 40 > end) return TP_PARSE_MALFORMED;
  __u64 payload = tp_be16(p + 4);
  __u32 next = p[6];
  if (p[0] >> 4 != 6) return TP_PARSE_MALFORMED;
  c->jumbo = payload == 0 && next == TP_PROTO_HOPOPTS;
  if (c->jumbo) {
    /* A length of 0 leaves no room for the header that follows, except with a jumbo payload option
     * (type 0xc2), whose alignment of 4n + 2 makes it the first. RFC 2675, sections 2 and 3. */
    if (p + 48 > end || p[42] != 0xc2 || p[43] != 4) return TP_PARSE_MALFORMED;
    payload = tp_be32(p + 44);
    if (payload < 65536) return TP_PARSE_MALFORMED;
  }
  if (off + 40 + payload > frame_len) return TP_PARSE_MALFORMED;
  c->l3_end = off + 40 + payload;
  c->ip_version = 6;
  c->flags |= TP_KEY_IP;
  c->dscp_ecn = (__u8)((__u8)(p[0] << 4) | p[1] >> 4);
  if (words & TP_WORD(3)) k[3] = tp_load64(p + 8);
  if (words & TP_WORD(4)) k[4] = tp_load64(p + 16);
  if (words & TP_WORD(5)) k[5] = tp_load64(p + 24);
  if (words & TP_WORD(6)) k[6] = tp_load64(p + 32);
  c->proto = next;
  c->offset = off + 40;
  if (!tp_is_extension(next)) return TP_PARSED;
  return tp_parse_extensions(data, end, next, c);
}

/* RFC 9293, 768, 792, 4443. A first fragment must hold the whole transport header: RFC 7112 says so
 * for IPv6; for IPv4 a shorter one is the tiny fragment that filters discard by RFC 1858. */
TP_INLINE int tp_parse_transport(const __u8* data, const __u8* end, struct tp_cursor* c) {
  __u64 off = c->offset, proto = c->proto;
  __u64 need = proto == TP_PROTO_UDP      ? 8
               : proto == TP_PROTO_TCP    ? 20
               : proto == TP_PROTO_ICMP   ? 8
               : proto == TP_PROTO_ICMPV6 ? 4
                                          : 0;
  if (!need || c->flags & TP_KEY_LATER) return TP_PARSED;
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW || off + need > c->l3_end) return TP_PARSE_MALFORMED;
  const __u8* p = data + off;
  if (proto == TP_PROTO_UDP) {
    if (p + 8 > end) return TP_PARSE_MALFORMED;
    __u64 length = tp_be16(p + 4);
    /* A fragment holds less than the datagram's length; a jumbogram has 0 here. */
    if (length < 8 && !(c->jumbo && length == 0)) return TP_PARSE_MALFORMED;
    if (off + length > c->l3_end && !(c->flags & TP_KEY_FRAGMENT)) return TP_PARSE_MALFORMED;
  } else if (proto == TP_PROTO_TCP) {
    if (p + 20 > end) return TP_PARSE_MALFORMED;
    __u64 header = (__u64)(p[12] >> 4) * 4;
    if (header < 20 || off + header > c->l3_end) return TP_PARSE_MALFORMED;
    c->tcp_flags = p[13];
  } else {
    return TP_PARSED;
  }
  c->ports = tp_load32(p);
  c->flags |= TP_KEY_PORTS;
  return TP_PARSED;
}

/*
 * Reads the most common frames at once: untagged IPv4 without options, not a fragment, with UDP or
 * TCP, and right in every length. Returns 1, and the key that tp_parse_headers would write. Returns
 * 0 where the frame is anything else, right or malformed; *key is then undefined.
 */
TP_INLINE int tp_parse_common(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                              __u32 words, struct tp_key* key) {
  tp_u64_alias* k = (tp_u64_alias*)key;
  const __u32 l4 = TP_ETH_LEN + 20;
  if (data + l4 + 8 > end) return 0;
  /* EtherType, version, header length and type of service in one load. */
  __u32 type = tp_load32(data + 12);
  if ((type & 0xffffff) != 0x450008) return 0;
  __u64 total = tp_be16(data + 16), tcp_flags = 0;
  if (total + TP_ETH_LEN > frame_len || tp_load16(data + 20) & 0xff3f) return 0;
  __u64 proto = data[23];
  if (proto == TP_PROTO_UDP) {
    __u64 length = tp_be16(data + l4 + 4);
    if (length < 8 || length + 20 > total) return 0;
  } else if (proto == TP_PROTO_TCP) {
    if (data + l4 + 20 > end) return 0;
    __u64 header = (__u64)(data[l4 + 12] >> 4) * 4;
    if (header < 20 || header + 20 > total) return 0;
    if (words & TP_WORD(2)) tcp_flags = data[l4 + 13];
  } else {
    return 0;
  }
  if (words & TP_WORD(0))
    k[0] =
        port | 4 << 8 | proto << 16 | (TP_KEY_IP | TP_KEY_PORTS) << 24 | (__u64)TP_ETH_P_IPV4 << 32;
  if (words & TP_WORD(1)) k[1] = tp_load64(data) & TP_LOW48;
  if (words & TP_WORD(2))
    k[2] = (tp_load64(data + 6) & TP_LOW48) | (__u64)(type >> 24) << 48 | tcp_flags << 56;
  if (words & TP_WORD(3)) k[3] = tp_load64(data + 26);
  if (words & TP_WORD(4)) k[4] = 0;
  if (words & TP_WORD(5)) k[5] = 0;
  if (words & TP_WORD(6)) k[6] = 0;
  if (words & TP_WORD(7))
    k[7] = tp_load32(data + l4) | (words & TP_WORD_LENGTH ? tp_length_half(frame_len, l4) : 0);
  return 1;
}

/*
 * Reads the frame in [data, end) into *key, header by header. `frame_len`, in bytes, is at least
 * end - data; it is more where only the first segment of a frame is at hand. Headers must lie in
 * that segment and in the first TP_PARSE_WINDOW bytes. `port` is the ingress port's index. Of the
 * key, only the words in `words` (TP_WORD of each; a constant where speed matters) are defined; the
 * verdict on the frame does not depend on them. Returns TP_PARSED, or TP_PARSE_MALFORMED with *key
 * undefined.
 */
TP_INLINE int tp_parse_headers(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                               __u32 words, struct tp_key* key) {
  struct tp_cursor c = {TP_ETH_LEN, 0, 0, 0, 0, 0, 0, 0, 0};
  tp_u64_alias* k = (tp_u64_alias*)key;
  __u64 vlan = 0, inner_vlan = 0;
  if (words & TP_WORD(3)) k[3] = 0;
  if (words & TP_WORD(4)) k[4] = 0;
  if (words & TP_WORD(5)) k[5] = 0;
  if (words & TP_WORD(6)) k[6] = 0;
  if (data + TP_ETH_LEN > end) return TP_PARSE_MALFORMED;
  __u32 type = tp_be16(data + 12);
  if (type == TP_ETH_P_VLAN || type == TP_ETH_P_QINQ) {
    if (data + TP_ETH_LEN + 4 > end) return TP_PARSE_MALFORMED;
    c.flags = TP_KEY_VLAN;
    vlan = tp_be16(data + 14) & 0xfff;
    type = tp_be16(data + 16);
    c.offset = TP_ETH_LEN + 4;
    if (type == TP_ETH_P_VLAN || type == TP_ETH_P_QINQ) {
      if (data + TP_ETH_LEN + 8 > end) return TP_PARSE_MALFORMED;
      c.flags |= TP_KEY_INNER;
      inner_vlan = tp_be16(data + 18) & 0xfff;
      type = tp_be16(data + 20);
      c.offset = TP_ETH_LEN + 8;
    }
    TP_FORGET(c.offset);
  }
  if (type == TP_ETH_P_IPV4) {
    if (tp_parse_ipv4(data, end, frame_len, words, k, &c)) return TP_PARSE_MALFORMED;
    if (tp_parse_transport(data, end, &c)) return TP_PARSE_MALFORMED;
  } else if (type == TP_ETH_P_IPV6) {
    if (tp_parse_ipv6(data, end, frame_len, words, k, &c)) return TP_PARSE_MALFORMED;
    if (tp_parse_transport(data, end, &c)) return TP_PARSE_MALFORMED;
  }
  if (words & TP_WORD(0))
    k[0] =
        port | c.ip_version << 8 | c.proto << 16 | c.flags << 24 | (__u64)type << 32 | vlan << 48;
  if (words & TP_WORD(1)) k[1] = (tp_load64(data) & TP_LOW48) | inner_vlan << 48;
  if (words & TP_WORD(2))
    k[2] = (tp_load64(data + 6) & TP_LOW48) | c.dscp_ecn << 48 | c.tcp_flags << 56;
  if (words & TP_WORD(7))
    k[7] = c.ports |
           (words & TP_WORD_LENGTH ? tp_length_half(frame_len, c.flags & TP_KEY_IP ? c.offset : 0)
                                   : 0);
  return TP_PARSED;
}

/* tp_parse_headers, after an attempt by tp_parse_common. */
TP_INLINE int tp_parse_words(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                             __u32 words, struct tp_key* key) {
  if (TP_LIKELY(tp_parse_common(data, end, frame_len, port, words, key))) return TP_PARSED;
  return tp_parse_headers(data, end, frame_len, port, words, key);
}

/* tp_parse_words for the whole key. */
TP_INLINE int tp_parse(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                       struct tp_key* key) {
  return tp_parse_words(data, end, frame_len, port, TP_ALL_WORDS, key);
}

#endif /* TWINPATH_POLICY_PARSE_H_ */
