// SPDX-License-Identifier: BSD-3-Clause
// Creates and ends the XDP path, and takes its snapshots.

#include "src/xdp/xdp_path.h"

#include <linux/if_link.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/kernel/clock.h"
#include "src/kernel/xdp_program.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/program/snapshot.h"

namespace twinpath {

XdpPath::XdpPath(const Policy& policy, const XdpOptions& options)
    : options_(options), policy_(policy), faults_(options.on_message) {
  header_.path = "xdp";
  header_.version = TWINPATH_VERSION;
}

absl::StatusOr<std::unique_ptr<XdpPath>> XdpPath::Create(const Policy& policy,
                                                         CompiledPolicy compiled,
                                                         const XdpOptions& options) {
  std::unique_ptr<XdpPath> path(new XdpPath(policy, options));
  absl::Status status = path->CheckPorts();
  if (!status.ok()) return status;
  std::vector<uint32_t> queues;
  for (const Port& port : path->ports_) queues.push_back(port.interface.rx_queues);
  std::vector<std::string> names;
  std::vector<uint32_t> indexes;
  std::vector<bool> xdp_tx;
  uint32_t completes = 0;
  for (const Port& port : path->ports_) {
    if (twinpath::CompletesChecksums(port.spec.checksums, port.interface.driver))
      completes |= 1U << names.size();
    names.push_back(port.spec.name);
    indexes.push_back(port.interface.index);
    // XDP_TX on a veth wakes the peer only if the peer has an XDP program (veth_xdp_flush). A
    // redirected frame always wakes the peer.
    xdp_tx.push_back(port.interface.driver != "veth");
  }
  auto run = XdpRun::Create(std::move(compiled), OutPorts(names, indexes, xdp_tx),
                            {.queues = queues,
                             .flow_memory = options.flow_memory,
                             .reloadable = true,
                             .clock_given = false,
                             .completes = completes});
  if (!run.ok()) return run.status();
  path->run_ = *std::move(run);
  path->decisions_.emplace(path->run_->policy().rules);
  // Sets the origin of times now, because frames arrive as soon as the first port is attached. Sets
  // it again when all ports are attached, because the verifier may take a second.
  path->run_->SetOrigin(CoarseNow());
  path->start_ = std::chrono::steady_clock::now();
  status = path->AttachAll();
  for (Port& port : path->ports_) ReadOpened(&port);
  path->origin_ = CoarseNow();
  path->run_->SetOrigin(path->origin_);
  if (status.ok() && options.pin) status = path->Pin();
  if (!status.ok()) {
    path->RemovePins();
    path->DetachAll();
    return status;
  }
  return path;
}

XdpPath::~XdpPath() { (void)Stop().ok(); }

absl::Status XdpPath::CheckPorts() {
  absl::Status status = CheckXdpPrivileges();
  if (!status.ok()) return status;
  for (const PortSpec& spec : options_.ports) {
    auto interface = FindInterface(spec.name, spec.device);
    if (!interface.ok()) return interface.status();
    for (const Port& other : ports_) {
      if (other.interface.index == interface->index)
        return absl::InvalidArgumentError(absl::StrCat("ports ", other.spec.name, " and ",
                                                       spec.name, " are the same interface, ",
                                                       interface->name));
    }
    auto attached = ReadXdp(interface->index);
    if (!attached.ok()) return attached.status();
    if (attached->program != 0) {
      const std::string program = XdpProgramName(attached->program);
      return absl::FailedPreconditionError(absl::StrCat(
          "port ", spec.name, ": interface ", spec.device, " already has the XDP program ",
          program.empty() ? "(unnamed)" : program, " (id ", attached->program,
          "); to detach it, stop the program that owns it, or: ",
          XdpDetachCommand(interface->index, interface->name, *attached)));
    }
    if (options_.pin) {
      status = CheckPins(spec.name);
      if (!status.ok()) return status;
    }
    ports_.emplace_back();
    ports_.back().spec = spec;
    ports_.back().interface = *std::move(interface);
  }
  return absl::OkStatus();
}

absl::Status XdpPath::AttachAll() {
  absl::Status status;
  for (Port& port : ports_) ReceiveAll(&port);
  for (size_t i = 0; i < ports_.size(); i++) SetOutPort(i);
  for (size_t i = 0; i < ports_.size() && status.ok(); i++) status = Attach(i);
  if (!status.ok()) return status;
  const std::string why = Unreachable(run_->policy());
  if (why.empty()) return status;
  if (options_.mode == XdpMode::kNative) return absl::FailedPreconditionError(why);
  DetachAll();
  for (size_t i = 0; i < ports_.size() && status.ok(); i++) status = AttachGeneric(i, why);
  return status;
}

uint32_t XdpPath::SentToFromNative(const CompiledPolicy& policy) const {
  uint32_t sent_to = 0;
  for (size_t i = 0; i < ports_.size(); i++)
    if (ports_[i].mode == "native") sent_to |= policy.sends[i];
  return sent_to;
}

std::string XdpPath::WhyUnreachable(const Port& port) {
  return absl::StrCat("takes no frames from native mode",
                      port.interface.driver == "veth"
                          ? ": its peer has no GRO (ethtool -K PEER gro on fixes that), or more TX "
                            "queues than it has RX queues"
                          : "");
}

std::string XdpPath::Unreachable(const CompiledPolicy& policy) const {
  const uint32_t sent_to = SentToFromNative(policy);
  for (size_t i = 0; i < ports_.size(); i++) {
    const Port& port = ports_[i];
    if ((sent_to >> i & 1) == 0 || TakesNativeFrames(port.interface)) continue;
    return absl::StrCat("port ", port.spec.name, " (", port.spec.device, ") ",
                        WhyUnreachable(port));
  }
  return "";
}

absl::StatusOr<int> XdpPath::Try(Port& port, size_t index, XdpFrames frames, uint32_t flags) {
  auto program = run_->Program(index, frames);
  if (!program.ok()) return program.status();
  const int error = port.attachment.Attach(*program, port.interface.index, flags);
  if (error != 0) return error;
  port.frames = frames;
  port.attached = *program;
  return 0;
}

absl::Status XdpPath::Attach(size_t index) {
  Port& port = ports_[index];
  if (options_.mode == XdpMode::kGeneric) return AttachGeneric(index, "as asked");
  // Tries a program without fragments first, because fragments cost a helper call for each packet.
  // The kernel refuses that program if a frame of the MTU does not fit into one piece. Without
  // fragments, the peer of a veth also sends no oversized segments.
  const auto error = Try(port, index, XdpFrames::kPlain, XDP_FLAGS_DRV_MODE);
  if (!error.ok()) return error.status();
  port.mode = "native";
  port.why = "the driver supports XDP";
  if (*error == 0) return absl::OkStatus();
  // This fails on kernels before 5.18, which have no fragments.
  const auto fragments = Try(port, index, XdpFrames::kFragments, XDP_FLAGS_DRV_MODE);
  port.why = "the driver supports XDP; frames of its MTU come in fragments";
  if (fragments.ok() && *fragments == 0) return absl::OkStatus();
  const std::string refusal = NativeXdpRefusal(port.interface.driver, *error);
  if (options_.mode == XdpMode::kNative)
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.spec.name, " (", port.spec.device, "): ", refusal));
  return AttachGeneric(index, refusal);
}

