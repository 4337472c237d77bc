/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The data that the decision works on. All datapaths share these structs byte for byte: src/config
 * fills the read-only ones once, and each queue owns its counters and streams. No thread runs here;
 * every field says who writes it.
 */
#ifndef TWINPATH_POLICY_TYPES_H_
#define TWINPATH_POLICY_TYPES_H_

#include <linux/types.h>

#ifdef __cplusplus
#define TP_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define TP_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/*
 * How a function is compiled:
 * - TP_INLINE: in place. The stages of a decision are one flat piece of code, in an XDP program and
 *   in the DPDK worker.
 * - TP_SUBPROGRAM: in an XDP program a global function, elsewhere in place. The verifier checks a
 *   global function once, instead of once for every path that leads to a call of it. Such a
 * function has at most five parameters; pointers among them may be NULL, and point to memory
 * without pointers. It is weak, so that clang also passes parameters that are not used, because the
 *   verifier requires them.
 * - TP_RARE: on the host a separate function, away from the code that runs for every packet. In an
 *   XDP program only subprograms call it, and it is inlined.
 */
#define TP_INLINE static inline __attribute__((always_inline))
#ifdef __bpf__
#define TP_SUBPROGRAM __attribute__((noinline, weak))
#define TP_RARE TP_INLINE
#else
#define TP_SUBPROGRAM TP_INLINE
#define TP_RARE static __attribute__((noinline, unused))
#endif
#define TP_LIKELY(x) __builtin_expect(!!(x), 1)
#define TP_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* TP_OPAQUE hides a scalar's value range from the compiler, so that a bound is checked where the
 * scalar is used: the verifier cannot follow the compiler's reasoning. TP_FORGET makes the verifier
 * forget the range of a 64-bit scalar (the verifier does not track byte swaps), so that all paths
 * to a point look the same and are verified once. TP_LIMIT tells the verifier that a scalar is at
 * most `most`, a power of two less one: unlike a comparison, the mask is in the register that is
 * used next, which Linux 6.1 needs. None of them changes a value that is in its range;
 * outside BPF they do nothing. */
#ifdef __bpf__
#define TP_OPAQUE(scalar) __asm__ volatile("" : "+r"(scalar))
#define TP_FORGET(scalar) __asm__ volatile("%0 = be64 %0\n\t%0 = be64 %0" : "+r"(scalar))
#define TP_LIMIT(scalar, most) \
  do {                         \
    TP_OPAQUE(scalar);         \
    (scalar) &= (most);        \
  } while (0)
#else
#define TP_LIMIT(scalar, most) \
  do {                         \
  } while (0)
#define TP_OPAQUE(scalar) \
  do {                    \
  } while (0)
#define TP_FORGET(scalar) \
  do {                    \
  } while (0)
#endif

/* Unaligned loads and stores, in the machine's byte order. In BPF they are plain loads, because
 * clang would load byte by byte, although machines that run XDP programs can load unaligned words.
 */
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

enum {
  TP_MAX_PORTS = 16,        /* ports a policy may name */
  TP_MAX_RULES = 65535,     /* rules, including the default */
  TP_MAX_SHAPES = 256,      /* distinct masks of match that one port may have to try */
  TP_MAX_ENTRIES = 262144,  /* exact keys after port ranges became prefixes */
  TP_BUCKET_SLOTS = 5,      /* with the count, one cache line */
  TP_MAX_PROBES = 4,        /* buckets searched for one shape */
  TP_KEY_WORDS = 8,         /* 64-bit words of a tp_key */
  TP_PARSE_WINDOW = 1024,   /* bytes from the start of the frame that headers may take */
  TP_MAX_EXTENSIONS = 8,    /* IPv6 extension headers read; RFC 8883 allows a limit */
  TP_MAX_ALTERNATIVES = 16, /* rules of the same match, all but the last with a condition */
  TP_MAX_INTERVALS = 65536, /* in all sequences of a policy */
  TP_TABLE_WAYS = 8,        /* rows in a bucket of a table: see table.h */
};

/* The final result of a packet. On every queue at rest, the number of received packets is the sum
 * of all verdicts. */
