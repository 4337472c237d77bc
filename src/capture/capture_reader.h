// SPDX-License-Identifier: BSD-3-Clause
// Ethernet captures, pcap and pcapng, frame by frame, by libpcap. Main thread.

#ifndef TWINPATH_CAPTURE_CAPTURE_READER_H_
#define TWINPATH_CAPTURE_CAPTURE_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

struct pcap;

namespace twinpath {

class Capture {
 public:
  // Opens the file at `path`. Fails, naming it, where it is not there, is no capture, or holds
  // anything but Ethernet frames (then naming the link type).
  static absl::StatusOr<Capture> Open(const std::string& path);

  // The next frame, as much of it as was captured; it holds until the next call. nullopt at the end
  // of the file. DataLoss, naming the file and the packet's number (from 1, as other tools count),
  // where the file ends, or breaks, within a packet.
  absl::StatusOr<std::optional<absl::Span<const uint8_t>>> Next();

  const std::string& path() const { return path_; }
  uint64_t frames() const { return frames_; }  // read so far
  int64_t time() const { return time_; }       // of the last one read, in nanoseconds since 1970
  // Of those, cut short by the snapshot length of whoever captured them.
  uint64_t cut() const { return cut_; }

 private:
  struct Close {
    void operator()(pcap* handle) const;
  };
  Capture(std::string path, pcap* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  std::unique_ptr<pcap, Close> handle_;
  uint64_t frames_ = 0;
  uint64_t cut_ = 0;
  int64_t time_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_CAPTURE_CAPTURE_READER_H_
