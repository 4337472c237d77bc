// SPDX-License-Identifier: BSD-3-Clause
// Creates the exception port's interface and configures it in the kernel. Control thread.

#include "src/dpdk/port/exception_port.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/kernel/link/hand_over.h"
#include "src/kernel/link/link.h"
#include "src/policy/random.h"

namespace twinpath {
namespace {

// Sets the interface's MTU and brings it up.
absl::Status BringUp(const std::string& interface, uint32_t mtu) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket(AF_INET)");
  ifreq request = {};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_mtu = static_cast<int>(mtu);
  bool done = ioctl(fd, SIOCSIFMTU, &request) == 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  int error = errno;
  close(fd);
  if (done) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("bringing up ", interface));
}

// Turns off strict reverse-path filtering on our own interface. The addresses of the port's network
// may be on another interface; the filter would then drop the frames that arrive here.
void AcceptAnySource(const std::string& interface) {
  std::ofstream("/proc/sys/net/ipv4/conf/" + interface + "/rp_filter") << "0\n";
}

// Sets whether our own interface answers ARP for addresses of other interfaces. It must not if the
// port's interface answers, because every request would get two answers.
void AnswerForOthers(const std::string& interface, bool answer) {
  std::ofstream("/proc/sys/net/ipv4/conf/" + interface + "/arp_ignore") << (answer ? "0\n" : "1\n");
}

// The largest number of exception queues, at most `most`, such that no two lcores share a queue.
// Queue q uses exception queue q modulo that number, and belongs to lcore q modulo `lcores`. 0:
// there is no such number.
uint32_t ExceptionQueues(uint32_t queues, uint32_t lcores, uint32_t most) {
  return queues <= most ? queues : most / lcores * lcores;
}

Vdev VirtioUser(const ExceptionRequest& request, const std::string& interface) {
  return {absl::StrCat("net_virtio_user_", request.port_name),
          absl::StrCat("path=", kVhostNet, ",queues=", request.queues,
                       ",queue_size=1024,iface=", interface, ",mac=", request.mac)};
}

Vdev Tap(const ExceptionRequest& request, const std::string& interface) {
  return {absl::StrCat("net_tap_", request.port_name),
          absl::StrCat("iface=", interface, ",mac=", request.mac)};
}

absl::StatusOr<Ethdev> PlugIn(const ExceptionRequest& request, const std::string& interface) {
  if (request.path == ExceptionPath::kVirtioUser ||
      (request.path == ExceptionPath::kAuto && VhostNetThere())) {
    auto ethdev = Ethdev::Plug(VirtioUser(request, interface));
    if (ethdev.ok() || request.path == ExceptionPath::kVirtioUser) return ethdev;
  }
  return Ethdev::Plug(Tap(request, interface));
}

}  // namespace

bool VhostNetThere() { return access(kVhostNet, R_OK | W_OK) == 0; }

std::string ExceptionInterface(const std::string& port_name) {
  std::string name = absl::StrCat("tp-", port_name);
  if (name.size() < IFNAMSIZ) return name;
  const uint64_t hash = tp_name_hash(port_name.data(), port_name.size());
  return absl::StrCat(name.substr(0, IFNAMSIZ - 6), absl::StrFormat("-%04x", hash & 0xffff));
}

absl::StatusOr<ExceptionPort> ExceptionPort::Create(const ExceptionRequest& request) {
  const std::string interface = ExceptionInterface(request.port_name);
  auto fail = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("port ", request.port_name, ": exception port ",
                                                    interface, ": ", status.message()));
  };
  auto ethdev = PlugIn(request, interface);
  if (!ethdev.ok()) return fail(ethdev.status());
  const rte_eth_dev_info about = ethdev->info();
  const uint32_t queues = ExceptionQueues(request.queues, request.lcores,
                                          std::min(about.max_rx_queues, about.max_tx_queues));
  if (queues == 0) {
    return fail(absl::FailedPreconditionError(
        absl::StrCat(about.driver_name, " has too few queues for ", request.lcores, " lcores")));
  }
  absl::Status started = ethdev->Start({.queues = static_cast<uint16_t>(queues),
                                        .rx_descriptors = 1024,
                                        .tx_descriptors = 1024,
                                        .mtu = request.mtu,
                                        .promiscuous = false,
                                        .mempool = request.mempool,
                                        .interrupts = request.interrupts});
  if (!started.ok()) return fail(started);
  absl::Status up = BringUp(interface, request.mtu);
  if (!up.ok()) return fail(up);
  AcceptAnySource(interface);
  return ExceptionPort(request, *std::move(ethdev), interface, queues);
}

ExceptionPort::ExceptionPort(const ExceptionRequest& request, Ethdev ethdev, std::string interface,
                             uint32_t queues)
    : request_(request),
      ethdev_(std::move(ethdev)),
      interface_(std::move(interface)),
      index_(IndexOfLink(interface_)),
      queues_(queues) {
  SetReceiver(request_.receiver);
  // Reopen must create the same kind of interface.
  request_.path =
      absl::StrContains(driver(), "virtio") ? ExceptionPath::kVirtioUser : ExceptionPath::kTap;
}

absl::Status ExceptionPort::Reopen() {
  const std::string name =
      absl::StrCat("port ", request_.port_name, ": exception port ", interface_);
  if (IndexOfLink(interface_) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": another interface of this name exists: ip link del ", interface_));
  auto again = Create(request_);
  if (!again.ok()) return again.status();
  if (again->queues_ != queues_)
    return absl::FailedPreconditionError(absl::StrCat(name, " has another number of queues now"));
  ethdev_.emplace(*std::move(again->ethdev_));
  index_ = again->index_;
  receiver_ = again->receiver_;
  handed_over_ = again->handed_over_;
  return absl::OkStatus();
}

void ExceptionPort::SetReceiver(uint32_t receiver) {
  request_.receiver = receiver;
  const auto link = ReadLink(index_);
  const uint32_t wanted = link.has_value() && link->master == 0 ? receiver : 0;
  if (wanted == receiver_) return;
  receiver_ = wanted;
  handed_over_ = absl::OkStatus();
  if (wanted == 0)
    EndHandOver(index_);
  else
    handed_over_ = HandOver(index_, wanted);
  AnswerForOthers(interface_, wanted == 0 || !handed_over_.ok());
}

QueueEnd ExceptionPort::to_kernel(uint32_t queue) const {
  return {.ethdev = ethdev_->port(),
          .queue = static_cast<uint16_t>(queue % queues_),
          .longest_chain = ethdev_->longest_chain()};
}

}  // namespace twinpath
