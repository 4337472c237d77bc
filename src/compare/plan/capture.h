// SPDX-License-Identifier: BSD-3-Clause
// A capture of frames of many kinds, to see that the engines' policies decide alike before they are
// measured. Pure; any thread.

#ifndef TWINPATH_COMPARE_PLAN_CAPTURE_H_
#define TWINPATH_COMPARE_PLAN_CAPTURE_H_

#include <cstdint>
#include <string>

namespace twinpath {

// The bytes of a pcap file with `frames` frames of Ethernet, a microsecond apart: UDP like that of
// the generator, UDP and TCP to many ports, ICMP, ARP, IPv6, VLAN tags, fragments, and frames that
// are cut. The same number always gives the same bytes.
std::string SamenessCapture(uint32_t frames);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_PLAN_CAPTURE_H_
