// SPDX-License-Identifier: BSD-3-Clause
// The splicing BPF program and its maps; each worker has its own. Nothing is pinned, so the kernel
// frees everything when the process ends, in whatever way. Loaded by the control thread, then used
// only by the worker's thread.

#ifndef TWINPATH_SPLICE_FORWARD_SOCKMAP_H_
#define TWINPATH_SPLICE_FORWARD_SOCKMAP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/splice_layout.h"

namespace twinpath::splice {

class Sockmap {
 public:
  // Loads the program with room for `connections`. PermissionDenied names the missing capabilities;
  // other errors are Unavailable with the kernel's reason.
  static absl::StatusOr<std::unique_ptr<Sockmap>> Load(uint32_t connections);
  virtual ~Sockmap() = default;

  // Reserves two slots and returns the even one; negative if none is free. Both flows pass and
  // count from 0.
  virtual int TakePair() = 0;
  // Frees the pair and forgets its sockets' cookies. The sockets must have been closed, which
  // removes them from the map.
  virtual void ReturnPair(int even_slot) = 0;
  // Puts a connected socket into a slot. Returns 0 or an errno value; EOPNOTSUPP: the socket's FIN
  // has already arrived.
  virtual int Insert(int slot, int fd) = 0;
  virtual tp_splice_flow& flow(int slot) = 0;

  // Readable when flows need user space.
  virtual int events_fd() const = 0;
  // Calls `handle` with the slot of each such flow.
  virtual void TakeEvents(const std::function<void(int slot)>& handle) = 0;
};

// The capabilities that this process lacks to load the program: "CAP_BPF and CAP_NET_ADMIN". Empty:
// none.
std::string MissingCapabilities();

// Reads and writes a word of a flow that the program changes at the same time.
inline uint64_t Load(const __u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
inline void Store(__u64* word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_FORWARD_SOCKMAP_H_
