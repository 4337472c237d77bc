// SPDX-License-Identifier: BSD-3-Clause
// A port's steps: there, leaving (workers still may use its device), away, returning.

#include "src/dpdk/recover/port_recovery.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/dpdk/quirks/null_endpoint.h"
#include "src/kernel/link_state.h"

namespace twinpath {
namespace {

// The faults that end when the port is opened anew.
constexpr char kGone[] = "gone";          // no interface, or no NIC
constexpr char kDetached[] = "detached";  // an interface without the port's XDP program

std::string Subject(const Port& port) { return absl::StrCat("port ", port.name()); }

}  // namespace

PortRecovery::PortRecovery(const Workers& datapath, FaultLedger* ledger)
    : datapath_(datapath), ledger_(ledger), states_(datapath.ports.size()) {}

void PortRecovery::Look(Clock::time_point now) {
  for (size_t i = 0; i < states_.size(); i++) LookAtPort(i, now);
}

void PortRecovery::LookAtPort(size_t index, Clock::time_point now) {
  State& state = states_[index];
  Port& port = datapath_.ports[index];
  switch (state.step) {
    case State::Step::kThere: {
      if (LookAtDevice(index, now)) return;
      auto nowhere = MakeNullEndpoint();
      if (!nowhere.ok()) return;  // then its device stays, and takes nothing
      Lead(index, *nowhere);
      state.step = State::Step::kLeaving;
      return;
    }
    case State::Step::kLeaving:
      if (!AllLed(index) || !Close(&port)) return;
      state.step = State::Step::kAway;
      state.tries = 0;
      state.next_try = now + kAfterClose;
      return;
    case State::Step::kAway:
      if (!port.DeviceThere()) {
        BeginGone(port, now);
        state.tries = 0;
        state.next_try = now;
      } else if (now >= state.next_try && state.tries < kTries) {
        TryToReopen(index, now);
      }
      return;
    case State::Step::kReturning:
      if (!AllLed(index)) return;
      state.step = State::Step::kThere;
      for (const char* fault : {kGone, kDetached}) {
        ledger_->Set(Subject(port), fault, false,
                     absl::StrCat("is back: ", port.device().given, ", ", port.device().mode, " (",
                                  port.device().why, ")"),
                     now);
      }
      return;
  }
}

// False: the port cannot go on with its device.
bool PortRecovery::LookAtDevice(size_t index, Clock::time_point now) {
  State& state = states_[index];
  const Port& port = datapath_.ports[index];
  if (port.Link() == kLinkGone) {
    BeginGone(port, now);
    return false;
  }
  if (now < state.next_program_look) return true;
  state.next_program_look = now + kProgramInterval;
  const std::optional<XdpState> instead = port.CarriesInstead();
  if (!instead.has_value()) {
    ledger_->Set(Subject(port), kDetached, false,
                 absl::StrCat(port.Where(), " carries its XDP program again"), now);
    return true;
  }
  const bool other = instead->program != 0;
  ledger_->Set(
      Subject(port), kDetached, true,
      other ? absl::StrCat(port.Where(), " carries another XDP program (",
                           XdpProgramName(instead->program), ", id ", instead->program,
                           ") instead of the port's; it is left alone, and until it is taken off "
                           "the port receives nothing")
            : absl::StrCat(port.Where(),
                           " does not carry the port's XDP program any more: it was taken off; the "
                           "port is opened again"),
      now);
  return other;
}

void PortRecovery::BeginGone(const Port& port, Clock::time_point now) {
  ledger_->Set(Subject(port), kGone, true,
               absl::StrCat(port.Where(),
                            " is gone; what is to leave by it is counted as tx_full, and the "
                            "other ports go on"),
               now);
}

// To the device that the port has now, or to nowhere.
void PortRecovery::Lead(size_t index, const std::optional<QueueEnd>& nowhere) {
  const Port& port = datapath_.ports[index];
  Worker::Detour& detour = states_[index].detour;
  detour.port = static_cast<uint32_t>(index);
  detour.ends = port.ends();
  detour.sockets.clear();
  for (uint32_t q = 0; q < detour.ends.size(); q++) {
    if (nowhere.has_value())
      detour.ends[q] = *nowhere;
    else
      detour.sockets.push_back(port.sockets(q));
  }
  for (const auto& worker : datapath_.workers) worker->Divert(&detour);
}

bool PortRecovery::AllLed(size_t index) const {
  return std::none_of(
      datapath_.workers.begin(), datapath_.workers.end(),
      [index](const auto& worker) { return worker->Diverting(static_cast<uint32_t>(index)); });
}

// False: not now, somebody reads the ports.
bool PortRecovery::Close(Port* port) {
  const std::unique_lock<std::mutex> nobody_reads(datapath_.reading, std::try_to_lock);
  if (!nobody_reads) return false;
  std::optional<StderrCapture> held;
  if (datapath_.quiet) held.emplace();
  port->Close();
  return true;
}

void PortRecovery::TryToReopen(size_t index, Clock::time_point now) {
  State& state = states_[index];
  Port& port = datapath_.ports[index];
  auto device = port.FindAgain(datapath_.profile);
  if (!device.ok()) {
    state.next_try = now + kProgramInterval;
    SayRefusal(&state, device.status(), "");
    return;
  }
  absl::Status opened;
  {
    const std::unique_lock<std::mutex> nobody_reads(datapath_.reading, std::try_to_lock);
    if (!nobody_reads) return;
    std::optional<StderrCapture> held;
    if (datapath_.quiet) held.emplace();
    opened = port.Reopen(*std::move(device), datapath_.profile, datapath_.mempools.size() == 1,
                         datapath_.guard);
  }
  if (opened.ok()) {
    state.refusal.clear();
    Lead(index, std::nullopt);
    state.step = State::Step::kReturning;
    return;
  }
  state.next_try = now + std::chrono::seconds(1 << state.tries);
  state.tries++;
  SayRefusal(&state, opened,
             state.tries == kTries ? "; it is left alone until the interface goes and comes, or "
                                     "the program is started again"
                                   : "");
}

// Once, as long as nothing else is the matter.
void PortRecovery::SayRefusal(State* state, const absl::Status& status, const char* more) {
  const std::string refusal = absl::StrCat(status.message(), more);
  if (std::exchange(state->refusal, refusal) != refusal) ledger_->Note(refusal);
}

}  // namespace twinpath
