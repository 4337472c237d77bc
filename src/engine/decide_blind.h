// SPDX-License-Identifier: BSD-3-Clause
// The blind tier, in which one rule matches every frame. Draws the fates of a burst at once, as a
// mask, and reads no frame. A template over the type of frame, so that a path's own frames are
// sorted and nothing is copied. `Access` is a struct of
//   Frame                              a frame, used by pointer
//   static uint32_t Length(const Frame*)      bytes of the whole frame
//   static uint8_t* Data(const Frame*)        its first byte
//   static uint32_t DataLength(const Frame*)  bytes at Data: of the first segment
// Has no state. Runs on the thread that serves the queue.

#ifndef TWINPATH_ENGINE_DECIDE_BLIND_H_
#define TWINPATH_ENGINE_DECIDE_BLIND_H_

#include <cstdint>
#include <cstring>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#include "src/engine/burst.h"
#include "src/policy/actions.h"
#include "src/policy/forward.h"

namespace twinpath {

// The sum of the lengths of `count` frames. Adds four at a time: on a wire without loss, this is
// most of the work besides receiving and sending.
template <typename Access>
uint64_t FrameBytes(typename Access::Frame* const* frames, uint32_t count) {
  uint64_t bytes[4] = {};
  const auto* end = frames + count;
  for (; end - frames >= 4; frames += 4) {
    bytes[0] += Access::Length(frames[0]);
    bytes[1] += Access::Length(frames[1]);
    bytes[2] += Access::Length(frames[2]);
    bytes[3] += Access::Length(frames[3]);
  }
  for (; frames != end; frames++) bytes[0] += Access::Length(*frames);
  return bytes[0] + bytes[1] + bytes[2] + bytes[3];
}

// Divides `count` frames (1 to 64) by `mask`, which must not be 0: moves frames whose bits are set
// to `taken`, and closes the gaps in `frames`. Both keep their order. `taken` must have room for
// `count` frames. Returns the number of frames that stay in `frames`.
template <typename Frame>
uint32_t PartitionByMask(Frame** frames, uint32_t count, uint64_t mask, Frame** taken) {
  uint32_t kept = static_cast<uint32_t>(
      __builtin_ctzll(mask));  // the frames before the first bit stay where they are
  uint32_t n_taken = 0;
  if (__builtin_popcountll(mask) <= 3) {
    // Few frames are taken: move each run of frames between them at once.
    do {
      const auto at = static_cast<uint32_t>(__builtin_ctzll(mask));
      mask &= mask - 1;
      const uint32_t next = mask != 0 ? static_cast<uint32_t>(__builtin_ctzll(mask)) : count;
      taken[n_taken++] = frames[at];
      std::memmove(frames + kept, frames + at + 1, (next - at - 1) * sizeof(*frames));
      kept += next - at - 1;
    } while (mask != 0);
    return kept;
  }
  // Has no branches, because the mask is random and branches would be mispredicted.
  for (uint32_t i = kept; i < count; i++) {
    Frame* frame = frames[i];
    const uint32_t bit = mask >> i & 1;
    taken[n_taken] = frame;
    frames[kept] = frame;
    n_taken += bit;
    kept += 1 - bit;
  }
  return kept;
}

// tp_reflect for a frame of at least 16 bytes in one segment: one load, one shuffle, one store.
inline void ReflectLong(uint8_t* data) {
#ifdef __SSSE3__
  const __m128i swap = _mm_setr_epi8(6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15);
  auto* head = reinterpret_cast<__m128i*>(data);
  _mm_storeu_si128(head, _mm_shuffle_epi8(_mm_loadu_si128(head), swap));
#else
  tp_reflect(data, data + 16);
#endif
}

// The result for a burst in the blind tier.
struct BlindOutcome {
  uint64_t bytes = 0;  // of all frames
  uint32_t kept = 0;   // frames neither lost nor malformed: the first ones, in order
  uint64_t kept_bytes = 0;
  uint32_t lost = 0;  // frames at the front of `dropped`
  uint64_t lost_bytes = 0;
  uint32_t malformed = 0;  // frames after the lost ones in `dropped`: too short to reflect
  uint64_t malformed_bytes = 0;
  tp_effects effects = {};  // of the kept frames
};

// Swaps the MAC addresses of outcome->kept frames. Frames that are too short count as malformed.
template <typename Access>
void ReflectAll(typename Access::Frame** frames, typename Access::Frame** dropped,
                BlindOutcome* outcome) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < outcome->kept; i++) {
    auto* frame = frames[i];
    uint8_t* data = Access::Data(frame);
    if (TP_LIKELY(Access::DataLength(frame) >= 16)) {
      ReflectLong(data);
    } else if (tp_reflect(data, data + Access::DataLength(frame)) != 0) {
      outcome->malformed_bytes += Access::Length(frame);
      dropped[outcome->malformed++] = frame;
      continue;
    }
    frames[kept++] = frame;
  }
  outcome->kept = kept;
  outcome->kept_bytes -= outcome->malformed_bytes;
}

// Decides `count` frames (1 to kMaxBurst) on a queue of TP_TIER_BLIND. `dropped` must have room for
// `count` frames. Counts packets by rule; the caller counts by queue.
template <typename Access>
BlindOutcome DecideBlind(QueuePlan* plan, typename Access::Frame** frames, uint32_t count,
                         typename Access::Frame** dropped) {
  tp_datapath* datapath = &plan->datapath;
  tp_state* state = &datapath->states[plan->fallback];
  BlindOutcome outcome;
  outcome.bytes = FrameBytes<Access>(frames, count);
  outcome.kept = count;
  outcome.kept_bytes = outcome.bytes;
  state->matched_bytes += outcome.bytes;
  const uint64_t fates = tp_lose_run(datapath, state, count);
  if (fates != 0) {
    outcome.kept = PartitionByMask(frames, count, fates, dropped);
    outcome.lost = count - outcome.kept;
    outcome.lost_bytes = FrameBytes<Access>(dropped, outcome.lost);
    outcome.kept_bytes -= outcome.lost_bytes;
    state->lost_packets += outcome.lost;
    state->lost_bytes += outcome.lost_bytes;
  }
  outcome.effects.rule = plan->fallback;
  switch (state->terms.action) {
    case TP_ACTION_PORT:
      outcome.effects.to = state->terms.out_port;
      break;
    case TP_ACTION_REFLECT:
      outcome.effects.to = datapath->port;
      ReflectAll<Access>(frames, dropped + outcome.lost, &outcome);
      break;
    case TP_ACTION_DROP:
      outcome.effects.fate = TP_FATE_DENIED;
      break;
    default:
      outcome.effects.to = TP_TO_KERNEL;
      break;
  }
  return outcome;
}

}  // namespace twinpath

#endif  // TWINPATH_ENGINE_DECIDE_BLIND_H_
