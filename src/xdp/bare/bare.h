// SPDX-License-Identifier: BSD-3-Clause
// XDP programs without a policy, attached to an interface in native mode as long as the object
// exists. In the calling thread's network namespace; control thread.

#ifndef TWINPATH_XDP_BARE_BARE_H_
#define TWINPATH_XDP_BARE_BARE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/xdp/attach/link.h"

struct bare_bpf;

namespace twinpath {

enum class BareProgram { kDrop, kPass, kRedirect };

class BareXdp {
 public:
  // `out` is where kRedirect sends to; unused by the others. NotFound: there is no such interface.
  static absl::StatusOr<std::unique_ptr<BareXdp>> Attach(BareProgram program,
                                                         const std::string& interface,
                                                         const std::string& out = "");
  ~BareXdp();

 private:
  struct Destroy {
    void operator()(bare_bpf* skeleton) const;
  };
  BareXdp() = default;
  std::unique_ptr<bare_bpf, Destroy> skeleton_;
  XdpLink link_;
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_BARE_BARE_H_
