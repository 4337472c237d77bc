// SPDX-License-Identifier: BSD-3-Clause
// Reads captures by src/capture.

#include "src/traffic/captures.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace twinpath {

absl::StatusOr<Recording> Recording::Load(const std::string& path, bool tagged, uint8_t stream) {
  auto capture = Capture::Open(path);
  if (!capture.ok()) return capture.status();
  Recording recording;
  int64_t first = 0;
  for (;;) {
    const auto next = capture->Next();
    if (!next.ok()) return next.status();
    if (!next->has_value()) break;
    const absl::Span<const uint8_t> bytes = **next;
    if (capture->cut() > 0)
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": packet ", capture->frames(),
          " was cut by the capture's snapshot length: record whole frames (tcpdump -s 0)"));
    if (bytes.size() < 14 || bytes.size() > kLongestTagged)
      return absl::InvalidArgumentError(absl::StrCat(path, ": packet ", capture->frames(), " has ",
                                                     bytes.size(), " bytes, allowed 14 to ",
                                                     kLongestTagged));
    Frame frame = {.at = recording.bytes_.size(),
                   .size = static_cast<uint32_t>(bytes.size()),
                   .before = recording.tagged_};
    if (tagged) {
      auto plan = Plan::OfFrame(bytes, true, stream);
      if (plan.ok()) {
        frame.plan = static_cast<int64_t>(recording.plans_.size());
        recording.plans_.push_back(*std::move(plan));
        recording.tagged_++;
      }
    }
    recording.bytes_.insert(recording.bytes_.end(), bytes.begin(), bytes.end());
    recording.longest_ = std::max(recording.longest_, frame.size);
    if (recording.frames_.empty()) first = capture->time();
    const uint64_t offset = static_cast<uint64_t>(std::max<int64_t>(capture->time() - first, 0));
    recording.offsets_.push_back(
        recording.offsets_.empty() ? 0 : std::max(offset, recording.offsets_.back()));
    recording.frames_.push_back(frame);
  }
  if (recording.frames_.empty())
    return absl::InvalidArgumentError(absl::StrCat(path, ": the capture has no packet"));
  return recording;
}

uint32_t Recording::Size(uint64_t n) const { return frames_[n % frames_.size()].size; }

uint32_t Recording::Write(uint64_t n, uint64_t time, uint8_t* out) const {
  const Frame& frame = frames_[n % frames_.size()];
  if (frame.plan < 0) {
    std::memcpy(out, &bytes_[frame.at], frame.size);
    return frame.size;
  }
  // Tagged frames have consecutive numbers.
  const uint64_t number = n / frames_.size() * tagged_ + frame.before;
  return plans_[static_cast<size_t>(frame.plan)].Write(number, time, out);
}

absl::StatusOr<bool> CaptureInput::Poll(uint64_t, Receiver* receiver) {
  for (int i = 0; i < 1024; i++) {
    const auto next = capture_.Next();
    if (!next.ok()) return next.status();
    if (!next->has_value()) return false;
    ReceivedFrame frame;
    frame.bytes = **next;
    frame.length = capture_.length();
    frame.arrival = static_cast<uint64_t>(capture_.time());
    receiver->Add(frame);
  }
  return true;
}

}  // namespace twinpath
