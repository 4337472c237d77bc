/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Congestion marked instead of made (RFC 3168), as RED and netem's `ecn` do it. Pure; any thread.
 */
#ifndef TWINPATH_POLICY_ECN_H_
#define TWINPATH_POLICY_ECN_H_

#include "packet.h"
#include "parse.h"

enum { TP_ECN_CE = 3 };

/* Sets Congestion Experienced in the frame in [data, end), which `key` was parsed from, and mends
 * the IPv4 checksum (RFC 1624). Returns 1, also where it was set before; 0 and nothing changed
 * where the packet's ends do not know ECN. */
TP_INLINE int tp_mark_ce(const struct tp_key* key, __u8* data, const __u8* end) {
  if (!(key->flags & TP_KEY_IP) || !(key->dscp_ecn & TP_ECN_CE)) return 0;
  if ((key->dscp_ecn & TP_ECN_CE) == TP_ECN_CE) return 1;
  __u8* ip = data + tp_ip_offset(key);
  if (ip + 20 > end) return 0; /* it was parsed: not so */
  if (key->ip_version == 6) {
    ip[1] |= TP_ECN_CE << 4;
    return 1;
  }
  /* The sum of all words grows by what the type of service does. */
  const __u32 more = (__u32)((ip[1] | TP_ECN_CE) - ip[1]);
  __u32 sum = (__u32)(__u16)~tp_be16(ip + 10) + more;
  sum = (sum & 0xffff) + (sum >> 16);
  const __u16 checksum = (__u16)~sum;
  ip[1] |= TP_ECN_CE;
  ip[10] = (__u8)(checksum >> 8);
  ip[11] = (__u8)checksum;
  return 1;
}

#endif /* TWINPATH_POLICY_ECN_H_ */
