/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Parses a frame into a key. Reads Ethernet, up to two VLAN tags (TPID 0x8100 or 0x88a8), IPv4 with
 * options, IPv6 with extension headers, fragments, TCP, UDP and ICMP; never past the end of the
 * frame. Does not check checksums. Pure; any thread.
 *
 * The parser reads as far as it can: up to the first header that is missing or cannot be right. The
 * key has the fields that were read before, and enum tp_parse_result says why the parser stopped. A
 * header counts as read if its fixed part is there; Ethernet and its tags are one header. A frame
 * that is only unknown (another EtherType, an IEEE 802.3 length, another protocol) counts as read
 * completely: its key has fewer fields.
 */
#ifndef TWINPATH_POLICY_PARSE_H_
#define TWINPATH_POLICY_PARSE_H_

#include "types.h"

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

/* The reason why the bytes up to offset `upto` of a frame are not available. */
TP_INLINE __u64 tp_missing(__u64 upto, __u32 frame_len) {
  return upto > frame_len ? TP_PARSE_CUT : TP_PARSE_TOO_DEEP;
}

/* The reason why a header does not fit into its datagram. A first fragment may end anywhere, but
 * must contain the whole transport header: RFC 7112 requires it for IPv6; for IPv4 a shorter one is
 * the tiny fragment that filters discard by RFC 1858. */
TP_INLINE __u64 tp_beyond_datagram(__u64 flags) {
  return flags & TP_KEY_FRAGMENT ? TP_PARSE_CUT : TP_PARSE_CONTRADICTION;
}

/* The parser's position, in bytes from the start of the frame, and the fields read so far. They
 * stay in registers. The key is written once, in whole words, because a load stalls after its word
 * was stored in pieces. */
struct tp_cursor {
  __u64 offset; /* of the next header */
  int whole;    /* a constant: see tp_walk */
  __u64 l3_end; /* the end of the datagram according to its length; may be beyond the frame */
  __u64 jumbo;  /* RFC 2675: the payload length is in an option */
  __u64 flags;  /* TP_KEY_... */
  __u64 ip_version;
  __u64 proto;
  __u64 dscp_ecn;
  __u64 tcp_flags;
  __u64 ports; /* source and destination, in network order */
};

/* TP_KEY_FRAGMENT if any bit of `any` is set, and TP_KEY_LATER if any bit of `later` is set. Both
 * are below 2^16. Has no branches, because the verifier would have to follow each of them. */
TP_INLINE __u64 tp_fragment_flags(__u64 any, __u64 later) {
  return ((any + 0xffff) >> 16) * TP_KEY_FRAGMENT | ((later + 0xffff) >> 16) * TP_KEY_LATER;
}

/* The half of word 7 that TP_WORD_LENGTH requests. */
TP_INLINE __u64 tp_length_half(__u32 frame_len, __u64 behind_ip) {
  return (__u64)(frame_len < 65535 ? frame_len : 65535) << 32 | behind_ip << 48;
}

/* RFC 9293, 768, 792, 4443. */
TP_INLINE __u64 tp_parse_transport(const __u8* data, const __u8* end, __u32 frame_len,
                                   struct tp_cursor* c) {
  __u64 off = c->offset, proto = c->proto, result = TP_PARSED;
  __u64 need = proto == TP_PROTO_UDP      ? 8
               : proto == TP_PROTO_TCP    ? 20
               : proto == TP_PROTO_ICMP   ? 8
               : proto == TP_PROTO_ICMPV6 ? 4
                                          : 0;
  if (!need || c->flags & TP_KEY_LATER) return TP_PARSED;
  if (off + need > c->l3_end) return tp_beyond_datagram(c->flags);
  TP_OPAQUE(off);
  if (off > TP_PARSE_WINDOW) return tp_missing(off + need, frame_len);
  const __u8* p = data + off;
  if (proto == TP_PROTO_UDP) {
    if (p + 8 > end) return tp_missing(off + 8, frame_len);
    __u64 length = tp_be16(p + 4);
    /* A fragment holds less than the datagram's length; a jumbogram has 0 here. */
    if (length < 8 && !(c->jumbo && length == 0)) return TP_PARSE_CONTRADICTION;
    if (off + length > c->l3_end && !(c->flags & TP_KEY_FRAGMENT)) return TP_PARSE_CONTRADICTION;
  } else if (proto == TP_PROTO_TCP) {
    if (p + 20 > end) return tp_missing(off + 20, frame_len);
    __u64 header = (__u64)(p[12] >> 4) * 4;
    if (header < 20) return TP_PARSE_CONTRADICTION;
    if (off + header > c->l3_end) {
      result = tp_beyond_datagram(c->flags);
      if (result == TP_PARSE_CONTRADICTION) return result;
    }
    c->tcp_flags = p[13];
  } else {
    return TP_PARSED; /* no rule matches its fields */
  }
  c->ports = tp_load32(p);
  c->flags |= TP_KEY_PORTS;
  return result;
}

