/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A lock of a few instructions. The kernel's bpf_spin_lock costs 60 ns per packet, as much as the
 * rest of a flow's decision, because its two helper calls save, disable and restore interrupts. A
 * program also may not call functions while it holds a bpf_spin_lock. The simple lock below is
 * enough because XDP programs run with softirqs disabled, so that no program that takes the lock
 * can interrupt another one on the same CPU. Any CPU.
 */
#ifndef TWINPATH_BPF_LOCK_BPF_H_
#define TWINPATH_BPF_LOCK_BPF_H_

#include "src/policy/types.h"

TP_INLINE int tp_try_lock(__u32* locked) { return __sync_val_compare_and_swap(locked, 0, 1) == 0; }

/* The verifier requires bounded loops: these try a thousand, a million and a thousand million
 * times. The last takes seconds, which is enough: a critical section takes less than a microsecond,
 * unless a hypervisor takes the CPU away meanwhile. These are global functions, so that the
 * verifier checks each of them only once. */
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

/* Returns 0 if the holder does not release the lock in time. */
TP_INLINE int tp_lock(__u32* locked) { return TP_LIKELY(tp_try_lock(locked)) || tp_wait(locked); }

TP_INLINE void tp_unlock(__u32* locked) {
#ifdef __TARGET_ARCH_x86
  /* x86 keeps stores in order, so a plain store is enough. A locked instruction would cost as much
   * as the one that took the lock. */
  __asm__ volatile("" ::: "memory");
  *(volatile __u32*)locked = 0;
#else
  __sync_lock_test_and_set(locked, 0);
#endif
}

#endif /* TWINPATH_BPF_LOCK_BPF_H_ */
