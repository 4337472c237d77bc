// SPDX-License-Identifier: BSD-3-Clause
// The engine pcap: libpcap in and out; and pf_ring, which is the same on PF_RING's libpcap. Control
// thread.

#ifndef TWINPATH_SOCKETS_PCAP_PCAP_ENGINE_H_
#define TWINPATH_SOCKETS_PCAP_PCAP_ENGINE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/sockets/engine.h"

namespace twinpath {

class PcapEngine : public Engine {
 public:
  explicit PcapEngine(const char* name) : name_(name) {}
  const char* name() const override { return name_; }
  // Unimplemented for several queues.
  absl::StatusOr<std::unique_ptr<PortEnds>> Open(const PortRequest& request) override;
  bool keeps_offloads() const override { return false; }

 private:
  const char* const name_;
};

// Whether the libpcap that this program runs with is PF_RING's, and its kernel module is loaded.
// The error says what to install.
absl::Status CheckPfRing();

}  // namespace twinpath

#endif  // TWINPATH_SOCKETS_PCAP_PCAP_ENGINE_H_
