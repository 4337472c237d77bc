// SPDX-License-Identifier: BSD-3-Clause
// Loads, writes and commits policies.

#include "src/xdp/program/run.h"

#include <utility>

namespace twinpath {

XdpRun::XdpRun(std::unique_ptr<XdpMaps> maps, OutPorts out_ports, uint64_t flow_memory)
    : maps_(std::move(maps)),
      out_ports_(std::move(out_ports)),
      flow_memory_(flow_memory),
      streams_(maps_.get()),
      counters_(*maps_, streams_) {}

absl::StatusOr<std::unique_ptr<XdpRun>> XdpRun::Create(CompiledPolicy policy, OutPorts out_ports,
                                                       const Options& options) {
  auto maps = XdpMaps::Create(policy, options.queues, options.flow_memory, options.reloadable);
  if (!maps.ok()) return maps.status();
  if (options.clock_given) (*maps)->SetClock(0);
  (*maps)->SetCompletes(options.completes);
  std::unique_ptr<XdpRun> run(
      new XdpRun(*std::move(maps), std::move(out_ports), options.flow_memory));
  auto first = XdpGeneration::Create(run->maps_.get(), &run->out_ports_, 0, policy);
  if (!first.ok()) return first.status();
  run->generations_[0] = *std::move(first);
  Next next = {.policy = std::move(policy), .continued = {}, .programs = {}, .places = {}};
  next.continued.assign(next.policy.rules.size(), TP_NO_RULE);
  if (absl::Status placed = run->Place(&next); !placed.ok()) return placed;
  run->Write(next);
  run->Commit(std::move(next));
  return run;
}

void XdpRun::SetOrigin(uint64_t now) {
  streams_.SetOrigin(now);
  generation().SetOrigin(now, policy().whens.size());
}

absl::Status XdpRun::EnterOutPort(size_t port, uint32_t index) {
  out_ports_.Set(port, index);
  for (const auto& generation : generations_) {
    if (!generation) continue;
    if (absl::Status entered = generation->EnterOutPort(port); !entered.ok()) return entered;
  }
  return absl::OkStatus();
}

absl::StatusOr<int> XdpRun::Program(size_t port, XdpFrames frames) {
  return generation().Program(policy(), port, frames, streams_.places());
}

absl::Status XdpRun::Load(const std::vector<XdpFrames>& frames, Next* next) {
  if (next->policy.has_flows && maps_->flows().regions == 0) {
    if (absl::Status made = maps_->MakeFlows(flow_memory_); !made.ok()) return made;
  }
  const size_t number = 1 - streams_.generation();
  std::unique_ptr<XdpGeneration>& generation = generations_[number];
  if (!generation || !generation->Holds(next->policy)) {
    auto made = XdpGeneration::Create(maps_.get(), &out_ports_, number, next->policy);
    if (!made.ok()) return made.status();
    generation = *std::move(made);
  }
  if (absl::Status placed = Place(next); !placed.ok()) return placed;
  next->programs.clear();
  for (size_t port = 0; port < frames.size(); port++) {
    auto program = generation->Program(next->policy, port, frames[port], next->places);
    if (!program.ok()) return program.status();
    next->programs.push_back(*program);
  }
  return absl::OkStatus();
}

absl::Status XdpRun::Place(Next* next) {
  auto places = streams_.Place(next->continued, &next->policy);
  if (places.ok()) next->places = *std::move(places);
  return places.status();
}

void XdpRun::Write(const Next& next) {
  generations_[1 - streams_.generation()]->Write(next.policy, next.places);
}

void XdpRun::Commit(Next next) {
  streams_.Commit(next.continued, next.places, std::move(next.policy));
}

}  // namespace twinpath
