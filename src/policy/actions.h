/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The list of forward actions: where packets go if they are not lost. Pure; any thread. */
#ifndef TWINPATH_POLICY_ACTIONS_H_
#define TWINPATH_POLICY_ACTIONS_H_

/* Where the packets of an action leave. */
enum tp_leaves_by {
  TP_LEAVES_BY_KERNEL = 0,
  TP_LEAVES_BY_NOTHING = 1,
  TP_LEAVES_BY_INGRESS = 2, /* the port that received them */
  TP_LEAVES_BY_PORT = 3,    /* the port of the rule */
};

/*
 * Each action as X(NAME, word, leaves_by, fast, sentence):
 *
 *   word       in a policy's "forward", and for --forward. An action with a port is written as
 *              {"port": NAME} instead
 *   leaves_by  enum tp_leaves_by, without its prefix
 *   fast       1: the blind and the headers tier know the action. These tiers are closed, so a new
 *              action has 0, and ports whose rules use it get the general tier
 *   sentence   for people; "%s" becomes " the rest" if some packets are lost, "%p" the port's name
 *
 * forward.h carries out the actions.
 */
#define TP_ACTIONS(X)                                                                        \
  X(PASS, "pass", KERNEL, 1, "pass%s to the kernel")                                         \
  X(DROP, "drop", NOTHING, 1, "drop%s")                                                      \
  X(REFLECT, "reflect", INGRESS, 1, "reflect%s out of the same port, MAC addresses swapped") \
  X(PORT, "port", PORT, 1, "send%s out of %p")                                               \
  X(REFLECT_FLOW, "reflect-flow", INGRESS, 0,                                                \
    "reflect%s out of the same port, MAC addresses, IP addresses and ports swapped")         \
  X(REFLECT_ECHO, "reflect-echo", INGRESS, 0,                                                \
    "answer%s out of the same port (ARP, neighbor and echo requests), drop what is none")

/* tp_rule.action */
enum tp_action {
#define TP_ACTION_NUMBER(name, word, leaves_by, fast, sentence) TP_ACTION_##name,
  TP_ACTIONS(TP_ACTION_NUMBER)
#undef TP_ACTION_NUMBER
      TP_ACTION_COUNT,
};

#endif /* TWINPATH_POLICY_ACTIONS_H_ */
