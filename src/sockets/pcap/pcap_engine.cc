// SPDX-License-Identifier: BSD-3-Clause
// Opens a port's captures.

#include "src/sockets/pcap/pcap_engine.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/sockets/packet/packet_engine.h"
#include "src/sockets/pcap/pcap_rx.h"
#include "src/sockets/pcap/pcap_tx.h"

namespace twinpath {

absl::StatusOr<std::unique_ptr<PortEnds>> PcapEngine::Open(const PortRequest& request) {
  if (request.queues > 1)
    return absl::UnimplementedError(absl::StrCat(
        "--queues: found ", request.queues,
        ", allowed 1: libpcap does not spread an interface's frames; --engine packet_mmap does"));
  auto ends = std::make_unique<PortEnds>();
  ends->mode = name_;
  ends->why = pcap_lib_version();
  auto rx = PcapRx::Open(request.index, request.mark);
  if (!rx.ok()) return rx.status();
  ends->rx.push_back(*std::move(rx));
  auto tx = PcapTx::Open(request.index);
  if (!tx.ok()) return tx.status();
  ends->tx.push_back(*std::move(tx));
  if (absl::Status opened = OpenEndsToStack(request, ends.get()); !opened.ok()) return opened;
  return ends;
}

absl::Status CheckPfRing() {
  // PF_RING's libpcap comes with libpfring, whose functions it calls.
  const bool library = std::strstr(pcap_lib_version(), "PF_RING") != nullptr ||
                       dlsym(RTLD_DEFAULT, "pfring_open") != nullptr;
  if (!library)
    return absl::FailedPreconditionError(absl::StrCat(
        "--engine pf_ring: the libpcap here is not PF_RING's (", pcap_lib_version(),
        "); install PF_RING and its libpcap (the package pfring of ntop), and see that the "
        "program loads that one: LD_LIBRARY_PATH"));
  if (access("/proc/net/pf_ring", F_OK) != 0)
    return absl::FailedPreconditionError(
        "--engine pf_ring: its kernel module is not loaded: modprobe pf_ring");
  return absl::OkStatus();
}

}  // namespace twinpath
