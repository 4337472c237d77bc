// SPDX-License-Identifier: BSD-3-Clause
/*
 * Numbers each frame and sends it out of an interface. Runs in BPF_PROG_TEST_RUN's live frames
 * mode, which reuses the same frames: what one call writes into a frame is still there in a later
 * call.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/xdp_generator.h"

/* Set before loading. */
const volatile __u32 out_interface = 0;
const volatile __u32 flows = 1;

__u64 next_number = 0;

SEC("xdp")
int generate(struct xdp_md* ctx) {
  __u8* data = (__u8*)(long)ctx->data;
  const __u8* end = (const __u8*)(long)ctx->data_end;
  if (data + GENERATOR_NUMBER + sizeof(__u64) > end) return XDP_ABORTED;
  __u64 number = next_number++;
  *(__u16*)(data + GENERATOR_SOURCE_PORT) =
      bpf_htons((__u16)(GENERATOR_FIRST_PORT + number % flows));
  *(__u64*)(data + GENERATOR_NUMBER) = bpf_cpu_to_be64(number);
  return (int)bpf_redirect(out_interface, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
