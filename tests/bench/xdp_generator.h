/* SPDX-License-Identifier: BSD-3-Clause */
/* The offsets of the changing fields in a generated frame: Ethernet, IPv4 without options, UDP. */
#ifndef TWINPATH_TESTS_BENCH_XDP_GENERATOR_H_
#define TWINPATH_TESTS_BENCH_XDP_GENERATOR_H_

enum {
  GENERATOR_SOURCE_PORT = 14 + 20, /* GENERATOR_FIRST_PORT + number modulo flows */
  GENERATOR_NUMBER = 14 + 20 + 8,  /* from 0, 64 bits in network order */
  GENERATOR_FIRST_PORT = 1024,
};

#endif /* TWINPATH_TESTS_BENCH_XDP_GENERATOR_H_ */
