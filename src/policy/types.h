/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * The data the decision works on. Both datapaths share these structs byte for byte: src/config
 * fills the read-only ones once, and each queue owns its counters and stream states. No thread runs
 * here; every field says who writes it.
 */
#ifndef TWINPATH_POLICY_TYPES_H_
#define TWINPATH_POLICY_TYPES_H_

#include <linux/types.h>

#ifdef __cplusplus
#define TP_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define TP_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* The verifier sees one flat program only when every stage is inlined; the DPDK worker wants the
 * same. */
#define TP_INLINE static inline __attribute__((always_inline))
#define TP_LIKELY(x) __builtin_expect(!!(x), 1)
#define TP_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* TP_OPAQUE hides from the compiler what it knows about a scalar, so that a bound is checked where
 * it is used: the verifier does not follow the compiler's reasoning. TP_FORGET makes the verifier,
 * too, forget what it knows about a 64-bit scalar (it does not look into a byte swap), so that the
 * ways by which a program can reach a point become one, and are verified once. Neither changes the
 * value; outside BPF both are nothing. */
#ifdef __bpf__
#define TP_OPAQUE(scalar) __asm__ volatile("" : "+r"(scalar))
#define TP_FORGET(scalar) __asm__ volatile("%0 = be64 %0\n\t%0 = be64 %0" : "+r"(scalar))
#else
#define TP_OPAQUE(scalar) \
  do {                    \
  } while (0)
#define TP_FORGET(scalar) \
  do {                    \
  } while (0)
#endif

enum {
  TP_MAX_PORTS = 16,       /* ports a policy may name */
  TP_MAX_RULES = 65535,    /* rules, the default included */
  TP_MAX_SHAPES = 256,     /* distinct masks of match that one port may have to try */
  TP_MAX_ENTRIES = 262144, /* exact keys after port ranges became prefixes */
  TP_BUCKET_SLOTS = 5,     /* with the count, one cache line */
  TP_MAX_PROBES = 4,       /* buckets looked at for one shape */
  TP_KEY_WORDS = 8,
  TP_PARSE_WINDOW = 1024, /* octets from the start of the frame that headers may take */
  TP_MAX_EXTENSIONS = 8,  /* IPv6 extension headers walked; RFC 8883 lets a node give up */
  TP_MAX_CHAIN = 16,      /* rules of the same match, all but the last with a condition */
  TP_MAX_RUNS = 65536,    /* over all sequences of a policy */
  TP_FLOW_WAYS = 8,       /* flows in a bucket; each has two buckets to be in */
  TP_REGION_BUCKETS = 64, /* that one lock serves */
};

/* What became of a packet. On every queue, at rest, received packets are the sum over all verdicts.
 */
enum tp_verdict {
  TP_TX = 0,        /* left by a port (forwarded, or reflected) */
  TP_PASS = 1,      /* handed to the kernel */
  TP_LOST = 2,      /* taken by the loss model */
  TP_DENIED = 3,    /* "forward": "drop" */
  TP_MALFORMED = 4, /* headers cut short, or contradicting the frame */
  TP_TX_FULL = 5,   /* was to be sent or passed, but the queue would not take it */
  TP_NO_PORT = 6,   /* its port is not there */
  TP_VERDICTS = 7,
};

/* Where a packet that was not lost goes. */
enum tp_action {
  TP_ACTION_PASS = 0,
  TP_ACTION_DROP = 1,
  TP_ACTION_REFLECT = 2,
  TP_ACTION_PORT = 3,
};

/* Whose packets a rule's loss numbers. */
enum tp_loss_kind {
  TP_LOSS_NONE = 0,   /* loses nothing, exactly */
  TP_LOSS_ALL = 1,    /* loses everything, exactly */
  TP_LOSS_STREAM = 2, /* by its model, one stream for each port and queue */
  TP_LOSS_FLOW = 3,   /* by its model, one stream for each flow */
  TP_LOSS_PACKET = 4, /* none: at random, by a keyed hash of the packet */
};

/* How the packets of one stream are lost: see model.h. */
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
  TP_RULE_COUNTED = 8,   /* holds for so many packets of each port and queue */
  TP_RULE_SHARE = 16,    /* holds for a share of the flows */
  TP_RULE_CONDITIONS = TP_RULE_TIMED | TP_RULE_COUNTED | TP_RULE_SHARE,
};

