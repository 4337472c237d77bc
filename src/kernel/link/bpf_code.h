// SPDX-License-Identifier: BSD-3-Clause
// Instructions of eBPF, by name, for programs of a dozen instructions that need no compiler: see
// linux/bpf.h and the kernel's Documentation/bpf/standardization. Pure; any thread.

#ifndef TWINPATH_KERNEL_LINK_BPF_CODE_H_
#define TWINPATH_KERNEL_LINK_BPF_CODE_H_

#include <linux/bpf.h>

#include <cstdint>

namespace twinpath::bpf_code {

constexpr bpf_insn Make(int code, uint8_t target, uint8_t source, int16_t offset, int value) {
  return {.code = static_cast<__u8>(code),
          .dst_reg = static_cast<__u8>(target & 15),
          .src_reg = static_cast<__u8>(source & 15),
          .off = offset,
          .imm = value};
}

// Loads from the frame, at a fixed offset, in host byte order, to register 0. Register 6 must hold
// the context. A frame that is too short ends the program, which returns 0.
constexpr bpf_insn Load(int size, int offset) {
  return Make(BPF_LD | BPF_ABS | size, 0, 0, 0, offset);
}

// Loads and stores a word of the memory at `address` + `offset`.
constexpr bpf_insn LoadWord(uint8_t target, uint8_t address, int16_t offset) {
  return Make(BPF_LDX | BPF_MEM | BPF_W, target, address, offset, 0);
}
constexpr bpf_insn StoreWord(uint8_t address, int16_t offset, int value) {
  return Make(BPF_ST | BPF_MEM | BPF_W, address, 0, offset, value);
}

// Skips the next `over` instructions if the low 32 bits of a register compare so with `value`.
constexpr bpf_insn JumpWord(int condition, uint8_t compared, int value, int16_t over) {
  return Make(BPF_JMP32 | condition | BPF_K, compared, 0, over, value);
}
// Jumps over `over` instructions if all 64 bits of register 0 meet `condition` with `value`.
constexpr bpf_insn Jump(int condition, int value, int16_t over) {
  return Make(BPF_JMP | condition | BPF_K, BPF_REG_0, 0, over, value);
}

constexpr bpf_insn Set(uint8_t target, int value) {
  return Make(BPF_ALU64 | BPF_MOV | BPF_K, target, 0, 0, value);
}
constexpr bpf_insn Copy(uint8_t target, uint8_t source) {
  return Make(BPF_ALU64 | BPF_MOV | BPF_X, target, source, 0, 0);
}
constexpr bpf_insn Add(uint8_t target, int value) {
  return Make(BPF_ALU64 | BPF_ADD | BPF_K, target, 0, 0, value);
}
// Skips the next `over` instructions if `above` > `below`.
constexpr bpf_insn JumpIfAbove(uint8_t above, uint8_t below, int16_t over) {
  return Make(BPF_JMP | BPF_JGT | BPF_X, above, below, over, 0);
}
constexpr bpf_insn Call(int helper) { return Make(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
constexpr bpf_insn Exit() { return Make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

}  // namespace twinpath::bpf_code

#endif  // TWINPATH_KERNEL_LINK_BPF_CODE_H_