/* RFC 791. The parsers of headers return enum tp_parse_result. */
TP_INLINE __u64 tp_parse_ipv4(const __u8* data, const __u8* end, __u32 frame_len, __u32 words,
                              tp_u64_alias* k, struct tp_cursor* c) {
  __u64 off = c->offset;
  TP_LIMIT(off, 2 * TP_PARSE_WINDOW - 1); /* at most two tags are in front of it */
  const __u8* p = data + off;
  if (p + 20 > end) return tp_missing(off + 20, frame_len);
  __u64 header = (__u64)(p[0] & 15) * 4;
  __u64 total = tp_be16(p + 2);
  __u64 fragment = tp_be16(p + 6);
  if (p[0] >> 4 != 4 || header < 20 || total < header) return TP_PARSE_CONTRADICTION;
  c->ip_version = 4;
  c->flags |= TP_KEY_IP | tp_fragment_flags(fragment & 0x3fff, fragment & 0x1fff);
  c->dscp_ecn = p[1];
  c->proto = p[9];
  if (words & TP_WORD(3)) k[3] = tp_load64(p + 12);
  c->offset = off + header;
  c->l3_end = off + total;
  if (c->whole && c->l3_end > frame_len) return TP_PARSE_CUT;
  const __u64 result = tp_parse_transport(data, end, frame_len, c);
  return !c->whole && c->l3_end > frame_len ? (__u64)TP_PARSE_CUT : result;
}

/* The headers that RFC 8200 and related RFCs allow before the upper layer. */
TP_INLINE int tp_is_extension(__u32 next) {
  return next == TP_PROTO_HOPOPTS || next == TP_PROTO_ROUTING || next == TP_PROTO_FRAGMENT ||
         next == TP_PROTO_AH || next == TP_PROTO_DSTOPTS || next == TP_PROTO_MOBILITY ||
         next == TP_PROTO_HIP || next == TP_PROTO_SHIM6;
}

/* RFC 8200, section 4; authentication headers: RFC 4302; the limit on headers: RFC 8883. `next` is
 * the type of the first header. */
TP_INLINE __u64 tp_parse_extensions(const __u8* data, const __u8* end, __u32 frame_len, __u32 next,
                                    struct tp_cursor* c) {
  __u64 off = c->offset, flags = 0, result = TP_PARSE_TOO_DEEP;
  for (int i = 0; i <= TP_MAX_EXTENSIONS; i++) {
    __u64 length;
    TP_FORGET(off);
    TP_FORGET(flags);
    if (flags & TP_KEY_LATER || !tp_is_extension(next)) { /* a later fragment: payload */
      c->proto = next;
      result = TP_PARSED;
      break;
    }
    if (off + 8 > c->l3_end) {
      result = tp_beyond_datagram(flags);
      break;
    }
    if (i == TP_MAX_EXTENSIONS || off > TP_PARSE_WINDOW || data + off + 8 > end) {
      result = tp_missing(off + 8, frame_len);
      break;
    }
    const __u8* p = data + off;
    if (next == TP_PROTO_FRAGMENT) {
      __u64 fragment = tp_be16(p + 2);
      length = c->jumbo ? 0 : 8; /* RFC 2675, section 3: no fragment of a jumbogram */
      /* An atomic fragment is whole: RFC 6946. */
      if (length) flags |= tp_fragment_flags(fragment & 0xfff9, fragment & 0xfff8);
    } else if (next == TP_PROTO_AH) {
      length = ((__u64)p[1] + 2) * 4;
      if (length < 12) length = 0; /* its fixed fields */
    } else {
      length = ((__u64)p[1] + 1) * 8;
    }
    if (!length || off + length > c->l3_end) {
      result = tp_beyond_datagram(length ? flags : 0);
      break;
    }
    off += length;
    next = p[0];
  }
  c->flags |= flags | (result ? TP_KEY_UNREAD : 0);
  c->offset = off;
  return result;
}

