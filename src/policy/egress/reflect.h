/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * Rewrites frames that go back to their sender: the actions "reflect", "reflect-flow" and
 * "reflect-echo". They do what testpmd's forward modes macswap, 5tswap and icmpecho do (DPDK,
 * Testpmd Application User Guide), with checks of bounds that testpmd leaves out. Every change is
 * in place, within the frame's first segment, and keeps its length. Pure; any thread.
 *
 * Checksums: swapping 16-bit words does not change a sum (RFC 1071, section 2), so the checksums of
 * IPv4, TCP and UDP stay as they were, valid or not. Other changes update the checksum (RFC 1624,
 * equation 3), so that it is valid after the change iff it was valid before.
 */
#ifndef TWINPATH_POLICY_EGRESS_REFLECT_H_
#define TWINPATH_POLICY_EGRESS_REFLECT_H_

#include "src/policy/effects.h"
#include "src/policy/egress/checksum.h"
#include "src/policy/packet.h"
#include "src/policy/parse.h"
#include "src/policy/types.h"

/* "reflect": swaps the MAC addresses of the frame in [data, end). Returns 0, or -1 if the frame has
 * no Ethernet header. */
TP_INLINE int tp_reflect(__u8* data, const __u8* end) {
  if (data + TP_ETH_LEN > end) return -1;
  __u32 dst = tp_load32(data), middle = tp_load32(data + 4), src = tp_load32(data + 8);
  tp_store32(data, middle >> 16 | src << 16);
  tp_store32(data + 4, src >> 16 | dst << 16);
  tp_store32(data + 8, dst >> 16 | middle << 16);
  return 0;
}

TP_INLINE void tp_swap32(__u8* a, __u8* b) {
  const __u32 kept = tp_load32(a);
  tp_store32(a, tp_load32(b));
  tp_store32(b, kept);
}

TP_INLINE void tp_copy128(__u8* to, const __u8* from) {
  for (int i = 0; i < 16; i += 4) tp_store32(to + i, tp_load32(from + i));
}

/*
 * "reflect-flow": swaps the MAC addresses, the IP addresses and the TCP or UDP ports, as far as the
 * parser read them: what a match could match is swapped. VLAN tags stay. A fragment without a
 * transport header has no ports. Ports of SCTP stay, because its CRC32c covers them (RFC 9260,
 * section 6.8). Returns enum tp_fate.
 */
TP_RARE int tp_swap_flow(__u8* data, const __u8* end, const struct tp_key* key) {
  if (tp_reflect(data, end)) return TP_FATE_MALFORMED;
  if (!(key->flags & TP_KEY_IP)) return TP_FATE_FORWARD;
  __u8* ip = data + tp_ip_offset(key);
  if (key->ip_version == 4) {
    if (ip + 20 > end) return TP_FATE_FORWARD; /* impossible, because it was parsed */
    tp_swap32(ip + 12, ip + 16);
  } else {
    if (ip + 40 > end) return TP_FATE_FORWARD; /* impossible, because it was parsed */
    for (int i = 8; i < 24; i += 4) tp_swap32(ip + i, ip + 16 + i);
  }
  __u64 at = key->shape;
  TP_OPAQUE(at);
  if (!(key->flags & TP_KEY_PORTS) || at > TP_PARSE_WINDOW) return TP_FATE_FORWARD;
  __u8* transport = data + at;
  if (transport + 4 > end) return TP_FATE_FORWARD; /* impossible, because it was parsed */
  const __u32 ports = tp_load32(transport);
  tp_store32(transport, ports << 16 | ports >> 16);
  return TP_FATE_FORWARD;
}

/* Whether an IPv4 address, as loaded from a frame, can be that of one host: not 0.0.0.0/8,
 * multicast, reserved or a broadcast. RFC 1122, section 3.2.1.3. */
TP_INLINE int tp_is_host4(__u32 address) {
  const __u32 first = address & 255;
  return first != 0 && first < 224;
}

/* Whether the IPv6 address at `p` can be that of one host: not unspecified or multicast. RFC 4291,
 * section 2. */
TP_INLINE int tp_is_host6(const __u8* p) {
  return p[0] != 0xff && (tp_load64(p) | tp_load64(p + 8)) != 0;
}

/*
 * Addresses the frame to its source. The new source is the MAC address by which answers say that an
 * IP address can be reached: 02:00 (locally administered, unicast), then the last 4 bytes of the IP
 * address. A port's own address would make the same frame different on each path and machine, and
 * this one needs no configuration.
 */
TP_INLINE void tp_answer_to_source(__u8* data, __u32 last_bytes) {
  tp_store32(data, tp_load32(data + 6));
  tp_store16(data + 4, tp_load16(data + 10));
  tp_store16(data + 6, 0x0002);
  tp_store32(data + 8, last_bytes);
}

/* RFC 826. `p` is behind the Ethernet header and its tags. Probes and announcements (RFC 5227,
 * sections 2.1.1 and 2.3) are not answered: their sender would give up its address. */
TP_INLINE int tp_answer_arp(__u8* data, __u8* p, const __u8* end) {
  if (p + 28 > end) return TP_FATE_DENIED;
  /* Ethernet, IPv4, addresses of 6 and 4 bytes, a request: 0001 0800 06 04 0001. */
  if (tp_load64(p) != 0x0100040600080100ULL) return TP_FATE_DENIED;
  const __u32 sender = tp_load32(p + 14), target = tp_load32(p + 24);
  if (!tp_is_host4(sender) || !tp_is_host4(target) || sender == target) return TP_FATE_DENIED;
  tp_answer_to_source(data, target);
  p[7] = 2; /* a reply */
  tp_store32(p + 18, tp_load32(p + 8));
  tp_store16(p + 22, tp_load16(p + 12));
  tp_store16(p + 8, 0x0002);
  tp_store32(p + 10, target);
  tp_store32(p + 14, target);
  tp_store32(p + 24, sender);
  return TP_FATE_FORWARD;
}