absl::Status XdpPath::NoTags(const Port& port, const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat(
      "port ", port.spec.name, " (", port.spec.device, "): generic mode (", why,
      ") sees frames after the kernel removed their VLAN tags, and the policy matches \"vlan\""));
}

void XdpPath::DetachAll() {
  for (Port& port : ports_) {
    port.attachment.Detach();
    port.long_frames = FileDescriptor();
  }
}

// In generic mode, lets the port forward segments that their sender has not cut (TSO). If the
// kernel does not support that, such segments are dropped and counted, and the log says so.
void XdpPath::SendLongFrames(size_t index) {
  Port& port = ports_[index];
  absl::Status status;
  if (long_frames_ == nullptr) {
    auto loaded = LongFrames::Load(run_->maps());
    if (loaded.ok()) long_frames_ = *std::move(loaded);
    status = loaded.status();
  }
  if (status.ok()) {
    auto attached = long_frames_->Attach(port.interface.index);
    if (attached.ok()) port.long_frames = *std::move(attached);
    status = attached.status();
  }
  run_->maps().SetLongFrames(index, status.ok());
  if (status.ok()) return;
  port.notes.push_back(absl::StrCat(
      "port ", port.spec.name, ": ", port.spec.device,
      " drops uncut TCP segments (TSO) and counts them as tx_full, because generic "
      "mode needs Linux 6.6 to send them (",
      status.message(), "); turn TSO off at the senders: ethtool -K IFACE tso off gso off"));
}

// Generic mode finishes no checksums: the kernel keeps track of unfinished ones, and its NICs
// finish them. But a TAP device passes frames to a program, which does not get this information.
absl::Status XdpPath::LeaveChecksums(Port& port, const std::string& why) {
  if (port.spec.checksums == Checksums::kComplete)
    return absl::FailedPreconditionError(absl::StrCat(
        "port ", port.spec.name, " (", port.spec.device, "): generic mode (", why,
        ") finishes no checksums, and --checksums complete asks for it; use native mode, or "
        "--checksums leave"));
  if (port.interface.driver == "tun")
    port.notes.push_back(absl::StrCat(
        "port ", port.spec.name, ": in generic mode, frames that leave by the TAP device ",
        port.spec.device,
        " keep unfinished checksums, and hosts behind it drop them; use native mode, or turn "
        "checksum offload off at the senders: ethtool -K IFACE tx off"));
  return absl::OkStatus();
}

