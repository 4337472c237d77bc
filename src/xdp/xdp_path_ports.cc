// SPDX-License-Identifier: BSD-3-Clause
// Watches the ports of a running path, and attaches again to interfaces that disappeared and came
// back. Runs on the thread that created the path. Telemetry shows each change before the log does.

#include <linux/if_link.h>
#include <net/if.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/classifier.h"
#include "src/kernel/link/link.h"
#include "src/kernel/shell_word.h"
#include "src/kernel/xdp_program.h"
#include "src/policy/count.h"
#include "src/telemetry/setup_faults.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/xdp_path.h"

namespace twinpath {
namespace {

// How often the set-up of the interfaces is checked. It costs some system calls per port.
constexpr std::chrono::seconds kSetupInterval(1);

bool IsUp(uint32_t index) {
  const auto link = ReadLink(index);
  return link.has_value() && (link->flags & IFF_UP) != 0;
}

}  // namespace

// Follows the kernel's rule for redirects, xdp_ok_fwd_dev. Frames for an interface that is gone
// have no entry in the devmap, and count as no_port. Pinned programs may outlive this watcher, so
// they must not store "down", which would stay forever; after the run they do not store the MTU in
// native mode either. In generic mode they need the MTU to recognize uncut segments.
void XdpPath::SetOutPort(size_t index) {
  const uint32_t interface = ports_[index].interface.index;
  const auto link = ReadLink(interface);
  if (!link.has_value())
    run_->maps().SetOutPort(index, 0, UINT32_MAX);
  else if (options_.pin && ran_ns_.load() >= 0 && ports_[index].mode == "native")
    run_->maps().SetOutPort(index, interface, UINT32_MAX);
  else
    run_->maps().SetOutPort(index, interface,
                            link->flags & IFF_UP || options_.pin ? LongestFrame(link->mtu) : 0);
}

void XdpPath::Watch(Clock::time_point now) {
  for (size_t i = 0; i < ports_.size(); i++) {
    Port& port = ports_[i];
    const std::string subject = absl::StrCat("port ", port.spec.name);
    for (const std::string& note : std::exchange(port.notes, {})) faults_.Note(note);
    const bool was_gone = port.link == kLinkGone;  // and is detached
    const bool stayed = port.attachment.Holds() && run_->out_ports().Entered(port.attached, i);
    const std::string link = stayed ? LinkState(port.interface.index) : std::string(kLinkGone);
    if (link != kLinkGone) {
      SetOutPort(i);
      const char* line = link == kLinkUp ? "link up"
                         : IsUp(port.interface.index)
                             ? "link down; packets for it are lost, and count as tx"
                             : "link down; packets for it are dropped, and count as tx_full";
      {
        const std::lock_guard<std::mutex> no_reader(snapshot_);
        port.link = link;
      }
      faults_.Set(subject, "link_down", link == kLinkDown, line, now);
      continue;
    }
    if (!was_gone) {
      DetachMissing(i);
      faults_.Set(subject, "gone", true,
                  absl::StrCat(port.spec.device,
                               " disappeared; packets for it count as no_port; other ports are "
                               "unaffected"),
                  now);
    }
    if (!InterfaceExists(i)) continue;
    absl::Status attached = AttachAgain(i);
    if (attached.ok()) {
      port.refusal.clear();
      faults_.Set(subject, "gone", false,
                  absl::StrCat("recovered: ", port.spec.device, ", ", port.mode, " mode"), now);
    } else if (port.refusal != attached.message()) {
      port.refusal = std::string(attached.message());
      faults_.Note(port.refusal);
    }
  }
  if (now >= next_setup_look_) LookAtSetups(now);
  faults_.Tick(now);
}

// Records the interface after the program was attached, because attaching may change it.
void XdpPath::ReadOpened(Port* port) {
  port->opened = ReadSetup(port->interface.index).value_or(LinkSetup());
  port->opened.rx_queues = port->interface.rx_queues;
}

// Reports changes to the set-up of interfaces that exist.
void XdpPath::LookAtSetups(Clock::time_point now) {
  next_setup_look_ = now + kSetupInterval;
  uint32_t sent_to = 0;
  {
    const std::lock_guard<std::mutex> no_reload(snapshot_);
    sent_to = SentToFromNative(run_->policy());
  }
  for (size_t i = 0; i < ports_.size(); i++) {
    const Port& port = ports_[i];
    const auto found = ReadSetup(port.interface.index);
    if (port.link == kLinkGone || !found.has_value()) continue;
    const std::string subject = absl::StrCat("port ", port.spec.name);
    // The kernel does not run the program on new queues of a veth. On other interfaces the program
    // drops frames of queues that it has no tables for.
    const bool bypassed = port.mode == "native" && port.interface.driver == "veth";
    SetSetupFaults(subject, port.opened, *found,
                   {.unserved = bypassed ? "go to the kernel, without the policy"
                                         : "are dropped and counted as stray_packets",
                    .behind_gro = port.mode == "generic"},
                   &faults_, now);
    const uint64_t too_long = tp_count_load(&run_->maps().too_long(i).packets);
    const bool longer = std::exchange(ports_[i].too_long, too_long) != too_long;
    SetTooLong(subject, port.spec.device, found->mtu, longer, &faults_, now);
    SetPreceded(subject, port.spec.device,
                FirstOfOthers(port.interface.index, ClassifierHook::kIngress, port.long_frames),
                "uncut TCP segments (TSO) are lost, and no counter has them", &faults_, now);
    const bool unreachable = (sent_to >> i & 1) != 0 && !TakesNativeFrames(port.interface);
    faults_.Set(subject, "unreachable", unreachable,
                unreachable ? absl::StrCat(port.spec.device, " ", WhyUnreachable(port),
                                           "; frames sent there vanish and count as sent")
                            : absl::StrCat(port.spec.device, " takes frames from native mode"),
                now);
  }
}

// Detaches from an interface that is gone. An interface that moved to another network namespace
// still has the program.
void XdpPath::DetachMissing(size_t index) {
  std::lock_guard<std::mutex> one(reload_);
  Port& port = ports_[index];
  // Another interface may have the index now.
  const bool stays =
      port.promiscuous.Holds() || NameOfLink(port.interface.index) == port.interface.name;
  if (!stays) port.interface.index = 0;
  port.attachment.Detach();
  port.long_frames = FileDescriptor();
  run_->maps().SetOutPort(index, 0, UINT32_MAX);
  std::lock_guard<std::mutex> no_reader(snapshot_);
  port.link = kLinkGone;
  run_->out_ports().Set(index, 0);  // for programs that are loaded before it comes back
}

// Lets the port's interface receive frames for any MAC address. Without the privilege to do so, the
// interface stays as it is, and the log says so.
void XdpPath::ReceiveAll(Port* port) {
  auto held = Promiscuous::Hold(port->interface.index);
  if (held.ok()) {
    port->promiscuous = *std::move(held);
    return;
  }
  const auto link = ReadLink(port->interface.index);
  if (link.has_value() && link->flags & IFF_PROMISC) return;
  port->notes.push_back(
      absl::StrCat("port ", port->spec.name, ": ", port->spec.device,
                   " receives frames for its own MAC addresses only: ", held.status().message(),
                   "; for all frames, grant CAP_NET_RAW, or: ip link set dev ",
                   ShellWord(port->spec.device), " promisc on"));
}

absl::Status XdpPath::PinAgain(Port& port) {
  const std::string path = PinFolder(port.spec.name) + "/link";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return port.attachment.Pin(path);
}

// Whether the port's former interface exists, under any name, or another one that has the name that
// the user gave.
bool XdpPath::InterfaceExists(size_t index) {
  Port& port = ports_[index];
  if (port.interface.index != 0 && NameOfLink(port.interface.index).empty()) {
    std::lock_guard<std::mutex> one(reload_);
    port.interface.index = 0;
  }
  return port.interface.index != 0 || IndexOfLink(port.spec.device) != 0;
}

// Attaches the same program in the same mode as before. Its counters and streams continue.
absl::Status XdpPath::AttachAgain(size_t index) {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::UnavailableError("the program is ending");
  Port& port = ports_[index];
  const std::string name = NameOfLink(port.interface.index);
  auto interface = FindInterface(port.spec.name, name.empty() ? port.spec.device : name);
  if (!interface.ok()) return interface.status();
  auto attached = ReadXdp(interface->index);
  if (!attached.ok()) return attached.status();
  if (attached->program != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.spec.name, ": interface ", port.spec.device,
                     " is back, but has another XDP program (id ", attached->program,
                     "); the port receives nothing until that program is detached"));
  }
  XdpLink link;
  const int error = link.Attach(port.attached, interface->index,
                                port.mode == "native" ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
  if (error != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.spec.name, ": interface ", port.spec.device,
                     " is back, but attaching the program in ", port.mode,
                     " mode fails: ", std::strerror(error), "; trying again"));
  }
  if (absl::Status entered = run_->EnterOutPort(index, interface->index); !entered.ok())
    return entered;
  std::lock_guard<std::mutex> no_reader(snapshot_);
  interface->rx_queues = port.interface.rx_queues;  // the tables keep their size
  port.interface = *std::move(interface);
  ReceiveAll(&port);
  ReadOpened(&port);
  if (port.mode == "generic") SendLongFrames(index);
  SetOutPort(index);
  port.attachment = std::move(link);
  port.link = LinkState(port.interface.index);
  if (options_.pin) return PinAgain(port);
  return absl::OkStatus();
}

}  // namespace twinpath
