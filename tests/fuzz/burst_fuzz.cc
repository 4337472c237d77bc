// SPDX-License-Identifier: BSD-3-Clause
// libFuzzer target for the burst decision. For any frames and any of the policies, a burst is
// decided as its frames one by one, and nothing beyond a frame is read or written (AddressSanitizer
// checks). The input's first byte chooses the policy and the ingress port. Each frame follows: two
// bytes of length, whose upper bits say how many bytes the frame has after its first segment, then
// the segment.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "tests/unit/lib/burst_pair.h"

namespace {

using twinpath::BurstPair;
using twinpath::TestFrame;

// Policies of each tier; for the general tier, of each kind of loss and condition.
constexpr const char* kPolicies[] = {
    R"({"version": 1, "rules": [{"name": "a", "match": {"port": "lan"}, "forward": {"port": "wan"},
        "loss": {"model": "random", "rate": "50%"}}]})",
    R"({"version": 1, "default": {"forward": "reflect",
        "loss": {"model": "gilbert_elliott", "p": "20%", "r": "50%"}}})",
    R"({"version": 1, "default": {"forward": "drop"}})",
    R"({"version": 1, "rules": [
        {"name": "a", "match": {"proto": "udp", "dst_port": 53}, "forward": "reflect"},
        {"name": "b", "match": {"src": "10.0.0.0/8", "proto": "tcp"}, "forward": {"port": "wan"},
         "loss": {"model": "random", "rate": "50%"}},
        {"name": "c", "match": {"ip_version": 6, "fragment": true}, "forward": "drop"},
        {"name": "d", "match": {"vlan": 5}, "loss": {"model": "periodic", "every": 3}}]})",
    R"({"version": 1, "rules": [
        {"name": "a", "match": {"proto": "udp"},
         "loss": {"model": "random", "rate": "50%", "scope": "flow"}},
        {"name": "b", "match": {"proto": "tcp"}, "forward": "reflect",
         "loss": {"model": "random", "rate": "50%", "scope": "packet", "ecn_mark": true}},
        {"name": "c", "match": {"ip_version": 6}, "active": {"from": "1s"}, "forward": "drop"}]})",
    R"({"version": 1, "rules": [
        {"name": "a", "match": {"ip_version": 4}, "packets": 3, "forward": "drop"},
        {"name": "b", "match": {"ip_version": 4}, "flows": "50%", "forward": {"port": "wan"}}],
        "default": {"loss": {"model": "random", "rate": "50%", "scope": "flow"}}})",
    R"({"version": 1, "malformed": "drop", "rules": [
        {"name": "a", "match": {"port": "lan", "malformed": false, "length": "0-99"}}]})",
    R"({"version": 1, "rules": [
        {"name": "a", "match": {"malformed": true, "ip_version": 6}, "forward": "reflect",
         "loss": {"model": "random", "rate": "50%", "scope": "packet"}},
        {"name": "b", "match": {"fragment": false, "malformed": true}, "forward": "reflect"}],
        "default": {"loss": {"model": "random", "rate": "50%", "scope": "flow"}}})",
};

const twinpath::CompiledPolicy& Policy(size_t which) {
  static const auto* compiled = [] {
    auto* all = new std::vector<twinpath::CompiledPolicy>;
    for (const char* json : kPolicies)
      all->push_back(
          twinpath::CompilePolicy(twinpath::ParsePolicy(json, "policy").value(), {"lan", "wan"})
              .value());
    return all;
  }();
  return (*compiled)[which % compiled->size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  BurstPair pair(Policy(data[0] >> 1));
  const size_t port = data[0] & 1;
  std::vector<TestFrame> frames;
  for (size_t at = 1; at + 2 <= size;) {
    const size_t length = static_cast<size_t>(data[at] & 3) << 8 | data[at + 1];
    const uint32_t more = data[at] >> 2;
    at += 2;
    const size_t segment = std::min(length, size - at);
    frames.push_back({{data + at, data + at + segment}, static_cast<uint32_t>(segment) + more});
    at += segment;
    if (frames.size() < twinpath::kMaxBurst && at + 2 <= size) continue;
    if (!pair.Feed(port, frames, 1'500'000'000).empty()) __builtin_trap();
    frames.clear();
  }
  return 0;
}
