// SPDX-License-Identifier: BSD-3-Clause
// pcap_create, pcap_activate.

#include "src/sockets/pcap/pcap_handle.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"
#include "src/sockets/packet/packet_socket.h"

namespace twinpath {
namespace {

constexpr int kTimeoutMs = 1;
constexpr int kSnapLength = 65535 + 18;  // the longest frame that every path takes, and a tag

absl::Status Failure(pcap_t* handle, const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", pcap_geterr(handle)));
}

}  // namespace

absl::StatusOr<PcapHandle> OpenPcap(uint32_t index, int buffer_bytes) {
  const std::string name = NameOfLink(index);
  char error[PCAP_ERRBUF_SIZE] = "";
  PcapHandle handle(pcap_create(name.c_str(), error));
  if (handle == nullptr) return absl::FailedPreconditionError(absl::StrCat("pcap_create: ", error));
  pcap_t* pcap = handle.get();
  // With a time-out the buffer is a ring of blocks (TPACKET_V3), as that of packet_mmap. In
  // immediate mode each frame would take as much of it as the longest one.
  if (pcap_set_snaplen(pcap, kSnapLength) != 0 || pcap_set_timeout(pcap, kTimeoutMs) != 0 ||
      pcap_set_buffer_size(pcap, buffer_bytes) != 0)
    return Failure(pcap, "pcap");
  if (pcap_activate(pcap) < 0) return Failure(pcap, "pcap_activate");
  if (absl::Status none = TakeNothing(pcap_fileno(pcap)); !none.ok()) return none;
  if (pcap_datalink(pcap) != DLT_EN10MB)
    return absl::FailedPreconditionError("libpcap shows no Ethernet headers");
  if (pcap_setnonblock(pcap, 1, error) != 0)
    return absl::FailedPreconditionError(absl::StrCat("pcap_setnonblock: ", error));
  if (pcap_setdirection(pcap, PCAP_D_IN) != 0) return Failure(pcap, "pcap_setdirection");
  const int flags = fcntl(pcap_fileno(pcap), F_GETFL);
  if (flags < 0 || fcntl(pcap_fileno(pcap), F_SETFL, flags | O_NONBLOCK) != 0)
    return absl::ErrnoToStatus(errno, "O_NONBLOCK");
  return handle;
}

}  // namespace twinpath
