// SPDX-License-Identifier: BSD-3-Clause
// Sorts frames by the stream of their tag.

#include "src/traffic/receive/receiver.h"

#include "src/traffic/frames/tag.h"

namespace twinpath {

void Receiver::Add(const ReceivedFrame& frame) {
  frames_++;
  const TagRead tag = ReadTag(frame.bytes, frame.finished);
  if (tag.state == TagState::kNone) return;
  Stream*& stream = by_number_[tag.stream];
  if (tag.state == TagState::kCorrupted) {
    corrupted_++;
    // The number of a stream may itself be wrong: only a stream that is known takes it.
    if (tag.magic && stream != nullptr) stream->account.AddCorrupted();
    return;
  }
  tagged_++;
  last_tagged_ = frame.arrival;
  if (stream == nullptr) {
    auto& owner = streams_[tag.stream] = std::make_unique<Stream>();
    stream = owner.get();
    stream->first_arrival = frame.arrival;
  }
  stream->last_arrival = frame.arrival;
  stream->bytes += frame.length;
  if (!tag.verified) stream->unverified++;
  if (tag.clock != clock_ && !stream->relative) {
    stream->relative = true;
    stream->zero = tag.time - frame.arrival;
  }
  stream->account.Add(tag.sequence, tag.flow, TagTransit(tag.time, frame.arrival + stream->zero));
}

}  // namespace twinpath