enum tp_verdict {
  TP_TX = 0,        /* left by a port: forwarded, or reflected */
  TP_PASS = 1,      /* handed to the kernel */
  TP_LOST = 2,      /* lost by the rule's loss model */
  TP_DENIED = 3,    /* "forward": "drop", or no request that "reflect-echo" answers */
  TP_MALFORMED = 4, /* dropped as malformed, or too short to reflect: see parse.h */
  TP_TX_FULL = 5,   /* should be sent or passed, but the queue did not accept it */
  TP_NO_PORT = 6,   /* should be sent, but the port does not exist */
  TP_VERDICTS = 7,
};

/* How much of a port's packets is read: the cheapest tier that can decide all of them. The first
 * two tiers are closed: loss by stream, then pass, drop, reflect or port. New features go only into
 * the general tier. */
enum tp_tier {
  TP_TIER_BLIND = 0,   /* one rule matches every packet; no frame is read */
  TP_TIER_HEADERS = 1, /* headers choose the rule */
  TP_TIER_GENERAL = 2, /* rules may use everything: loss by flow or packet, marks, conditions */
};

/* Which packets form one stream of a rule. */
enum tp_loss_kind {
  TP_LOSS_NONE = 0,   /* loses nothing, exactly */
  TP_LOSS_ALL = 1,    /* loses everything, exactly */
  TP_LOSS_STREAM = 2, /* by its model, one stream for each port and queue */
  TP_LOSS_FLOW = 3,   /* by its model, one stream for each flow */
  TP_LOSS_PACKET = 4, /* no stream: at random, by a keyed hash of the packet */
};

/* How packets of one stream are lost: see model.h. */
enum tp_model_kind {
  TP_MODEL_RANDOM = 0,
  TP_MODEL_GILBERT_ELLIOTT = 1,
  TP_MODEL_FOUR_STATE = 2,
  TP_MODEL_PERIODIC = 3,
  TP_MODEL_SEQUENCE = 4,
};

/* tp_rule.flags */
enum {
  TP_RULE_MARKS = 1,     /* ECN-capable packets are marked instead of lost */
  TP_RULE_BOTH_WAYS = 2, /* TP_LOSS_FLOW: both directions are one flow */
  TP_RULE_TIMED = 4,     /* holds at some times */
  TP_RULE_COUNTED = 8,   /* holds for a number of packets of each port and queue */
  TP_RULE_SHARE = 16,    /* holds for a share of the flows */
  TP_RULE_CONDITIONS = TP_RULE_TIMED | TP_RULE_COUNTED | TP_RULE_SHARE,
};

/* No rule, or no further alternative. */
#define TP_NO_RULE 0xffffffffU

/* In tp_bucket.rule, instead of a rule's number: this bit and the number of a tp_alternative. */
#define TP_ALTERNATIVE 0x80000000U

/* tp_key.flags */
enum {
  TP_KEY_IP = 1,         /* ip_version, proto and the addresses are valid */
  TP_KEY_PORTS = 2,      /* a TCP or UDP header was read: src_port and dst_port are valid */
  TP_KEY_VLAN = 4,       /* at least one tag */
  TP_KEY_FRAGMENT = 8,   /* any fragment of a datagram */
  TP_KEY_LATER = 16,     /* a fragment other than the first: no transport header in it */
  TP_KEY_INNER = 32,     /* at least two tags */
  TP_KEY_MALFORMED = 64, /* the frame is cut, or contradicts itself: see parse.h */
  TP_KEY_UNREAD = 128,   /* the headers up to the upper-layer protocol could not be read: proto is
                            unknown; without TP_KEY_FRAGMENT, it may still be a fragment */
};

/* tp_key.vlan if the Ethernet header and its tags could not be read: EtherType, MAC addresses and
 * tags are unknown. */
enum { TP_VLAN_UNREAD = 0x8000 };

/* The first fault that the parser found. A frame that is cut or contradicts itself is malformed. */
enum tp_parse_result {
  TP_PARSED = 0,
  TP_PARSE_CUT = 1,           /* a header, or the datagram, is longer than the frame, or a header is
                                 longer than its first fragment */
  TP_PARSE_CONTRADICTION = 2, /* fields that cannot all be true, in a frame that is long enough */
  TP_PARSE_TOO_DEEP = 3,      /* not a fault: the headers exceed the limits of this file, or the
                                 first segment */
};

TP_INLINE int tp_is_malformed(__u64 result) {
  return result == TP_PARSE_CUT || result == TP_PARSE_CONTRADICTION;
}

/* The words by which a key is hashed and compared. */
typedef __u64 __attribute__((may_alias)) tp_u64_alias;

