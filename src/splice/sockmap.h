// SPDX-License-Identifier: BSD-3-Clause
// The splicing program and its maps, one set a worker: nothing is pinned, so it all goes away with
// the process, however that ends. Loaded by the control thread, then used by its worker alone.

#ifndef TWINPATH_SPLICE_SOCKMAP_H_
#define TWINPATH_SPLICE_SOCKMAP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/splice_layout.h"

namespace twinpath::splice {

class Sockmap {
 public:
  // Loads the program, with room for so many connections. PermissionDenied names the capabilities
  // that are missing; otherwise Unavailable, with what the kernel said.
  static absl::StatusOr<std::unique_ptr<Sockmap>> Load(uint32_t connections);
  virtual ~Sockmap() = default;

  // Two free slots, of which this is the even one, with flows that pass and count from 0; negative
  // where all are taken.
  virtual int TakePair() = 0;
  // Gives them back; the sockets must be closed before (which takes them out of the map), and
  // their cookies are forgotten.
  virtual void ReturnPair(int first) = 0;
  // Puts a connected socket into a slot. 0, or errno: EOPNOTSUPP where its FIN has come already.
  virtual int Insert(int slot, int fd) = 0;
  virtual tp_splice_flow& flow(int slot) = 0;

  // Readable when flows need user space; -1 is no slot.
  virtual int events_fd() const = 0;
  virtual void TakeEvents(const std::function<void(int slot)>& handle) = 0;
};

// What is missing to load the program: "CAP_BPF and CAP_NET_ADMIN"; empty: nothing is.
std::string MissingCapabilities();

// A flow's words, as the program changes them concurrently.
inline uint64_t Load(const __u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
inline void Store(__u64* word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

}  // namespace twinpath::splice

#endif  // TWINPATH_SPLICE_SOCKMAP_H_
