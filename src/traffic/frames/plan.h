// SPDX-License-Identifier: BSD-3-Clause
// The frames of one stream: UDP datagrams that carry the tag of bpf/traffic.h, of several sizes and
// flows, all by the seed. The same plan gives the same frames by every backend. Immutable; any
// thread.

#ifndef TWINPATH_TRAFFIC_FRAMES_PLAN_H_
#define TWINPATH_TRAFFIC_FRAMES_PLAN_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bpf/traffic.h"
#include "src/traffic/frames/frame_source.h"

namespace twinpath {

using MacAddress = std::array<uint8_t, 6>;
using IpAddress = std::array<uint8_t, 16>;  // in network order; IPv4: the first four bytes

inline constexpr uint32_t kMaxFlows = 1 << 24;
inline constexpr uint32_t kLongestTagged = 65535;

struct TrafficSpec {
  uint32_t ip_version = 4;
  std::optional<uint16_t> vlan;  // the VLAN id of a tag
  MacAddress source_mac = {2, 0, 0, 0, 0, 1}, destination_mac = {2, 0, 0, 0, 0, 2};
  // Of flow 0. Flows differ in the source port, and above 16,384 flows in the source address, too.
  IpAddress source = {}, destination = {};
  uint16_t source_port = TP_TRAFFIC_FIRST_PORT;  // of flow 0; at most this
  uint16_t destination_port = 9;                 // discard
  // Bytes of a frame, without its FCS: in turn, or where `sizes` is empty, drawn from the range.
  std::vector<uint16_t> sizes;
  std::pair<uint16_t, uint16_t> range = {};
  uint32_t flows = 1;
  tp_traffic_spread spread = TP_SPREAD_TURN;
  double zipf = 1.0;  // flow f (from 0) has a share of 1 / (f + 1)^zipf
  uint64_t seed = 1;
  uint8_t stream = 0;
};

// The default addresses: RFC 2544's range for benchmarks, and RFC 5180's.
IpAddress DefaultSource(uint32_t ip_version);
IpAddress DefaultDestination(uint32_t ip_version);

class Plan : public FrameSource {
 public:
  // InvalidArgument: a size without room for headers and tag, or too many flows.
  static absl::StatusOr<Plan> Make(const TrafficSpec& spec);
  // The same frame again and again. With `tagged`, the payload of its UDP datagram begins with the
  // tag, and the checksums are right; InvalidArgument where it has no such payload.
  static absl::StatusOr<Plan> OfFrame(absl::Span<const uint8_t> frame, bool tagged, uint8_t stream);

  uint32_t Size(uint64_t n) const override { return tp_traffic_size(&traffic_, n); }
  uint32_t longest() const override { return static_cast<uint32_t>(longest_.size()); }
  uint32_t Write(uint64_t n, uint64_t time, uint8_t* out) const override;
  uint32_t Flow(uint64_t n) const;

  // For bpf/generate.bpf.c.
  const tp_traffic& traffic() const { return traffic_; }
  const std::vector<tp_traffic_alias>& cells() const { return cells_; }
  // A frame of the longest size, whose start is still to be written.
  const std::vector<uint8_t>& longest_frame() const { return longest_; }
  bool tagged() const { return traffic_.start_length != 0; }

 private:
  Plan() = default;
  tp_traffic traffic_ = {};
  std::vector<tp_traffic_alias> cells_;  // of TP_SPREAD_ZIPF
  std::vector<uint8_t> longest_;
};

// The smallest frame that has room for headers and tag.
uint32_t ShortestTagged(uint32_t ip_version, bool vlan);

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_FRAMES_PLAN_H_
