// SPDX-License-Identifier: BSD-3-Clause
// The parser's fast path gives the same key as the general parser, for every frame that it accepts.
// It accepts the frames that it is made for.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "src/policy/parse.h"

namespace {

using Frame = std::vector<uint8_t>;

Frame Udp() {
  return {2, 0,  0,    0,    0,    1,    2,  0,  0, 0, 0,  2, 8, 0, 0x45, 0xb8,
          0, 32, 0,    1,    0x40, 0,    64, 17, 0, 0, 10, 0, 0, 1, 10,   0,
          0, 2,  0x13, 0x88, 0x17, 0x70, 0,  12, 0, 0, 1,  2, 3, 4};
}

Frame Tcp() {
  Frame frame = Udp();
  frame[17] = 44;  // total length
  frame[23] = 6;
  frame.resize(34 + 24);
  frame[46] = 0x60;  // 24 bytes of header
  frame[47] = 0x12;  // SYN, ACK
  return frame;
}

int Common(const Frame& frame, uint32_t frame_len, tp_key* key) {
  std::memset(key, 0xee, sizeof(*key));
  // Exactly as long as the frame, so that a sanitizer sees reads beyond it. Not null even if the
  // frame is empty.
  std::unique_ptr<uint8_t[]> exact(new uint8_t[frame.size()]);
  std::copy(frame.begin(), frame.end(), exact.get());
  return tp_parse_common(exact.get(), exact.get() + frame.size(), frame_len, 3, TP_ALL_WORDS, key);
}

// Whether the fast path accepted the frame. Fails the test if the keys differ.
bool Agrees(const Frame& frame, uint32_t frame_len) {
  tp_key common, walked;
  std::memset(&walked, 0xdd, sizeof(walked));
  if (!Common(frame, frame_len, &common)) return false;
  const int result = tp_parse_headers(frame.data(), frame.data() + frame.size(), frame_len, 3,
                                      TP_ALL_WORDS, &walked);
  EXPECT_EQ(result, TP_PARSED);
  EXPECT_EQ(std::memcmp(&common, &walked, sizeof(common)), 0);
  return true;
}

TEST(ParseCommon, TakesUdpAndTcp) {
  EXPECT_TRUE(Agrees(Udp(), 46));
  EXPECT_TRUE(Agrees(Tcp(), 58));
}

TEST(ParseCommon, TakesTheHeadersOfALongerFrame) {
  Frame frame = Udp();
  frame[16] = 4, frame[17] = 0;    // total length 1024
  frame[38] = 3, frame[39] = 236;  // UDP length 1004
  EXPECT_TRUE(Agrees(frame, 1038));
  EXPECT_FALSE(Agrees(frame, 1037));
}

TEST(ParseCommon, LeavesEveryTruncationThatCutsWhatTheHeadersPromise) {
  for (const Frame& whole : {Udp(), Tcp()}) {
    for (size_t length = 0; length < whole.size(); length++) {
      const Frame frame(whole.begin(), whole.begin() + static_cast<long>(length));
      EXPECT_FALSE(Agrees(frame, static_cast<uint32_t>(length))) << length;
    }
  }
}

TEST(ParseCommon, LeavesFragmentsOptionsTagsAndOtherProtocols) {
  const std::vector<std::pair<size_t, uint8_t>> changes = {
      {20, 0x20}, {20, 0x01}, {21, 1}, {14, 0x46}, {12, 0x81}, {13, 0xdd}, {23, 1}, {23, 47}};
  for (auto [offset, value] : changes) {
    Frame frame = Udp();
    frame[offset] = value;
    EXPECT_FALSE(Agrees(frame, 46)) << offset;
  }
}

TEST(ParseCommon, AgreesWithTheWalkOnAMillionDamagedFrames) {
  std::mt19937 random(1);
  size_t taken = 0;
  for (int i = 0; i < 1000000; i++) {
    Frame frame = random() & 1 ? Udp() : Tcp();
    frame.resize(random() % (frame.size() + 8));
    // Damages any byte, or one that decides.
    for (uint32_t damage = random() % 4; damage > 0 && !frame.empty(); damage--) {
      const size_t decisive[] = {12, 13, 14, 16, 17, 20, 21, 23, 38, 39, 46};
      const size_t at = random() & 1 ? decisive[random() % std::size(decisive)] : random();
      frame[at % frame.size()] = static_cast<uint8_t>(random() & 1 ? random() : random() % 64);
    }
    taken += Agrees(frame, static_cast<uint32_t>(frame.size()));
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(taken, 50000U);
}

}  // namespace