/*
 * A packet's parsed headers in one cache line. Fields of headers that are missing or could not be
 * read are 0. Addresses and transport ports are in network order, all other fields in host order.
 * Both IPv4 addresses share word 3, so that a five-tuple needs three words.
 */
struct tp_key {
  __u8 port; /* ingress, index into the policy's ports */
  __u8 ip_version;
  __u8 proto; /* upper-layer protocol, after IPv6 extension headers */
  __u8 flags;
  __u16 ether_type; /* after the VLAN tags */
  __u16 vlan;       /* VID of the outer tag; or TP_VLAN_UNREAD */
  __u8 dst_mac[6];
  __u16 inner_vlan; /* VID of the second tag */
  __u8 src_mac[6];
  __u8 dscp_ecn; /* IPv4 TOS or IPv6 traffic class byte */
  __u8 tcp_flags;
  __u8 address[32]; /* v4: source 0-3, destination 4-7; v6: source 0-15, destination 16-31 */
  __u16 src_port;
  __u16 dst_port;
  __u16 length; /* of the frame in bytes; 65535 also for longer frames */
  __u16
      shape; /* in a packet's key, where the bytes behind the IP headers begin that were read (0:
                no IP), which no match asks for; in an entry, the shape that the entry belongs to */
} __attribute__((aligned(8)));
TP_STATIC_ASSERT(sizeof(struct tp_key) == 64, "one cache line");

/* A set of words of the key. The parser writes whole words, except word 7: it writes only the ports
 * there, unless the set also has TP_WORD_LENGTH for the other half. */
#define TP_WORD(i) (1U << (i))
#define TP_WORD_LENGTH TP_WORD(TP_KEY_WORDS)
#define TP_ALL_WORDS ((TP_WORD_LENGTH << 1) - 1)
/* Version, protocol, flags and EtherType; both IPv4 addresses; both ports: five-tuples. */
#define TP_TUPLE_WORDS (TP_WORD(0) | TP_WORD(3) | TP_WORD(7))
#define TP_LOW48 0xffffffffffffULL
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the key's words are assembled for little-endian machines"
#endif

/* One distinct mask of a match: all rules that match the same bits of the same fields have the same
 * shape. Written by src/config, read-only afterwards. Each port's plan has a range of shapes. */
struct tp_shape {
  struct tp_key mask; /* mask.shape is the shape's number, not a mask */
  __u32 min_rule;     /* the first rule of this shape that can match on this port */
  __u32 padding[3];
};
TP_STATIC_ASSERT(sizeof(struct tp_shape) == 80, "shared with BPF");

/* One cache line of the hash table of all shapes. A tag of 0 marks an empty slot; slots fill from
 * 0.
 */
struct tp_bucket {
  __u32 tag[TP_BUCKET_SLOTS];
  __u32 entry[TP_BUCKET_SLOTS]; /* row of the entries */
  __u32 rule[TP_BUCKET_SLOTS];  /* row of the rules, or TP_ALTERNATIVE | row of the alternatives */
  __u32 used;
};
TP_STATIC_ASSERT(sizeof(struct tp_bucket) == 64, "one cache line");

/* One rule, read-only. Rules are in order; the last is the default. */
struct tp_rule {
  __u64 key_a, key_b; /* key of its streams, from the seed and the rule's name */
  __u64 threshold;    /* TP_MODEL_RANDOM: lost iff draw < threshold, of 2^64 */
  __u8 loss;          /* enum tp_loss_kind */
  __u8 action;        /* enum tp_action, of actions.h */
  __u8 out_port;      /* TP_ACTION_PORT: index into the policy's ports */
  __u8 flags;         /* TP_RULE_... */
  __u8 model_kind;    /* enum tp_model_kind */
  __u8 padding1;
  __u16 model; /* row of the models; 0: none */
  __u16 when;  /* row of the whens; 0: none */
  __u16 padding2;
  __u32 slot;  /* of its streams among a queue's, if that is not the rule's own number */
  __u64 epoch; /* distinguishes its flows from those before its loss was changed */
};
TP_STATIC_ASSERT(sizeof(struct tp_rule) == 48, "shared with BPF");

/* The parameters of a model other than random, read-only: see model.h. */
struct tp_model {
  __u64 value[8];
  __u64 always; /* bit i: the probability value[i] is exactly 1 */
};
TP_STATIC_ASSERT(sizeof(struct tp_model) == 72, "shared with BPF");

