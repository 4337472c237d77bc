// SPDX-License-Identifier: BSD-3-Clause
// A port's steps: present, leaving (workers may still use its device), away, returning.

#include "src/dpdk/recover/port_recovery.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/null_endpoint.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/kernel/link/link_setup.h"

namespace twinpath {
namespace {

// Faults that end when the port is reopened.
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
    case State::Step::kPresent: {
      if (LookAtDevice(index, now)) return;
      auto null_endpoint = MakeNullEndpoint();
      if (!null_endpoint.ok()) return;  // the workers keep the device, which accepts nothing
      RewireWorkers(index, *null_endpoint);
      state.step = State::Step::kLeaving;
      return;
    }
    case State::Step::kLeaving:
      if (!AllRewired(index) || !Close(&port)) return;
      state.step = State::Step::kAway;
      state.tries = 0;
      state.next_try = now + kAfterClose;
      return;
    case State::Step::kAway:
      if (!port.DeviceExists()) {
        BeginMissing(port, now);
        state.tries = 0;
        state.next_try = now;
      } else if (now >= state.next_try && state.tries < kTries) {
        TryToReopen(index, now);
      }
      return;
    case State::Step::kReturning:
      if (!AllRewired(index)) return;
      state.step = State::Step::kPresent;
      for (const char* fault : {kGone, kDetached}) {
        ledger_->Set(Subject(port), fault, false,
                     absl::StrCat("recovered: ", port.device().given, ", ", port.device().mode,
                                  " (", port.device().why, ")"),
                     now);
      }
      return;
  }
}

// Checks the port's device. False: the port cannot use it any longer.
bool PortRecovery::LookAtDevice(size_t index, Clock::time_point now) {
  State& state = states_[index];
  const Port& port = datapath_.ports[index];
  if (port.Link() == kLinkGone) {
    BeginMissing(port, now);
    return false;
  }
  if (now < state.next_program_look) return true;
  state.next_program_look = now + kProgramInterval;
  const std::optional<XdpState> foreign = port.ForeignProgram();
  if (!foreign.has_value()) {
    ledger_->Set(Subject(port), kDetached, false,
                 absl::StrCat(port.Where(), " has its XDP program again"), now);
    return true;
  }
  const bool other = foreign->program != 0;
  ledger_->Set(
      Subject(port), kDetached, true,
      other ? absl::StrCat(port.Where(), " has another XDP program (",
                           XdpProgramName(foreign->program), ", id ", foreign->program,
                           ") instead of the port's; the port receives nothing until that program "
                           "is detached")
            : absl::StrCat(port.Where(), " lost the port's XDP program; the port will be reopened"),
      now);
  return other;
}

void PortRecovery::BeginMissing(const Port& port, Clock::time_point now) {
  ledger_->Set(Subject(port), kGone, true,
               absl::StrCat(port.Where(),
                            " disappeared; packets for it count as tx_full; other ports are "
                            "unaffected"),
               now);
}

// Switches the workers to the null endpoint, or (nullopt) to the port's current device.
void PortRecovery::RewireWorkers(size_t index, const std::optional<QueueEnd>& null_endpoint) {
  const Port& port = datapath_.ports[index];
  Rewire& rewire = states_[index].rewire;
  rewire.port = static_cast<uint32_t>(index);
  rewire.ends = port.ends();
  rewire.sockets.clear();
  for (uint32_t q = 0; q < rewire.ends.size(); q++) {
    if (null_endpoint.has_value())
      rewire.ends[q] = *null_endpoint;
    else
      rewire.sockets.push_back(port.sockets(q));
  }
  for (const auto& worker : datapath_.workers) worker->RequestRewire(&rewire);
}

bool PortRecovery::AllRewired(size_t index) const {
  const Rewire& rewire = states_[index].rewire;
  return std::none_of(datapath_.workers.begin(), datapath_.workers.end(),
                      [&rewire](const auto& worker) { return worker->IsRewiring(rewire); });
}

// False if a reader holds the lock: the caller tries again at the next look.
bool PortRecovery::Close(Port* port) {
  const std::unique_lock<std::mutex> no_reader(datapath_.reading, std::try_to_lock);
  if (!no_reader) return false;
  std::optional<StderrCapture> capture;
  if (datapath_.quiet) capture.emplace();
  port->Close();
  return true;
}

void PortRecovery::TryToReopen(size_t index, Clock::time_point now) {
  State& state = states_[index];
  Port& port = datapath_.ports[index];
  auto device = port.FindAgain(datapath_.profile);
  if (!device.ok()) {
    state.next_try = now + kProgramInterval;
    ReportRefusal(&state, device.status(), "");
    return;
  }
  absl::Status opened;
  {
    const std::unique_lock<std::mutex> no_reader(datapath_.reading, std::try_to_lock);
    if (!no_reader) return;
    std::optional<StderrCapture> capture;
    if (datapath_.quiet) capture.emplace();
    opened = port.Reopen(*std::move(device), datapath_.profile, datapath_.mempools.size() == 1,
                         datapath_.guard);
  }
  if (opened.ok()) {
    state.refusal.clear();
    RewireWorkers(index, std::nullopt);
    state.step = State::Step::kReturning;
    return;
  }
  state.next_try = now + std::chrono::seconds(1 << state.tries);
  state.tries++;
  ReportRefusal(&state, opened,
                state.tries == kTries
                    ? "; giving up until the interface disappears and comes back, or the program "
                      "is restarted"
                    : "");
}

// Logs each reason once.
void PortRecovery::ReportRefusal(State* state, const absl::Status& status, const char* more) {
  const std::string refusal = absl::StrCat(status.message(), more);
  if (std::exchange(state->refusal, refusal) != refusal) ledger_->Note(refusal);
}

}  // namespace twinpath
