// SPDX-License-Identifier: BSD-3-Clause
// Opens a port's AF_XDP sockets.

#include "src/sockets/af_xdp/xsk_engine.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"
#include "src/kernel/machine.h"
#include "src/kernel/shell_word.h"
#include "src/sockets/af_xdp/redirect.h"
#include "src/sockets/af_xdp/xsk.h"
#include "src/sockets/packet/packet_engine.h"

namespace twinpath {
namespace {

constexpr uint32_t kHeaders = 18;  // Ethernet's, and a VLAN tag's

absl::Status CheckInterface(const PortRequest& request) {
  const std::string name = NameOfLink(request.index);
  const uint32_t queues = Machine().InterfaceRxQueues(name);
  if (queues != request.queues)
    return absl::FailedPreconditionError(
        absl::StrCat("--queues: found ", request.queues, ", allowed ", queues,
                     ": af_xdp has a socket for each RX queue of ", name,
                     " (fewer of them: ethtool -L ", ShellWord(name), ")"));
  if (request.mtu + kHeaders > Xsk::kLongestReceived)
    return absl::FailedPreconditionError(absl::StrCat("the MTU of ", name, " is ", request.mtu,
                                                      " bytes, and af_xdp takes at most ",
                                                      Xsk::kLongestReceived - kHeaders));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PortEnds>> XskEngine::Open(const PortRequest& request) {
  if (absl::Status fits = CheckInterface(request); !fits.ok()) return fits;
  auto redirect = Redirect::Attach(request.index, request.queues, request.mark);
  if (!redirect.ok()) return redirect.status();
  auto ends = std::make_unique<PortEnds>();
  bool zero_copy = true;
  for (uint32_t q = 0; q < request.queues; q++) {
    auto xsk = Xsk::Open(request.index, q);
    if (!xsk.ok()) return xsk.status();
    zero_copy = zero_copy && (*xsk)->zero_copy();
    ends->rx.push_back(std::make_unique<XskRx>(*xsk, *redirect));
    ends->tx.push_back(std::make_unique<XskTx>(*xsk));
  }
  ends->loses_tags = !(*redirect)->native();
  ends->mode = zero_copy ? "zero-copy" : "copy";
  ends->why =
      (*redirect)->native() ? "native XDP" : absl::StrCat("generic XDP: ", (*redirect)->why());
  if (absl::Status opened = OpenEndsToStack(request, ends.get(), (*redirect)->Prefix());
      !opened.ok())
    return opened;
  return ends;
}

}  // namespace twinpath
