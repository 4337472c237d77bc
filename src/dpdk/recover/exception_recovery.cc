// SPDX-License-Identifier: BSD-3-Clause
// An exception port's steps: present, leaving (workers may still use it), away, returning.

#include "src/dpdk/recover/exception_recovery.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/null_endpoint.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/kernel/link/link_setup.h"

namespace twinpath {
namespace {

constexpr char kExceptionGone[] = "exception_gone";
constexpr char kExceptionDown[] = "exception_down";

}  // namespace

ExceptionRecovery::ExceptionRecovery(const PortRecovery::Workers& datapath,
                                     std::vector<std::optional<ExceptionPort>>* exceptions,
                                     FaultLedger* ledger)
    : datapath_(datapath), exceptions_(*exceptions), ledger_(ledger), states_(exceptions->size()) {}

void ExceptionRecovery::Look(Clock::time_point now) {
  for (size_t port = 0; port < states_.size(); port++)
    if (exceptions_[port].has_value()) LookAt(port, now);
}

void ExceptionRecovery::LookAt(size_t port, Clock::time_point now) {
  State& state = states_[port];
  switch (state.step) {
    case State::Step::kPresent:
      LookAtInterface(port, now);
      return;
    case State::Step::kLeaving:
      if (!AllRewired(port) || !Close(port)) return;
      state.step = State::Step::kAway;
      state.pause = std::chrono::seconds(1);
      state.next_try = now;
      return;
    case State::Step::kAway:
      if (now < state.next_try || !TryToReopen(port, now)) return;
      RewireWorkers(port, std::nullopt);
      state.step = State::Step::kReturning;
      return;
    case State::Step::kReturning:
      if (!AllRewired(port)) return;
      state.step = State::Step::kPresent;
      ledger_->Set(
          absl::StrCat("port ", datapath_.ports[port].name()), kExceptionGone, false,
          absl::StrCat(
              "exception port ", exceptions_[port]->interface(), " was recreated",
              exceptions_[port]->hands_over() ? "" : "; set its addresses and routes again"),
          now);
      return;
  }
}

void ExceptionRecovery::LookAtInterface(size_t port, Clock::time_point now) {
  const std::string subject = absl::StrCat("port ", datapath_.ports[port].name());
  const std::string& interface = exceptions_[port]->interface();
  const std::string link = exceptions_[port]->Link();
  if (link != kLinkGone) {
    // The port's interface may be a new one after a recovery.
    exceptions_[port]->SetReceiver(datapath_.ports[port].TakesFrom());
    const bool down = link == kLinkDown;
    ledger_->Set(subject, kExceptionDown, down,
                 down ? absl::StrCat("exception port ", interface,
                                     " is down; passed packets count as tx_full: ip link set dev ",
                                     interface, " up")
                      : absl::StrCat("exception port ", interface, " is up"),
                 now);
    return;
  }
  ledger_->Set(subject, kExceptionGone, true,
               absl::StrCat("exception port ", interface,
                            " disappeared; passed packets count as tx_full until it is recreated"),
               now);
  ledger_->Set(subject, kExceptionDown, false,
               absl::StrCat("exception port ", interface, " is gone"), now);
  auto null_endpoint = MakeNullEndpoint();
  if (!null_endpoint.ok()) return;  // the workers keep the device, which accepts nothing
  RewireWorkers(port, *null_endpoint);
  states_[port].step = State::Step::kLeaving;
}

// Switches the workers to the null endpoint, or (nullopt) to the exception port.
void ExceptionRecovery::RewireWorkers(size_t port, const std::optional<QueueEnd>& null_endpoint) {
  Rewire& rewire = states_[port].rewire;
  const size_t queues = datapath_.ports[port].ends().size();
  rewire.port = static_cast<uint32_t>(port);
  rewire.exception = true;
  rewire.ends.clear();
  rewire.sockets.clear();
  for (uint32_t q = 0; q < queues; q++)
    rewire.ends.push_back(null_endpoint ? *null_endpoint : exceptions_[port]->to_kernel(q));
  if (!null_endpoint.has_value()) rewire.sockets.resize(queues);
  for (const auto& worker : datapath_.workers) worker->RequestRewire(&rewire);
}

bool ExceptionRecovery::AllRewired(size_t port) const {
  const Rewire& rewire = states_[port].rewire;
  return std::none_of(datapath_.workers.begin(), datapath_.workers.end(),
                      [&rewire](const auto& worker) { return worker->IsRewiring(rewire); });
}

bool ExceptionRecovery::Close(size_t port) {
  const std::unique_lock<std::mutex> no_reader(datapath_.reading, std::try_to_lock);
  if (!no_reader) return false;
  std::optional<StderrCapture> capture;
  if (datapath_.quiet) capture.emplace();
  exceptions_[port]->Close();
  return true;
}

bool ExceptionRecovery::TryToReopen(size_t port, Clock::time_point now) {
  State& state = states_[port];
  absl::Status opened;
  {
    const std::unique_lock<std::mutex> no_reader(datapath_.reading, std::try_to_lock);
    if (!no_reader) return false;
    std::optional<StderrCapture> capture;
    if (datapath_.quiet) capture.emplace();
    opened = exceptions_[port]->Reopen();
  }
  if (opened.ok()) {
    state.refusal.clear();
    return true;
  }
  state.next_try = now + state.pause;
  state.pause = std::min(2 * state.pause, kLongestPause);
  const std::string refusal(opened.message());
  if (std::exchange(state.refusal, refusal) != refusal) ledger_->Note(refusal);
  return false;
}

}  // namespace twinpath