/* RFC 2675, sections 2 and 3. A length of 0 leaves no room for the hop-by-hop header that follows
 * the IPv6 header at `p`, except with a jumbo payload option (type 0xc2), whose alignment of 4n + 2
 * makes it the first. */
TP_INLINE __u64 tp_parse_jumbo(const __u8* p, const __u8* end, __u64 off, __u32 frame_len,
                               struct tp_cursor* c) {
  c->flags |= TP_KEY_UNREAD;
  if (p + 48 > end) return tp_missing(off + 48, frame_len);
  if (p[42] != 0xc2 || p[43] != 4 || tp_be32(p + 44) < 65536) return TP_PARSE_CONTRADICTION;
  c->flags &= ~(__u64)TP_KEY_UNREAD;
  c->l3_end = off + 40 + tp_be32(p + 44);
  return TP_PARSED;
}

/* RFC 8200. */
TP_INLINE __u64 tp_parse_ipv6(const __u8* data, const __u8* end, __u32 frame_len, __u32 words,
                              tp_u64_alias* k, struct tp_cursor* c) {
  __u64 off = c->offset, result = TP_PARSED;
  TP_LIMIT(off, 2 * TP_PARSE_WINDOW - 1); /* at most two tags are in front of it */
  const __u8* p = data + off;
  if (p + 40 > end) return tp_missing(off + 40, frame_len);
  __u64 payload = tp_be16(p + 4);
  __u32 next = p[6];
  if (p[0] >> 4 != 6) return TP_PARSE_CONTRADICTION;
  c->ip_version = 6;
  c->flags |= TP_KEY_IP;
  c->dscp_ecn = (__u8)((__u8)(p[0] << 4) | p[1] >> 4);
  if (words & TP_WORD(3)) k[3] = tp_load64(p + 8);
  if (words & TP_WORD(4)) k[4] = tp_load64(p + 16);
  if (words & TP_WORD(5)) k[5] = tp_load64(p + 24);
  if (words & TP_WORD(6)) k[6] = tp_load64(p + 32);
  c->offset = off + 40;
  c->l3_end = off + 40 + payload;
  c->jumbo = payload == 0 && next == TP_PROTO_HOPOPTS;
  if (c->jumbo) {
    result = tp_parse_jumbo(p, end, off, frame_len, c);
    if (result) return result;
  }
  if (c->whole && c->l3_end > frame_len) return TP_PARSE_CUT;
  if (tp_is_extension(next)) {
    result = tp_parse_extensions(data, end, frame_len, next, c);
    if (c->whole && result) return result;
  } else {
    c->proto = next;
  }
  if (!result) result = tp_parse_transport(data, end, frame_len, c);
  return !c->whole && c->l3_end > frame_len ? (__u64)TP_PARSE_CUT : result;
}

/*
 * Reads the most common frames quickly: untagged IPv4 without options, not a fragment, with UDP or
 * TCP, and with correct lengths. Returns 1 and writes the key that tp_parse_headers would write.
 * Returns 0 for all other frames; *key is then undefined.
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

/* The fields in front of the IP header. */
struct tp_link {
  __u64 type; /* EtherType behind the tags */
  __u64 vlan, inner_vlan;
  __u64 flags; /* TP_KEY_... */
  __u64 length;
};

/* Returns 0, or, if the frame is too short, the number of bytes that the Ethernet header and its
 * tags need. */
TP_INLINE __u32 tp_parse_link(const __u8* data, const __u8* end, struct tp_link* link) {
  link->length = TP_ETH_LEN;
  if (data + TP_ETH_LEN > end) return TP_ETH_LEN;
  link->type = tp_be16(data + 12);
  if (TP_LIKELY(link->type != TP_ETH_P_VLAN && link->type != TP_ETH_P_QINQ)) return 0;
  if (data + TP_ETH_LEN + 4 > end) return TP_ETH_LEN + 4;
  link->flags = TP_KEY_VLAN;
  link->vlan = tp_be16(data + 14) & 0xfff;
  link->type = tp_be16(data + 16);
  link->length = TP_ETH_LEN + 4;
  if (link->type == TP_ETH_P_VLAN || link->type == TP_ETH_P_QINQ) {
    if (data + TP_ETH_LEN + 8 > end) return TP_ETH_LEN + 8;
    link->flags |= TP_KEY_INNER;
    link->inner_vlan = tp_be16(data + 18) & 0xfff;
    link->type = tp_be16(data + 20);
    link->length = TP_ETH_LEN + 8;
  }
  TP_FORGET(link->length);
  return 0;
}