/* Replaces a type, code 0, and updates the checksum behind it. `change` is what the sum of all
 * other words that the checksum covers grows by. Types are as loaded from a frame. */
TP_INLINE void tp_set_icmp_type(__u8* icmp, __u16 type, __u64 change) {
  const __u16 checksum = (__u16)~tp_load16(icmp + 2), before = (__u16)~tp_load16(icmp);
  tp_store16(icmp, type);
  tp_store16(icmp + 2, (__u16)~tp_fold_sum(change + checksum + before + type));
}

/* RFC 792; RFC 1122, sections 3.2.2.6 and 3.3.6. A header with options is not answered, because an
 * answer must treat some of them. */
TP_INLINE int tp_answer_echo4(__u8* data, __u8* ip, const __u8* end) {
  if (ip + 28 > end || tp_load16(ip + 20) != 0x0008) return TP_FATE_DENIED;
  if (!tp_is_host4(tp_load32(ip + 12)) || !tp_is_host4(tp_load32(ip + 16)) || data[0] & 1)
    return TP_FATE_DENIED;
  tp_reflect(data, end);
  tp_swap32(ip + 12, ip + 16);
  tp_set_icmp_type(ip + 20, 0, 0);
  /* The checksum of nothing but zeros is 0xffff, which an update cannot know. */
  if (tp_load16(ip + 22) == 0 && tp_load32(ip + 24) == 0) tp_store16(ip + 22, 0xffff);
  return TP_FATE_FORWARD;
}

/* RFC 4861, sections 4.3, 4.4 and 7.2.4, for a solicitation whose only option is the address of its
 * source. A solicitation from the unspecified address (RFC 4862, section 5.4) is not answered,
 * because its sender would give up its address. The answer has the flags Solicited and Override. */
TP_INLINE int tp_answer_neighbor(__u8* data, __u8* ip, const __u8* end) {
  if (ip + 72 > end || tp_be16(ip + 4) != 32 || ip[7] != 255) return TP_FATE_DENIED;
  if (tp_load16(ip + 64) != 0x0101 || !tp_is_host6(ip + 48)) return TP_FATE_DENIED;
  __u64 change = 0;
  for (int i = 0; i < 16; i += 4) /* addresses: the target replaces the destination */
    change += (__u64)tp_load32(ip + 48 + i) + (__u32)~tp_load32(ip + 24 + i);
  for (int i = 0; i < 8; i += 4) change += (__u32)~tp_load32(ip + 64 + i);
  change += (__u32)~tp_load32(ip + 44);
  tp_copy128(ip + 24, ip + 8);
  tp_copy128(ip + 8, ip + 48);
  tp_answer_to_source(data, tp_load32(ip + 60));
  tp_store32(ip + 44, 0x00000060);
  tp_store32(ip + 64, 0x00020102); /* the target's address: 02 01, then 02:00:... */
  tp_store32(ip + 68, tp_load32(ip + 60));
  change += (__u64)tp_load32(ip + 44) + tp_load32(ip + 64) + tp_load32(ip + 68);
  tp_set_icmp_type(ip + 40, 0x0088, change);
  return TP_FATE_FORWARD;
}

/* RFC 4443, section 4. */
TP_INLINE int tp_answer_icmpv6(__u8* data, __u8* ip, const __u8* end) {
  if (ip + 48 > end || tp_be16(ip + 4) < 8 || !tp_is_host6(ip + 8)) return TP_FATE_DENIED;
  const __u16 type = tp_load16(ip + 40);
  if (type == 0x0087) return tp_answer_neighbor(data, ip, end);
  if (type != 0x0080 || !tp_is_host6(ip + 24) || data[0] & 1) return TP_FATE_DENIED;
  tp_reflect(data, end);
  for (int i = 8; i < 24; i += 4) tp_swap32(ip + i, ip + 16 + i);
  tp_set_icmp_type(ip + 40, 0x0081, 0);
  return TP_FATE_FORWARD;
}

/*
 * "reflect-echo": makes a request its own answer. Answers ARP requests for IPv4, ICMP echo requests
 * and, for IPv6, ICMPv6 echo requests and neighbor solicitations, behind up to two VLAN tags, which
 * stay. Any other frame is denied and not changed: fragments, malformed frames, requests with IPv4
 * options or IPv6 extension headers, and requests from or to an address that is not that of one
 * host. TTL and hop limit stay. Returns enum tp_fate.
 */
TP_RARE int tp_answer(__u8* data, const __u8* end, const struct tp_key* key) {
  if (data + TP_ETH_LEN > end) return TP_FATE_MALFORMED;
  if (key->flags & (TP_KEY_MALFORMED | TP_KEY_UNREAD | TP_KEY_FRAGMENT)) return TP_FATE_DENIED;
  const __u64 at = tp_ip_offset(key);
  __u8* p = data + at;
  if (key->ether_type == 0x0806) return tp_answer_arp(data, p, end);
  if (key->ip_version == 4 && key->proto == TP_PROTO_ICMP && key->shape == at + 20)
    return tp_answer_echo4(data, p, end);
  if (key->ip_version == 6 && key->proto == TP_PROTO_ICMPV6 && key->shape == at + 40)
    return tp_answer_icmpv6(data, p, end);
  return TP_FATE_DENIED;
}

#endif /* TWINPATH_POLICY_EGRESS_REFLECT_H_ */