/* A rule's conditions, read-only. Times are nanoseconds of the datapath's clock. The rule holds
 * from `origin + from` on, for `length` (0: forever), and again after each `every` (0: only once).
 */
struct tp_when {
  __u64 origin, from, length, every; /* TP_RULE_TIMED */
  __u64 packets;                     /* TP_RULE_COUNTED */
  __u64 share;                       /* TP_RULE_SHARE: of 2^64 */
};
TP_STATIC_ASSERT(sizeof(struct tp_when) == 48, "shared with BPF");

/* A rule to try for a key whose earlier rules have conditions; read-only. */
struct tp_alternative {
  __u32 rule;
  __u32 next; /* row of the alternatives, or TP_NO_RULE */
};

/* Part of a sequence, read-only, in order. For every w from `first` to `last`, `bits` are the lost
 * packets among packets 64 * w to 64 * w + 63. */
struct tp_interval {
  __u64 first, last, bits;
};

/* How packets of one ingress port are decided; read-only. */
struct tp_plan {
  __u64 port_key;    /* part of the key of its streams, from the port's name */
  __u32 first_shape; /* the first of this port's shapes, which are in order of min_rule */
  __u32 n_shapes;
  __u32 fallback; /* the rule of packets that match no shape */
  __u32 tier;     /* enum tp_tier */
};
TP_STATIC_ASSERT(sizeof(struct tp_plan) == 24, "shared with BPF");

/* The parts of a rule that the fast tiers need. */
struct tp_terms {
  __u8 loss, action, out_port; /* as in tp_rule */
};

/*
 * One stream: a rule on one queue of one port, with its counts. One writer, the one of the queue
 * (XDP in generic mode: several, by atomic adds); any thread may read. The rule's terms are copied
 * here, so that a decision touches one cache line.
 */
struct tp_state {
  __u64 key_a, key_b; /* set once */
  __u64 n;            /* packets matched so far, and the next packet's number */
  __u64 fates;        /* of packets n & ~63 to n | 63, 1: lost; valid while n & 63 != 0 */
  __u64 lost_packets;
  __u64 matched_bytes;
  __u64 lost_bytes;
  struct tp_terms terms; /* of the rule; set once */
  __u8 markov;           /* the state of the model's Markov chain when the next block begins */
  __u32 rule;            /* set once */
};
TP_STATIC_ASSERT(sizeof(struct tp_state) == 64, "one cache line");

struct tp_count {
  __u64 packets;
  __u64 bytes; /* of the frame, without preamble and checksum */
};

/* The counters of one queue of one port. One writer, as in tp_state. Sent packets are counted by
 * out port. */
struct tp_queue_counters {
  struct tp_count rx;
  struct tp_count verdict[TP_VERDICTS]; /* by enum tp_verdict; [TP_TX] stays 0: see tx */
  struct tp_count tx[TP_MAX_PORTS];
} __attribute__((aligned(64)));
TP_STATIC_ASSERT(sizeof(struct tp_queue_counters) == 384, "shared with BPF");

/* Further counters of a rule on a queue, which few policies need. One writer, as in tp_state. */
struct tp_rule_extras {
  struct tp_count marked;     /* CE set instead of lost */
  struct tp_count unanswered; /* not lost, but not a request that TP_ACTION_REFLECT_ECHO answers */
};

/* Further counters of a queue, which few policies need. One writer, as in tp_state. */
struct tp_queue_extras {
  struct tp_count marked;    /* CE set instead of lost; the packets' verdicts are others */
  __u64 flows_added;         /* flows that were new */
  __u64 flows_evicted;       /* flows that were evicted for new ones: see table.h */
  __u64 checksums_completed; /* transport checksums finished for the sender: see checksum.h */
};

/* One flow's stream, for all ports and queues. A row of a table: see table.h. Written under the
 * lock of its region. */
struct tp_flow {
  __u64 key; /* flow, rule and epoch in one number; 0: a free place */
  __u32 used_at;
  __u32 markov; /* as in tp_state */
  __u64 n;      /* as in tp_state */
  __u64 fates;  /* as in tp_state */
};

/* A cache line has two flows, so that one cache miss finds a flow. */
struct tp_flow_bucket {
  struct tp_flow flow[TP_TABLE_WAYS];
} __attribute__((aligned(64)));
TP_STATIC_ASSERT(sizeof(struct tp_flow_bucket) == 256, "shared with BPF");

#endif /* TWINPATH_POLICY_TYPES_H_ */
