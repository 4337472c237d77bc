// SPDX-License-Identifier: BSD-3-Clause
// Programs of the tc classifier (tc-bpf(8)) on interfaces, by bpf(2) and netlink, without libbpf.
// Interfaces are given by their numbers. Any thread; no state.

#ifndef TWINPATH_KERNEL_LINK_CLASSIFIER_H_
#define TWINPATH_KERNEL_LINK_CLASSIFIER_H_

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/classifier_program.h"

namespace twinpath {

enum class ClassifierHook { kIngress, kEgress };

// Loads a program called `name` (at most 15 characters).
absl::StatusOr<FileDescriptor> LoadClassifier(const char* name,
                                              absl::Span<const bpf_insn> instructions);

// Attaches the program before all others of the hook, for as long as the returned descriptor is
// open: the kernel detaches it when its owner is killed. Unimplemented: the kernel cannot (before
// 6.6).
absl::StatusOr<FileDescriptor> LinkClassifier(uint32_t interface, ClassifierHook hook,
                                              const FileDescriptor& program);

// The first program that the hook runs, if it is not that of `link` (as LinkClassifier returns it).
// It may end the chain before that of `link`. Nullopt: that of `link` is the first one, or the
// kernel does not say.
std::optional<ClassifierProgram> FirstOfOthers(uint32_t interface, ClassifierHook hook,
                                               const FileDescriptor& link);

// A clsact qdisc on the interface. AlreadyExists: it has one, or an ingress qdisc.
absl::Status AddClsact(uint32_t interface);
// Removes the qdisc with all its filters, if there is one.
void RemoveClsact(uint32_t interface);

// A filter at a hook of the clsact qdisc that runs the program, and is shown as `name`. It stays
// until it or the qdisc is removed, or the interface disappears. AlreadyExists: the place
// `priority` of this hook is taken.
absl::Status AddFilter(uint32_t interface, ClassifierHook hook, uint16_t priority,
                       const std::string& name, const FileDescriptor& program);
// Removes the filters of this priority at this hook, if there are any.
void RemoveFilter(uint32_t interface, ClassifierHook hook, uint16_t priority);

// Whether a filter of this priority and name is at this hook.
bool FilterNamed(uint32_t interface, ClassifierHook hook, uint16_t priority,
                 const std::string& name);

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_LINK_CLASSIFIER_H_
