// SPDX-License-Identifier: BSD-3-Clause
// Watches the ports of a running path, and attaches again to interfaces that disappeared and came
// back. Runs in the thread that created the path. Telemetry shows each change before the log does.

#include <linux/if_link.h>
#include <net/if.h>

#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/kernel/xdp_program.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/xdp_path.h"

namespace twinpath {

void XdpPath::Watch(Clock::time_point now) {
  for (size_t i = 0; i < ports_.size(); i++) {
    Port& port = ports_[i];
    const std::string subject = absl::StrCat("port ", port.spec.name);
    const bool was_gone = port.link == kLinkGone;
    const bool stayed = port.attachment.Holds() && run_->out_ports().Entered(port.attached, i);
    const std::string link = stayed ? LinkState(port.interface.index) : std::string(kLinkGone);
    if (link != kLinkGone) {
      const char* line =
          link == kLinkUp ? "link up" : "link down; packets for it are lost, and count as tx";
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
    if (if_nametoindex(port.spec.device.c_str()) == 0) continue;
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
  faults_.Tick(now);
}

// Detaches explicitly, because an interface that moved to another network namespace still carries
// the program.
void XdpPath::DetachMissing(size_t index) {
  std::lock_guard<std::mutex> one(reload_);
  ports_[index].attachment.Detach();
  std::lock_guard<std::mutex> no_reader(snapshot_);
  ports_[index].link = kLinkGone;
  run_->out_ports().Set(index, 0);  // for programs that a reload loads now
}

absl::Status XdpPath::PinAgain(Port& port) {
  const std::string path = PinFolder(port.spec.name) + "/link";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return port.attachment.Pin(path);
}

// Attaches the same program in the same mode as before. It keeps its counters and streams.
absl::Status XdpPath::AttachAgain(size_t index) {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::UnavailableError("the program is ending");
  Port& port = ports_[index];
  auto interface = FindInterface(port.spec.name, port.spec.device);
  if (!interface.ok()) return interface.status();
  auto attached = ReadXdp(interface->index);
  if (!attached.ok()) return attached.status();
  if (attached->program != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.spec.name, ": interface ", port.spec.device,
                     " is back, but carries another XDP program (id ", attached->program,
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
  port.attachment = std::move(link);
  port.link = kLinkUp;
  if (options_.pin) return PinAgain(port);
  return absl::OkStatus();
}

}  // namespace twinpath
