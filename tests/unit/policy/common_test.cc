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

// The least frames of its kind, and any type of service: what it is made for is not left to the
// walk.
TEST(ParseCommon, TakesTheLeastOfEach) {
  Frame udp = Udp();
  udp.resize(14 + 20 + 8);
  udp[17] = 28;  // total length
  udp[39] = 8;   // UDP length
  EXPECT_TRUE(Agrees(udp, 42));
  EXPECT_TRUE(Agrees(udp, 60)) << "padding behind the datagram";
  Frame tcp = Tcp();
  tcp.resize(14 + 20 + 20);
  tcp[17] = 40;
  tcp[46] = 0x50;
  EXPECT_TRUE(Agrees(tcp, 54));
  for (int tos = 0; tos < 256; tos++) {
    udp[15] = static_cast<uint8_t>(tos);
    EXPECT_TRUE(Agrees(udp, 42)) << tos;
  }
}

// Only the first segment is at hand.
TEST(ParseCommon, LeavesHeadersThatEndBeyondTheSegment) {
  for (const auto& [frame, headers] : {std::pair(Udp(), 42), std::pair(Tcp(), 54)}) {
    const auto first = [&whole = frame](int length) {
      return Frame(whole.begin(), whole.begin() + length);
    };
    const auto length = static_cast<uint32_t>(frame.size());
    EXPECT_TRUE(Agrees(first(headers), length));
    for (int short_by = 1; short_by <= headers; short_by++)
      EXPECT_FALSE(Agrees(first(headers - short_by), length)) << short_by;
  }
}

TEST(ParseCommon, LeavesLengthsThatContradictEachOther) {
  const auto with = [](Frame frame, size_t offset, int value) {
    frame[offset] = static_cast<uint8_t>(value);
    return frame;
  };
  EXPECT_FALSE(Agrees(with(Udp(), 39, 7), 46)) << "UDP length of 7";
  EXPECT_FALSE(Agrees(with(Udp(), 39, 0), 46)) << "UDP length of 0";
  EXPECT_FALSE(Agrees(with(Udp(), 39, 13), 46)) << "UDP longer than its datagram, by one";
  EXPECT_TRUE(Agrees(with(Udp(), 39, 11), 46)) << "UDP shorter than its datagram";
  EXPECT_FALSE(Agrees(with(Udp(), 17, 33), 46)) << "a datagram longer than its frame, by one";
  EXPECT_FALSE(Agrees(with(Tcp(), 46, 0x40), 58)) << "TCP header of 16";
  EXPECT_FALSE(Agrees(with(Tcp(), 46, 0x00), 58)) << "TCP header of 0";
  EXPECT_FALSE(Agrees(with(Tcp(), 46, 0x70), 58)) << "TCP header longer than its datagram";
  EXPECT_TRUE(Agrees(with(Tcp(), 46, 0x50), 58)) << "TCP header shorter than its datagram";
}

TEST(ParseCommon, LeavesFragmentsOptionsTagsAndOtherProtocols) {
  EXPECT_TRUE(Agrees(Udp(), 46));
  for (size_t offset : {12, 13, 14}) {  // EtherType, version and header length: each bit
    for (int bit = 0; bit < 8; bit++) {
      Frame frame = Udp();
      frame[offset] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_FALSE(Agrees(frame, 46)) << offset << " bit " << bit;
    }
  }
  for (int field = 0x8000; field > 0; field >>= 1) {  // 0x8000: reserved; 0x4000: DF
    Frame frame = Udp();
    frame[20] = static_cast<uint8_t>(field >> 8);
    frame[21] = static_cast<uint8_t>(field);
    EXPECT_EQ(Agrees(frame, 46), field >= 0x4000) << std::hex << field;
  }
  for (int proto = 0; proto < 256; proto++) {
    if (proto == 6 || proto == 17) continue;
    Frame frame = Udp();
    frame[23] = static_cast<uint8_t>(proto);
    EXPECT_FALSE(Agrees(frame, 46)) << proto;
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
