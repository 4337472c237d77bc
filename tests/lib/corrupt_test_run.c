// SPDX-License-Identifier: BSD-3-Clause
// Preloaded into a program, this library flips one bit of the bytes that the kernel returns for the
// BPF_PROG_TEST_RUN whose number, from 0, is in the environment variable CORRUPT_TEST_RUN_FRAME. A
// test uses it to see that a comparison reports a difference. One thread calls it at a time.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>

typedef long syscall_function(long number, ...);

long syscall(long number, ...) {
  static syscall_function* real;
  static long runs;
  if (!real) *(void**)&real = dlsym(RTLD_NEXT, "syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  const long result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number != SYS_bpf || a[0] != BPF_PROG_TEST_RUN || result != 0) return result;
  const char* frame = getenv("CORRUPT_TEST_RUN_FRAME");
  const union bpf_attr* attributes = (const union bpf_attr*)a[1];
  if (frame && runs++ == atol(frame))
    *(unsigned char*)(unsigned long)attributes->test.data_out ^= 1;
  return result;
}