/* No rule, or no link. */
#define TP_NO_RULE 0xffffffffU

/* In a bucket, in a rule's place: the index of a link. */
#define TP_CHAIN 0x80000000U

/* tp_key.flags */
enum {
  TP_KEY_IP = 1,       /* ip_version, proto and the addresses hold */
  TP_KEY_PORTS = 2,    /* TCP or UDP header seen: src_port and dst_port hold */
  TP_KEY_VLAN = 4,     /* at least one tag */
  TP_KEY_FRAGMENT = 8, /* any fragment of a datagram */
  TP_KEY_LATER = 16,   /* a fragment other than the first: no transport header in it */
  TP_KEY_INNER = 32,   /* at least two tags */
};

/* The words a key is hashed and compared by. */
typedef __u64 __attribute__((may_alias)) tp_u64_alias;

/*
 * What the parser read: a packet's headers in one cache line, zero where there is none. Addresses
 * and transport ports are in network order, all else in the host's. Both IPv4 addresses share word
 * 3, so that a five-tuple touches three words.
 */
struct tp_key {
  __u8 port; /* ingress, index into the policy's ports */
  __u8 ip_version;
  __u8 proto; /* upper-layer protocol, behind IPv6 extension headers */
  __u8 flags;
  __u16 ether_type; /* behind the VLAN tags */
  __u16 vlan;       /* VID of the outer tag */
  __u8 dst_mac[6];
  __u16 inner_vlan; /* VID of the second tag */
  __u8 src_mac[6];
  __u8 dscp_ecn; /* IPv4 TOS or IPv6 traffic class octet */
  __u8 tcp_flags;
  __u8 address[32]; /* v4: source 0-3, destination 4-7; v6: source 0-15, destination 16-31 */
  __u16 src_port;
  __u16 dst_port;
  __u16 length; /* of the frame in octets; 65535 for that and more */
  __u16 shape;  /* in a packet's key, where the octets behind the IP headers begin (0: no IP), which
                   no match asks for; in an entry, the shape it belongs to */
} __attribute__((aligned(8)));
TP_STATIC_ASSERT(sizeof(struct tp_key) == 64, "one cache line");

/* Which words of the key somebody looks at: a set of these. The parser writes whole words; of word
 * 7 only the ports, unless TP_WORD_LENGTH asks for its other half, too. */
#define TP_WORD(i) (1U << (i))
#define TP_WORD_LENGTH TP_WORD(TP_KEY_WORDS)
#define TP_ALL_WORDS ((TP_WORD_LENGTH << 1) - 1)
#define TP_LOW48 0xffffffffffffULL
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the key's words are put together for little-endian machines"
#endif

/* One distinct mask of match: every rule that looks at the same bits of the same fields has the
 * same shape. Written by src/config, read-only afterwards. A port's plan owns a run of these. */
struct tp_shape {
  struct tp_key mask; /* mask.shape holds the shape's number, not a mask */
  __u32 min_rule;     /* no rule of this shape that this port can meet stands before it */
  __u32 padding[3];
};
TP_STATIC_ASSERT(sizeof(struct tp_shape) == 80, "shared with BPF");

/* One cache line of the hash table over all shapes. A tag of 0 is an empty slot; slots fill from 0.
 */
struct tp_bucket {
  __u32 tag[TP_BUCKET_SLOTS];
  __u32 entry[TP_BUCKET_SLOTS]; /* index into the entries */
  __u32 rule[TP_BUCKET_SLOTS];
  __u32 used;
};
TP_STATIC_ASSERT(sizeof(struct tp_bucket) == 64, "one cache line");

/* One rule, read-only. Rules are in order; the last is the default. */
struct tp_rule {
  __u64 key_a, key_b; /* of its streams: from the seed and the rule's name */
  __u64 threshold;    /* TP_MODEL_RANDOM: lost iff draw < threshold, of 2^64 */
  __u8 loss;          /* enum tp_loss_kind */
  __u8 action;        /* enum tp_action */
  __u8 out_port;      /* TP_ACTION_PORT: index into the policy's ports */
  __u8 flags;         /* TP_RULE_... */
  __u8 model;         /* enum tp_model_kind */
  __u8 padding[3];
  __u32 detail; /* index of its tp_detail; 0, which is nobody's, where it needs none */
  __u32 slot;   /* of its streams among a queue's, where that is not the rule's own number */
  __u64 epoch;  /* tells its flows from those it had before its loss was changed */
};
TP_STATIC_ASSERT(sizeof(struct tp_rule) == 48, "shared with BPF");

