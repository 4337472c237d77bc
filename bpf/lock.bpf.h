/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A lock of a few instructions. The kernel's bpf_spin_lock is two helper calls that save, disable
 * and restore interrupts: 60 ns a packet, as much as all the rest of a flow's decision; and nothing
 * may be called while it is held. This lock needs what XDP gives: no program that takes it is
 * interrupted on its CPU by another that does, because both run with softirqs off. Any CPU.
 */
#ifndef TWINPATH_BPF_LOCK_BPF_H_
#define TWINPATH_BPF_LOCK_BPF_H_

#include "src/policy/types.h"

TP_INLINE int tp_try_lock(__u32* locked) { return __sync_val_compare_and_swap(locked, 0, 1) == 0; }

/* The verifier asks for an end: these try a thousand times, a million times and a thousand million
 * times. The last takes seconds, for critical sections of less than a microsecond and CPUs that a
 * hypervisor takes away in between. They are global functions, so that the verifier follows each
 * once. */
__attribute__((noinline)) int tp_wait_briefly(__u32* locked) {
  if (!locked) return 0;
  for (int i = 0; i < 1000; i++) {
    if (*(volatile __u32*)locked) continue;
    if (tp_try_lock(locked)) return 1;
  }
  return 0;
}
__attribute__((noinline)) int tp_wait_longer(__u32* locked) {
  if (!locked) return 0;
  for (int i = 0; i < 1000; i++)
    if (tp_wait_briefly(locked)) return 1;
  return 0;
}
__attribute__((noinline)) int tp_wait(__u32* locked) {
  if (!locked) return 0;
  for (int i = 0; i < 1000; i++)
    if (tp_wait_longer(locked)) return 1;
  return 0;
}

/* Returns 0 where the holder does not give it back. */
TP_INLINE int tp_lock(__u32* locked) { return TP_LIKELY(tp_try_lock(locked)) || tp_wait(locked); }

TP_INLINE void tp_unlock(__u32* locked) {
#ifdef __TARGET_ARCH_x86
  /* Stores stay in order there; a locked instruction costs as much as the one that took it. */
  __asm__ volatile("" ::: "memory");
  *(volatile __u32*)locked = 0;
#else
  __sync_lock_test_and_set(locked, 0);
#endif
}

#endif /* TWINPATH_BPF_LOCK_BPF_H_ */
