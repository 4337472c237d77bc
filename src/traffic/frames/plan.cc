// SPDX-License-Identifier: BSD-3-Clause
// Builds the start that all frames of a plan share, and the sums for their checksums.

#include "src/traffic/frames/plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "src/policy/parse.h"
#include "src/traffic/frames/clock_id.h"
#include "src/traffic/frames/headers.h"

namespace twinpath {
namespace {

// The sum of `bytes` as 16-bit words; an odd last byte is the upper half of a word.
uint32_t Sum(absl::Span<const uint8_t> bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i++) sum += i % 2 ? bytes[i] : bytes[i] * 256U;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint32_t>(sum);
}

// Sets, in a copy of the start, what tp_traffic_write adds to 0.
void ClearVariable(tp_traffic* t, uint8_t* start) {
  uint8_t* ip = start + t->ip;
  const uint32_t v4 = t->ip_version == 4;
  std::memset(ip + (v4 ? 2 : 4), 0, 2);
  if (v4) std::memset(ip + 10, 0, 2);
  std::memset(ip + (v4 ? 12 : 20), 0, 4);
  std::memset(start + t->l4, 0, 2);
  std::memset(start + t->l4 + 4, 0, 4);
  std::memset(start + t->tag + TP_TAG_SEQUENCE, 0, TP_TAG_BYTES - TP_TAG_SEQUENCE);
}

void WriteTag(uint8_t stream, uint8_t* tag) {
  tp_put32(tag, static_cast<uint32_t>(TP_TAG_MAGIC) << 8 | stream);
  tp_put16(tag + TP_TAG_CLOCK, ClockId());
  std::memset(tag + TP_TAG_SEQUENCE, 0, TP_TAG_BYTES - TP_TAG_SEQUENCE);
}

// Fills in the sums. `frame` is a whole frame; `payload_end` is where its datagram ends.
void SetSums(tp_traffic* t, const std::vector<uint8_t>& frame, size_t payload_end) {
  std::vector<uint8_t> copy = frame;
  ClearVariable(t, copy.data());
  const absl::Span<const uint8_t> bytes(copy);
  if (t->ip_version == 4) t->ip_sum = Sum(bytes.subspan(t->ip, t->l4 - t->ip));
  const auto addresses =
      t->ip_version == 4 ? bytes.subspan(t->ip + 12, 8) : bytes.subspan(t->ip + 8, 32);
  t->l4_sum = Sum(addresses) + 17 + Sum(bytes.subspan(t->l4, payload_end - t->l4));
}

// Vose's alias table for shares 1 / (f + 1)^s.
std::vector<tp_traffic_alias> ZipfCells(uint32_t flows, double s) {
  std::vector<double> share(flows);
  for (uint32_t f = 0; f < flows; f++) share[f] = std::pow(f + 1.0, -s);
  const double mean = std::accumulate(share.begin(), share.end(), 0.0) / flows;
  std::vector<uint32_t> small, large;
  for (uint32_t f = 0; f < flows; f++) {
    share[f] /= mean;
    (share[f] < 1 ? small : large).push_back(f);
  }
  std::vector<tp_traffic_alias> cells(flows);
  for (uint32_t f = 0; f < flows; f++) cells[f] = {UINT32_MAX, f};
  while (!small.empty() && !large.empty()) {
    const uint32_t low = small.back(), high = large.back();
    small.pop_back();
    cells[low] = {static_cast<uint32_t>(share[low] * 4294967295.0), high};
    share[high] -= 1 - share[low];
    if (share[high] < 1) {
      large.pop_back();
      small.push_back(high);
    }
  }
  return cells;
}

}  // namespace

