// SPDX-License-Identifier: BSD-3-Clause
// A live capture of libpcap (pcap(3)) on one interface. Control thread; afterwards its owner's.

#ifndef TWINPATH_SOCKETS_PCAP_PCAP_HANDLE_H_
#define TWINPATH_SOCKETS_PCAP_PCAP_HANDLE_H_

#include <pcap/pcap.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace twinpath {

struct ClosePcap {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using PcapHandle = std::unique_ptr<pcap_t, ClosePcap>;

// Opens the interface with this number, with a buffer of so many bytes. Its socket does not block,
// and takes nothing yet.
absl::StatusOr<PcapHandle> OpenPcap(uint32_t index, int buffer_bytes);

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PCAP_PCAP_HANDLE_H_