/* What few rules have, read-only: the parameters of a model other than random, and conditions. */
struct tp_detail {
  __u64 value[8]; /* of the model: see model.h */
  __u64 always;   /* bit i: the probability value[i] is exactly 1 */
  /* TP_RULE_TIMED, in nanoseconds of the datapath's clock: holds from `origin + from` on, for
   * `length` (0: without end), and again after each `every` (0: once). */
  __u64 origin, from, length, every;
  __u64 packets; /* TP_RULE_COUNTED */
  __u64 share;   /* TP_RULE_SHARE: of 2^64 */
  __u64 padding;
};
TP_STATIC_ASSERT(sizeof(struct tp_detail) == 128, "shared with BPF");

/* The next rule to try for a key whose earlier rules have conditions; read-only. */
struct tp_link {
  __u32 rule;
  __u32 next; /* link, or TP_NO_RULE */
};

/* Of a sequence, read-only, in order: packets 64 * w to 64 * w + 63 are lost as `bits` say, for
 * every w from `first` to `last`. */
struct tp_run {
  __u64 first, last, bits;
};

/* How one ingress port is decided, read-only. */
struct tp_plan {
  __u64 port_key;    /* of its streams: from the port's name */
  __u32 first_shape; /* of the shapes that are tried for this port, in order of min_rule */
  __u32 n_shapes;
  __u32 fallback; /* the rule that takes what no shape took */
  __u32 looks;    /* 0: nothing in a frame can change its verdict, and none is looked into */
};
TP_STATIC_ASSERT(sizeof(struct tp_plan) == 24, "shared with BPF");

/*
 * One stream, with the counts of its rule: a rule on one queue of one port. One writer, the queue's
 * (XDP in generic mode: several, by atomic adds); read by anyone. What a packet needs of its rule
 * is copied here, so that deciding touches one cache line.
 */
struct tp_state {
  __u64 key_a, key_b; /* set once */
  __u64 n;            /* packets matched so far; the next one's number in the stream */
  __u64 mask;         /* fates of packets n & ~63 up to n | 63; holds while n & 63 != 0 */
  __u64 lost_packets;
  __u64 matched_bytes;
  __u64 lost_bytes;
  __u8 loss, action, out_port; /* the rule's, set once */
  __u8 chain;                  /* where the model's chain is when the next block begins */
  __u32 rule;                  /* set once */
};
TP_STATIC_ASSERT(sizeof(struct tp_state) == 64, "one cache line");

struct tp_count {
  __u64 packets;
  __u64 bytes; /* of the frame, without preamble and checksum */
};

/* One queue of one port. One writer, as above. What was sent is counted by the port it left by. */
struct tp_queue_counters {
  struct tp_count rx;
  struct tp_count verdict[TP_VERDICTS]; /* by enum tp_verdict; [TP_TX] stays 0: see tx */
  struct tp_count tx[TP_MAX_PORTS];
} __attribute__((aligned(64)));
TP_STATIC_ASSERT(sizeof(struct tp_queue_counters) == 384, "shared with BPF");

/* What few policies count, beside these. One writer, as above. */
struct tp_queue_extras {
  struct tp_count marked; /* CE set instead of lost; their verdict is another */
  __u64 flows_added;      /* flows that were new */
  __u64 flows_evicted;    /* flows that had to go for them: the longest idle of where they fit */
};

/* One flow's stream, wherever its packets come in. Written under the lock of its region. */
struct tp_flow {
  __u64 key;     /* who it is: flow, rule and epoch in one number; 0: a free place */
  __u64 n;       /* as in tp_state, */
  __u64 mask;    /* this, */
  __u32 chain;   /* and this */
  __u32 used_at; /* when last, by the region's count of its packets */
};

/* Two flows a cache line, so that a flow is found by one. */
struct tp_flow_bucket {
  struct tp_flow flow[TP_FLOW_WAYS];
} __attribute__((aligned(64)));
TP_STATIC_ASSERT(sizeof(struct tp_flow_bucket) == 256, "shared with BPF");

#endif /* TWINPATH_POLICY_TYPES_H_ */
