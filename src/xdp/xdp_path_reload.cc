// SPDX-License-Identifier: BSD-3-Clause
// Replaces the policy while frames arrive: writes the policy to the generation that no queue uses,
// then updates each port's link to that generation's program. Any thread.

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/compile/packet_state.h"
#include "src/kernel/clock.h"
#include "src/xdp/program/snapshot.h"
#include "src/xdp/xdp_path.h"

namespace twinpath {

absl::Status XdpPath::CheckReload(const CompiledPolicy& policy) const {
  for (const Port& port : ports_)
    if (policy.matches_vlan && port.frames == XdpFrames::kShared) return NoTags(port, port.why);
  const std::string why = Unreachable(policy);
  if (!why.empty())
    return absl::FailedPreconditionError(
        absl::StrCat(why, "; a reload cannot change the mode: restart the program"));
  return absl::OkStatus();
}

// Updates port by port. If one port refuses its program, the ports before it get their old programs
// back.
absl::Status XdpPath::ReplaceAll(const std::vector<int>& programs) {
  for (size_t i = 0; i < ports_.size(); i++) {
    const int error = ports_[i].attachment.Replace(programs[i]);
    if (error == 0 || error == ENOLINK) continue;  // no frames come from a missing interface
    std::string undone;
    for (size_t back = i; back-- > 0;) {
      const int failed = ports_[back].attachment.Replace(ports_[back].attached);
      if (failed != 0 && failed != ENOLINK)
        absl::StrAppend(&undone, "; port ", ports_[back].spec.name,
                        " could not return to the current policy and runs the new one: ",
                        std::strerror(failed));
    }
    WaitForRunningPrograms();
    return absl::InternalError(absl::StrCat("port ", ports_[i].spec.name, " (",
                                            ports_[i].spec.device,
                                            "): bpf_link_update: ", std::strerror(error), undone));
  }
  WaitForRunningPrograms();
  for (size_t i = 0; i < ports_.size(); i++) ports_[i].attached = programs[i];
  return absl::OkStatus();
}

absl::StatusOr<ReloadOutcome> XdpPath::Reload(const Policy& policy, CompiledPolicy compiled) {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::UnavailableError("the program is ending");
  absl::Status status = CheckReload(compiled);
  if (!status.ok()) return status;
  const uint64_t number = reloads_.load() + 1;
  std::vector<XdpFrames> frames;
  for (const Port& port : ports_) frames.push_back(port.frames);
  XdpRun::Next next = {.policy = std::move(compiled),
                       .continued = ContinuedRules(policy_, policy),
                       .programs = {},
                       .places = {}};
  if (status = run_->Load(frames, &next); !status.ok()) return status;
  // Called after Load, which may take a second, because new times count from now.
  ContinueFrom({policy_, run_->policy()}, policy, next.continued, number, CoarseNow(),
               &next.policy);
  run_->Write(next);

  ReloadOutcome outcome = {.rules = next.policy.rules.size(), .reloads = number};
  for (const uint32_t old : next.continued) outcome.continued += old != TP_NO_RULE;
  std::lock_guard<std::mutex> no_reader(snapshot_);
  status = ReplaceAll(next.programs);
  if (!status.ok()) return status;
  // While the ports change programs one by one, both policies count in the same streams. These
  // packets are attributed to the rule's old action.
  decisions_->Replace(RuleCounts(*run_), next.continued, next.policy.rules);
  run_->Commit(std::move(next));
  policy_ = policy;
  reloads_.store(number);
  return outcome;
}

absl::StatusOr<PacketState> XdpPath::StateFor(size_t port, uint32_t queue,
                                              absl::Span<const uint8_t> frame) const {
  std::lock_guard<std::mutex> one(snapshot_);
  const XdpMaps& maps = run_->maps();
  const uint32_t queues = maps.queues(port);
  if (queue >= queues) return NoSuchQueue(ports_[port].spec.name, queue, queues);
  const CompiledPolicy& policy = run_->policy();
  const uint64_t now = CoarseNow();
  PacketState state = {.queues = queues,
                       .at_ns = now - origin_,
                       .completes = CompletesChecksums(port),
                       .matched = {},
                       .flow_matched = {},
                       .age_ns = AgesOf(policy, now)};
  for (uint32_t r = 0; r < policy.rules.size(); r++)
    state.matched.push_back(run_->streams().Number(port, queue, r));
  state.flow_matched = FlowPackets(
      policy, port, frame, {maps.flows().regions, maps.flows().region_buckets},
      [&maps](uint32_t index, tp_flow_bucket* bucket) { return maps.ReadFlows(index, bucket); });
  return state;
}

std::string XdpPath::policy_file() const {
  std::lock_guard<std::mutex> one(snapshot_);
  return policy_.file;
}

}  // namespace twinpath
