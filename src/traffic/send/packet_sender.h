// SPDX-License-Identifier: BSD-3-Clause
// Sends frames by an AF_PACKET socket: out of any kernel interface, without preparation. In the
// calling thread's network namespace; one thread.

#ifndef TWINPATH_TRAFFIC_SEND_PACKET_SENDER_H_
#define TWINPATH_TRAFFIC_SEND_PACKET_SENDER_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/link.h"
#include "src/traffic/frames/frame_source.h"
#include "src/traffic/send/sender.h"

namespace twinpath {

// What became of frames that were handed to an interface since this object was made, by its own
// counts, which have the frames of other senders, too.
class InterfaceCounts {
 public:
  InterfaceCounts(uint32_t index, std::string name)
      : index_(index), name_(std::move(name)), before_(ReadLink(index).value_or(Link())) {
    last_ = before_;
  }
  // Unavailable: the interface disappeared, or is down. Looks every 5 ms, and keeps the counts.
  absl::Status Check();
  // The same, at once.
  absl::Status CheckNow();
  // How many of `handed` frames were dropped: those that the interface counts as dropped, or does
  // not count as sent; the greater number. Waits up to half a second for frames that are under way.
  // Where the interface has disappeared, its last known counts decide: the frames after them count
  // as dropped.
  uint64_t Dropped(uint64_t handed);
  bool gone() const { return gone_; }  // when it was last looked at

 private:
  void Read();
  uint32_t index_;
  std::string name_;
  Link before_, last_;
  bool gone_ = false;
  uint64_t looked_ = 0;  // MonotonicNow()
};

// sendmmsg(2) past the queueing disciplines.
class PacketSender : public Sender {
 public:
  // `source` must outlive the sender. FailedPrecondition: the interface is down, or its MTU is too
  // small for the longest frame.
  static absl::StatusOr<std::unique_ptr<PacketSender>> Create(const Link& link,
                                                              const FrameSource& source);

  absl::StatusOr<uint32_t> Send(uint32_t count) override;
  uint32_t most() const override { return kMost; }
  uint64_t dropped() override;

 private:
  static constexpr uint32_t kMost = 64;
  PacketSender(FileDescriptor socket, const Link& link, const FrameSource& source);

  FileDescriptor socket_;
  std::string name_;
  const FrameSource& source_;
  InterfaceCounts counts_;
  uint64_t next_ = 0;     // frame
  uint64_t refused_ = 0;  // frames that the kernel did not accept
  std::vector<std::vector<uint8_t>> frames_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> messages_;
};

// The error of an interface that cannot send the frames: down, or its MTU is too small.
absl::Status CheckLink(const Link& link, uint32_t longest);

}  // namespace twinpath

#endif  // TWINPATH_TRAFFIC_SEND_PACKET_SENDER_H_
