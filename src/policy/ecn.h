/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Marks a packet as having experienced congestion (RFC 3168) instead of losing it, as RED and
 * netem's `ecn` do. Pure; any thread. */
#ifndef TWINPATH_POLICY_ECN_H_
#define TWINPATH_POLICY_ECN_H_

#include "datapath.h"
#include "packet.h"
#include "parse.h"

enum { TP_ECN_CE = 3 };

/* Sets Congestion Experienced in the env's frame, from which `key` was parsed, and updates the IPv4
 * checksum (RFC 1624). Returns 1, also if the codepoint was already set. Returns 0 and changes
 * nothing if the packet's endpoints do not know ECN. */
TP_SUBPROGRAM int tp_mark_ce(tp_env* env, const struct tp_key* key) {
  if (!key) return 0;
  struct tp_datapath room;
  const struct tp_datapath* dp = tp_enter(env, &room, TP_ALL_WORDS, 1);
  if (!(key->flags & TP_KEY_IP) || !(key->dscp_ecn & TP_ECN_CE)) return 0;
  if ((key->dscp_ecn & TP_ECN_CE) == TP_ECN_CE) return 1;
  __u8* ip = dp->data + tp_ip_offset(key);
  if (ip + 20 > dp->end) return 0; /* impossible, because it was parsed */
  if (key->ip_version == 6) {
    ip[1] |= TP_ECN_CE << 4;
    return 1;
  }
  /* The sum of all words grows by the same amount as the type of service. */
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
