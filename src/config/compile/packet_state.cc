// SPDX-License-Identifier: BSD-3-Clause
// Looks up flows by key without locking their region, so a count may be one packet old.

#include "src/config/compile/packet_state.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

uint64_t CountIn(const tp_flow_bucket& bucket, uint64_t key) {
  for (const tp_flow& flow : bucket.flow)
    if (flow.key == key) return flow.n;
  return 0;
}

}  // namespace

std::vector<uint64_t> FlowPackets(const CompiledPolicy& policy, size_t port,
                                  absl::Span<const uint8_t> frame, const tp_table_size& size,
                                  const ReadFlowBucket& read) {
  std::vector<uint64_t> packets(policy.rules.size());
  tp_key key = {};
  const uint8_t* end = frame.data() + frame.size();
  if (size.regions == 0) return packets;
  tp_parse(frame.data(), end, static_cast<uint32_t>(frame.size()), static_cast<__u8>(port), &key);
  for (size_t r = 0; r < packets.size(); r++) {
    const tp_rule& rule = policy.rules[r];
    if (rule.loss != TP_LOSS_FLOW) continue;
    const tp_place place = tp_flow_place(size, &rule, tp_flow_key(&rule, &key));
    tp_flow_bucket bucket = {};
    if (read(place.first, &bucket)) packets[r] = CountIn(bucket, place.key);
    if (packets[r] == 0 && read(place.second, &bucket)) packets[r] = CountIn(bucket, place.key);
  }
  return packets;
}

std::vector<uint64_t> AgesOf(const CompiledPolicy& policy, uint64_t now) {
  std::vector<uint64_t> ages(policy.rules.size());
  for (size_t r = 0; r < ages.size(); r++)
    if (policy.rules[r].flags & TP_RULE_TIMED)
      ages[r] = now - policy.whens[policy.rules[r].when].origin;
  return ages;
}

absl::Status NoSuchQueue(const std::string& port, uint32_t queue, uint32_t queues) {
  return FoundError(
      "--queue", "", absl::StrCat(queue),
      queues == 1 ? absl::StrCat("0: port ", port, " has one queue")
                  : absl::StrCat("0 to ", queues - 1, ": port ", port, " has ", queues, " queues"));
}

}  // namespace twinpath