absl::Status XdpPath::AttachGeneric(size_t index, const std::string& why) {
  Port& port = ports_[index];
  if (run_->policy().matches_vlan) return NoTags(port, why);
  if (absl::Status status = LeaveChecksums(port, why); !status.ok()) return status;
  SendLongFrames(index);
  const auto error = Try(port, index, XdpFrames::kShared, XDP_FLAGS_SKB_MODE);
  if (!error.ok()) return error.status();
  if (*error != 0)
    return absl::FailedPreconditionError(
        absl::StrCat("port ", port.spec.name, " (", port.spec.device,
                     "): attaching in generic mode: ", std::strerror(*error)));
  port.mode = "generic";
  port.why = why;
  return absl::OkStatus();
}

absl::Status XdpPath::Pin() {
  for (Port& port : ports_) {
    const std::string folder = PinFolder(port.spec.name);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      return absl::InternalError(
          absl::StrCat("port ", port.spec.name, ": making ", folder, ": ", error.message()));
    absl::Status status = port.attachment.Pin(folder + "/link");
    if (port.long_frames.get() >= 0)
      status.Update(PinLink(port.long_frames.get(), folder + "/long_frames"));
    status.Update(run_->maps().Pin(folder));
    status.Update(run_->generation().Pin(folder));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void XdpPath::RemovePins() {
  // CheckPorts has made sure that these folders did not exist before.
  if (!options_.pin) return;
  std::error_code ignored;
  for (const Port& port : ports_) {
    const std::filesystem::path folder = PinFolder(port.spec.name);
    std::filesystem::remove_all(folder, ignored);
    std::filesystem::remove(folder.parent_path(), ignored);  // fails if it is not empty
  }
}

// Waits until every program run that began before the call has ended, on all CPUs.
void XdpPath::WaitForRunningPrograms() {
  // The kernel implements this memory barrier as an RCU grace period, which waits for the programs.
  // The call fails with nohz_full: then sleeps longer than any packet takes.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

absl::Status XdpPath::Stop() {
  std::lock_guard<std::mutex> one(reload_);
  if (ran_ns_.load() >= 0) return absl::OkStatus();
  for (Port& port : ports_) {
    if (!options_.pin) port.attachment.Detach();
    port.promiscuous = Promiscuous();
  }
  WaitForRunningPrograms();
  // Closed last, so that frames that the XDP programs left to it have been sent.
  for (Port& port : ports_) port.long_frames = FileDescriptor();
  ran_ns_.store(std::chrono::nanoseconds(std::chrono::steady_clock::now() - start_).count());
  if (options_.pin && run_ != nullptr)  // null: the start was refused
    for (size_t i = 0; i < ports_.size(); i++) SetOutPort(i);
  return absl::OkStatus();
}

Snapshot XdpPath::TakeSnapshot() const {
  std::lock_guard<std::mutex> one(snapshot_);
  Snapshot snapshot = header_;
  snapshot.seed = policy_.seed;
  snapshot.policy_file = policy_.file;
  snapshot.policy_sha256 = policy_.sha256;
  snapshot.reloads = {.done = reloads_.load(),
                      .rejected = rejected_.load(),
                      .longest_switch_ns = 0,  // no queue waits for a reload
                      .retired = run_->streams().retired()};
  const int64_t ran = ran_ns_.load();
  const auto duration = ran >= 0
                            ? std::chrono::nanoseconds(ran)
                            : std::chrono::nanoseconds(std::chrono::steady_clock::now() - start_);
  snapshot.duration_s = std::chrono::duration<double>(duration).count();
  snapshot.faults = faults_.List();
  snapshot.flow_places = run_->maps().flows().places();
  snapshot.flow_bytes = run_->maps().flows().bytes();
  for (size_t i = 0; i < ports_.size(); i++) {
    const Port& port = ports_[i];
    AppendPort(*run_, i,
               {.name = port.spec.name,
                .device = port.spec.device,
                .driver = port.interface.driver,
                .mode = port.mode,
                .why = port.why,
                .queues = 0,
                .extra = {},
                .rss = {},
                .link = port.link},
               &snapshot);
  }
  decisions_->Fill(&snapshot.rules, &snapshot.reloads.retired);
  return snapshot;
}

}  // namespace twinpath
