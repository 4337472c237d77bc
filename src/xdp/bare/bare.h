// SPDX-License-Identifier: BSD-3-Clause
// XDP programs without a policy, attached to an interface in native mode as long as the object
// exists. In the calling thread's network namespace; control thread. The perf events of kTwoEvents
// are read by a thread of the object, as dilih's own program does.

#ifndef TWINPATH_XDP_BARE_BARE_H_
#define TWINPATH_XDP_BARE_BARE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "src/xdp/attach/link.h"

struct bare_bpf;
struct perf_buffer;

namespace twinpath {

enum class BareProgram {
  kDrop,
  kPass,
  kRedirect,
  kReflect,    // sends each frame back
  kTwoEvents,  // drops half of the frames at random, redirects the others; two perf events each
};

class BareXdp {
 public:
  // `out` is where kRedirect and kTwoEvents send to; unused by the others. NotFound: there is no
  // such interface.
  static absl::StatusOr<std::unique_ptr<BareXdp>> Attach(BareProgram program,
                                                         const std::string& interface,
                                                         const std::string& out = "");
  ~BareXdp();

  // Packets that kTwoEvents dropped so far; 0 for the others.
  uint64_t Dropped() const;

 private:
  struct Destroy {
    void operator()(bare_bpf* skeleton) const;
    void operator()(perf_buffer* buffer) const;
  };
  BareXdp() = default;
  absl::Status ReadEvents();

  std::unique_ptr<bare_bpf, Destroy> skeleton_;
  std::unique_ptr<perf_buffer, Destroy> events_;
  std::jthread reader_;
  XdpLink link_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_BARE_BARE_H_