IpAddress DefaultSource(uint32_t ip_version) {
  if (ip_version == 4) return {198, 18, 0, 1};
  return {0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

IpAddress DefaultDestination(uint32_t ip_version) {
  if (ip_version == 4) return {198, 19, 0, 1};
  return {0x20, 1, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

uint32_t ShortestTagged(uint32_t ip_version, bool vlan) {
  return 14 + (vlan ? 4 : 0) + (ip_version == 4 ? 20 : 40) + 8 + TP_TAG_BYTES;
}

absl::StatusOr<Plan> Plan::Make(const TrafficSpec& spec) {
  Plan plan;
  tp_traffic& t = plan.traffic_;
  const uint32_t needed = ShortestTagged(spec.ip_version, spec.vlan.has_value());
  t.shortest = spec.range.first;
  t.longest = spec.range.second;
  if (!spec.sizes.empty()) {
    const auto [low, high] = std::minmax_element(spec.sizes.begin(), spec.sizes.end());
    t.shortest = *low;
    t.longest = *high;
  }
  if (t.shortest < needed || t.longest < t.shortest || spec.sizes.size() > TP_TRAFFIC_SIZES)
    return absl::InvalidArgumentError(
        absl::StrCat("found frames of ", t.shortest, " bytes, allowed ", needed, " to ",
                     kLongestTagged, " bytes (headers, ", TP_TAG_BYTES,
                     " bytes of tag), and at most ", TP_TRAFFIC_SIZES, " sizes in turn"));
  if (spec.flows == 0 || spec.flows > kMaxFlows)
    return absl::InvalidArgumentError(
        absl::StrCat("found ", spec.flows, " flows, allowed 1 to ", kMaxFlows));
  std::copy(spec.sizes.begin(), spec.sizes.end(), t.size);
  t.sizes = static_cast<uint32_t>(spec.sizes.size());
  t.flows = spec.flows;
  t.spread = spec.flows == 1 ? TP_SPREAD_TURN : spec.spread;
  t.seed = spec.seed;
  if (t.spread == TP_SPREAD_ZIPF) plan.cells_ = ZipfCells(spec.flows, spec.zipf);

  std::vector<uint8_t> frame(t.longest);
  uint8_t* at = frame.data();
  std::copy(spec.destination_mac.begin(), spec.destination_mac.end(), at);
  std::copy(spec.source_mac.begin(), spec.source_mac.end(), at + 6);
  at += 12;
  if (spec.vlan.has_value()) {
    tp_put16(at, TP_ETH_P_VLAN);
    tp_put16(at + 2, *spec.vlan);
    at += 4;
  }
  t.ip_version = spec.ip_version;
  tp_put16(at, spec.ip_version == 4 ? TP_ETH_P_IPV4 : TP_ETH_P_IPV6);
  at += 2;
  t.ip = static_cast<uint32_t>(at - frame.data());
  if (spec.ip_version == 4) {  // RFC 791
    at[0] = 0x45;
    at[8] = 64;
    at[9] = TP_PROTO_UDP;
    std::copy_n(spec.source.begin(), 4, at + 12);
    std::copy_n(spec.destination.begin(), 4, at + 16);
    t.source = tp_be32(at + 12);
    at += 20;
  } else {  // RFC 8200
    at[0] = 0x60;
    at[6] = TP_PROTO_UDP;
    at[7] = 64;
    std::copy_n(spec.source.begin(), 16, at + 8);
    std::copy_n(spec.destination.begin(), 16, at + 24);
    t.source = tp_be32(at + 20);
    at += 40;
  }
  t.l4 = static_cast<uint32_t>(at - frame.data());
  t.source_port = spec.source_port;
  tp_put16(at + 2, spec.destination_port);
  t.tag = t.l4 + 8;
  WriteTag(spec.stream, frame.data() + t.tag);
  t.start_length = t.tag + TP_TAG_BYTES;
  SetSums(&t, frame, frame.size());
  std::copy_n(frame.begin(), t.start_length, t.start);
  plan.longest_ = std::move(frame);
  return plan;
}

absl::StatusOr<Plan> Plan::OfFrame(absl::Span<const uint8_t> frame, bool tagged, uint8_t stream) {
  Plan plan;
  tp_traffic& t = plan.traffic_;
  if (frame.size() < 14 || frame.size() > kLongestTagged)
    return absl::InvalidArgumentError(
        absl::StrCat("found a frame of ", frame.size(), " bytes, allowed 14 to ", kLongestTagged));
  plan.longest_.assign(frame.begin(), frame.end());
  t.flows = 1;
  t.sizes = 1;
  t.size[0] = static_cast<uint16_t>(frame.size());
  t.shortest = t.longest = static_cast<uint32_t>(frame.size());
  if (!tagged) return plan;
  const std::optional<UdpPlace> udp = FindUdp(frame);
  if (!udp.has_value() || !udp->whole || udp->payload_bytes() < TP_TAG_BYTES)
    return absl::InvalidArgumentError(absl::StrCat(
        "the frame has no whole UDP datagram with a payload of at least ", TP_TAG_BYTES, " bytes"));
  t.ip_version = udp->ip_version;
  t.ip = udp->ip;
  t.l4 = udp->udp;
  t.tag = udp->udp + 8;
  t.trailer = static_cast<uint32_t>(frame.size()) - udp->end;
  t.start_length = t.tag + TP_TAG_BYTES;
  if (t.start_length > TP_TRAFFIC_START)
    return absl::InvalidArgumentError(
        absl::StrCat("the frame has too many bytes of headers: a tag ends at byte ",
                     TP_TRAFFIC_START, " at the latest"));
  uint8_t* start = plan.longest_.data();
  t.source = tp_be32(start + t.ip + (t.ip_version == 4 ? 12 : 20));
  t.source_port = static_cast<uint32_t>(start[t.l4] << 8 | start[t.l4 + 1]);
  WriteTag(stream, start + t.tag);
  SetSums(&t, plan.longest_, udp->end);
  std::copy_n(start, t.start_length, t.start);
  return plan;
}

uint32_t Plan::Flow(uint64_t n) const {
  const uint32_t flow = tp_traffic_flow(&traffic_, n);
  return cells_.empty() ? flow : tp_traffic_cell(&traffic_, n, flow, &cells_[flow]);
}

uint32_t Plan::Write(uint64_t n, uint64_t time, uint8_t* out) const {
  const uint32_t size = Size(n), start = traffic_.start_length;
  std::memcpy(out + start, longest_.data() + start, size - start);
  tp_traffic_write(&traffic_, Flow(n), size, n, time, out, out + size);
  return size;
}

}  // namespace twinpath
