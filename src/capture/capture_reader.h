// SPDX-License-Identifier: BSD-3-Clause
// Reads Ethernet captures, pcap and pcapng, frame by frame. Main thread.

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
  // Opens the file at `path`. InvalidArgument, with the path, if it cannot be opened, is not a
  // capture, or has another link type than Ethernet.
  static absl::StatusOr<Capture> Open(const std::string& path);

  // Returns the captured bytes of the next frame, valid until the next call; nullopt at the end of
  // the file. DataLoss, with the file and the packet's number (from 1, as in other tools), if the
  // file ends or is damaged within a packet.
  absl::StatusOr<std::optional<absl::Span<const uint8_t>>> Next();

  const std::string& path() const { return path_; }
  uint64_t frames() const { return frames_; }  // read so far
  int64_t time() const { return time_; }       // of the last frame, in nanoseconds since 1970
  uint32_t length() const { return length_; }  // of the last frame on the wire
  // Frames so far that are incomplete because of the capture's snapshot length.
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
  uint32_t length_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_CAPTURE_CAPTURE_READER_H_