/* tp_parse_headers. `whole` is a constant; if it is 1, *key is defined only for TP_PARSED. */
TP_INLINE int tp_walk(const __u8* data, const __u8* end, __u32 frame_len, __u8 port, __u32 words,
                      struct tp_key* key, int whole) {
  tp_u64_alias* k = (tp_u64_alias*)key;
  struct tp_link link = {0, 0, 0, 0, 0};
  __u64 result = TP_PARSED;
  if (words & TP_WORD(3)) k[3] = 0;
  if (words & TP_WORD(4)) k[4] = 0;
  if (words & TP_WORD(5)) k[5] = 0;
  if (words & TP_WORD(6)) k[6] = 0;
  const __u32 missing = tp_parse_link(data, end, &link);
  if (TP_UNLIKELY(missing)) {
    result = tp_missing(missing, frame_len);
    if (whole) return (int)result;
    const __u64 malformed = tp_is_malformed(result) ? TP_KEY_MALFORMED : 0;
    if (words & TP_WORD(0))
      k[0] = port | (TP_KEY_UNREAD | malformed) << 24 | (__u64)TP_VLAN_UNREAD << 48;
    if (words & TP_WORD(1)) k[1] = 0;
    if (words & TP_WORD(2)) k[2] = 0;
    if (words & TP_WORD(7)) k[7] = words & TP_WORD_LENGTH ? tp_length_half(frame_len, 0) : 0;
    return (int)result;
  }
  struct tp_cursor c = {link.length, whole, 0, 0, link.flags, 0, 0, 0, 0, 0};
  if (link.type == TP_ETH_P_IPV4) {
    result = tp_parse_ipv4(data, end, frame_len, words, k, &c);
    if (whole && result) return (int)result;
  } else if (link.type == TP_ETH_P_IPV6) {
    result = tp_parse_ipv6(data, end, frame_len, words, k, &c);
    if (whole && result) return (int)result;
  }
  TP_FORGET(result);
  if (!whole && result) {
    if (tp_is_malformed(result)) c.flags |= TP_KEY_MALFORMED;
    if (!(c.flags & TP_KEY_IP)) c.flags |= TP_KEY_UNREAD;
  }
  if (words & TP_WORD(0))
    k[0] = port | c.ip_version << 8 | c.proto << 16 | c.flags << 24 | link.type << 32 |
           link.vlan << 48;
  if (words & TP_WORD(1)) k[1] = (tp_load64(data) & TP_LOW48) | link.inner_vlan << 48;
  if (words & TP_WORD(2))
    k[2] = (tp_load64(data + 6) & TP_LOW48) | c.dscp_ecn << 48 | c.tcp_flags << 56;
  if (words & TP_WORD(7))
    k[7] = c.ports |
           (words & TP_WORD_LENGTH ? tp_length_half(frame_len, c.flags & TP_KEY_IP ? c.offset : 0)
                                   : 0);
  return (int)result;
}

TP_RARE int tp_walk_as_far(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                           __u32 words, struct tp_key* key) {
  return tp_walk(data, end, frame_len, port, words, key, 0);
}

/*
 * Reads the frame in [data, end) into *key, header by header, as far as it can. `frame_len` is the
 * length of the whole frame in bytes; [data, end) may be only its first segment. Headers must be in
 * that segment and start in the first TP_PARSE_WINDOW bytes. `port` is the ingress port's index.
 * Only the key's words in `words` (a set of TP_WORD; a constant where speed matters) are defined;
 * the result does not depend on `words`. Returns enum tp_parse_result; *key is defined in any case.
 */
TP_INLINE int tp_parse_headers(const __u8* data, const __u8* end, __u32 frame_len, __u8 port,
                               __u32 words, struct tp_key* key) {
#ifdef __bpf__
  return tp_walk(data, end, frame_len, port, words, key, 0);
#else
  /* The first attempt gives up at the first fault, which needs fewer registers. */
  if (TP_LIKELY(!tp_walk(data, end, frame_len, port, words, key, 1))) return TP_PARSED;
  return tp_walk_as_far(data, end, frame_len, port, words, key);
#endif
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
