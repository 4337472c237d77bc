// SPDX-License-Identifier: BSD-3-Clause
// Sends frames out of a kernel interface by bpf/generate.bpf.c, in BPF_PROG_TEST_RUN's live frames
// mode (Linux 5.18): a system call sends up to a million frames, and copies none of them. In the
// calling thread's network namespace; one thread.

#ifndef TWINPATH_XDP_TRAFFIC_LIVE_SENDER_H_
#define TWINPATH_XDP_TRAFFIC_LIVE_SENDER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "src/kernel/link/link.h"
#include "src/kernel/namespace_thread.h"
#include "src/traffic/frames/plan.h"
#include "src/traffic/send/packet_sender.h"
#include "src/traffic/send/sender.h"

struct generate_bpf;

namespace twinpath {

class LiveSender : public Sender {
 public:
  // The longest frame: the kernel keeps each of them in a page of 4,096 bytes.
  static constexpr uint32_t kLongest = 3'200;

  // FailedPrecondition: the interface is down, its MTU is too small, or its driver takes no frames
  // from XDP (a veth whose peer has neither an XDP program nor GRO would lose them uncounted).
  // InvalidArgument: frames above kLongest. Other errors quote the kernel. Needs CAP_BPF (or
  // CAP_SYS_ADMIN) and CAP_NET_ADMIN.
  static absl::StatusOr<std::unique_ptr<LiveSender>> Create(const Link& link, const Plan& plan);
  ~LiveSender() override;

  absl::StatusOr<uint32_t> Send(uint32_t count) override;
  uint32_t most() const override { return kMost; }
  uint64_t dropped() override { return counts_.Dropped(sent_); }

 private:
  static constexpr uint32_t kMost = 1 << 16;
  struct Destroy {
    void operator()(generate_bpf* skeleton) const;
  };
  LiveSender(const Link& link, std::vector<uint8_t> frame)
      : name_(link.name), counts_(link.index, link.name), frame_(std::move(frame)) {}
  absl::Status Load(const Link& link, const Plan& plan);
  void Register();

  std::string name_;
  InterfaceCounts counts_;
  uint64_t sent_ = 0;
  std::vector<uint8_t> frame_;
  std::unique_ptr<generate_bpf, Destroy> skeleton_;
  std::unique_ptr<NamespaceThread> registered_;  // see Register
};

}  // namespace twinpath

#endif  // TWINPATH_XDP_TRAFFIC_LIVE_SENDER_H_
