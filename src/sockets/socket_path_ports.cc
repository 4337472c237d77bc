// SPDX-License-Identifier: BSD-3-Clause
// Watches the interfaces of the ports while the workers run. The thread that created the path.

#include <net/if.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"
#include "src/sockets/socket_path.h"
#include "src/telemetry/setup_faults.h"

namespace twinpath {
namespace {

// How often the set-up of the interfaces is looked at: some system calls a port.
constexpr std::chrono::seconds kSetupInterval(1);

}  // namespace

void SocketPath::Watch(Clock::time_point now) {
  for (const auto& port : ports_) LookAt(port.get(), now);
  if (now >= next_setup_look_) LookAtSetups(now);
  faults_.Tick(now);
}

void SocketPath::LookAt(Port* port, Clock::time_point now) {
  const std::string subject = absl::StrCat("port ", port->spec.name);
  const bool was_gone = port->link == kLinkGone;
  if (!was_gone && port->promiscuous.Holds()) {
    ReadLosses(port);
    if (const auto found = ReadLink(port->interface.index); found.has_value())
      for (const auto& tx : port->ends->tx) tx->SetLink(found->mtu, (found->flags & IFF_UP) != 0);
    const std::string link = LinkState(port->interface.index);
    {
      const std::lock_guard<std::mutex> no_reader(snapshot_);
      if (link != kLinkGone) port->link = link;
    }
    faults_.Set(subject, "link_down", link == kLinkDown,
                link == kLinkDown ? "link down; packets for it may be lost behind the program, "
                                    "or are not accepted, and count as tx_full"
                                  : "link up",
                now);
    return;
  }
  if (!was_gone) {
    const std::lock_guard<std::mutex> no_reader(snapshot_);
    port->link = kLinkGone;
  }
  faults_.Set(subject, "gone", true,
              absl::StrCat(port->spec.device,
                           " disappeared; packets for it count as no_port; other ports are "
                           "unaffected"),
              now);
  absl::Status opened = OpenAgain(port);
  if (opened.ok()) {
    port->refusal.clear();
    faults_.Set(subject, "gone", false, absl::StrCat("recovered: ", port->spec.device), now);
  } else if (!absl::IsNotFound(opened) && port->refusal != opened.message()) {
    port->refusal = std::string(opened.message());
    faults_.Note(port->refusal);
  }
}

// NotFound: there is no such interface yet.
absl::Status SocketPath::OpenAgain(Port* port) {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::UnavailableError("the program is ending");
  // The same one may be back, whatever its name is now, or another one of the name that was given.
  const std::string name = NameOfLink(port->interface.index);
  auto interface = FindInterface(port->spec.name, name.empty() ? port->spec.device : name);
  if (!interface.ok()) return interface.status();
  ReadLosses(port);
  port->lost_before = port->lost.load();
  port->too_long_before = port->too_long.load();
  auto old = std::exchange(port->ends, nullptr);
  const auto connect = [this] {
    for (const auto& worker : workers_)
      worker->Do([&] {
        for (const auto& queue : worker->queues()) Connect(queue.get());
        worker->ReadDescriptors();
      });
  };
  connect();  // no worker uses the old ends any more
  old.reset();
  port->promiscuous = Promiscuous();
  port->guard = StackGuard();
  {
    const std::lock_guard<std::mutex> no_reader(snapshot_);
    port->interface = *std::move(interface);
  }
  absl::Status opened = OpenPort(port);
  if (!opened.ok()) {
    const std::lock_guard<std::mutex> no_reader(snapshot_);
    port->link = kLinkGone;
    return opened;
  }
  connect();
  return Begin(*port);
}

// Adds up what the port's ends counted.
void SocketPath::ReadLosses(Port* port) {
  if (port->ends == nullptr) return;
  uint64_t lost = port->lost_before, too_long = port->too_long_before;
  for (const auto& rx : port->ends->rx) lost += rx->Losses().full;
  for (const auto& tx : port->ends->tx) too_long += tx->too_long();
  port->lost.store(lost);
  port->too_long.store(too_long);
}

// What somebody changed on interfaces that stayed, and what the last second lost.
void SocketPath::LookAtSetups(Clock::time_point now) {
  next_setup_look_ = now + kSetupInterval;
  for (const auto& port : ports_) {
    const auto found = ReadSetup(port->interface.index);
    if (port->link == kLinkGone || !found.has_value()) continue;
    const std::string subject = absl::StrCat("port ", port->spec.name);
    SetSetupFaults(subject, port->opened, *found, {.unserved = "", .behind_gro = true}, &faults_,
                   now);
    const bool lost = std::exchange(port->lost_seen, port->lost.load()) != port->lost.load();
    faults_.Set(subject, "ring_full", lost,
                lost ? absl::StrCat("frames of ", port->spec.device,
                                    " are lost before the policy, because its ring is full "
                                    "(ring_full_packets); more queues share the work: --queues")
                     : absl::StrCat("the ring of ", port->spec.device, " has room"),
                now);
    const bool longer =
        std::exchange(port->too_long_seen, port->too_long.load()) != port->too_long.load();
    SetTooLong(subject, port->spec.device, found->mtu, longer, &faults_, now);
    SetPreceded(subject, port->spec.device, port->guard.Preceded(),
                "the host's own stack receives the port's frames, too", &faults_, now);
  }
}

}  // namespace twinpath
