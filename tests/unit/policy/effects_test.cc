// SPDX-License-Identifier: BSD-3-Clause
// Where a packet goes, what the frame then is, and by which counter it is counted: each action,
// fate, delivery and destination, by the definitions in effects.h and forward.h.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "src/engine/frame_effects.h"
#include "src/policy/count.h"
#include "src/policy/forward.h"
#include "src/policy/parse.h"
#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

// tp_forward on a frame that port 3 received. The other fields of the effects are 1 to 6 before.
tp_effects Forward(uint8_t action, Bytes* frame) {
  tp_datapath datapath = {};
  datapath.port = 3;
  frame->reserve(1);  // an empty vector may have no memory at all
  datapath.data = frame->data();
  datapath.end = frame->data() + frame->size();
  tp_effects effects = {7, TP_FATE_LOST, 9, 1, 2, 3, 4, 5, 6};
  tp_forward(&datapath, action, 11, &effects);
  return effects;
}

tp_effects Effects(uint8_t fate, uint8_t to) { return {7, fate, to, 1, 2, 3, 4, 5, 6}; }

TEST(Forward, EachActionHasItsDestination) {
  const Bytes before = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00, 0x45};
  Bytes frame = before;
  EXPECT_EQ(Forward(TP_ACTION_PASS, &frame), Effects(0, 16)) << "the kernel";
  EXPECT_EQ(Forward(TP_ACTION_PORT, &frame), Effects(0, 11));
  EXPECT_EQ(Forward(TP_ACTION_DROP, &frame), Effects(TP_DENIED, 0));
  EXPECT_EQ(frame, before);
  EXPECT_EQ(Forward(TP_ACTION_REFLECT, &frame), Effects(0, 3)) << "the port of ingress";
  EXPECT_EQ(frame, (Bytes{7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 0x08, 0x00, 0x45}));
}

TEST(Forward, AFrameWithoutAnEthernetHeaderIsNotReflected) {
  for (size_t length = 0; length < 20; length++) {
    Bytes frame, swapped;
    for (size_t i = 0; i < length; i++) {
      frame.push_back(static_cast<uint8_t>(0x80 + i));
      swapped.push_back(static_cast<uint8_t>(0x80 + (i < 6 ? i + 6 : i < 12 ? i - 6 : i)));
    }
    const Bytes before = frame;
    const tp_effects effects = Forward(TP_ACTION_REFLECT, &frame);
    EXPECT_EQ(effects, length < 14 ? Effects(TP_MALFORMED, 0) : Effects(0, 3)) << length;
    EXPECT_EQ(frame, length < 14 ? before : swapped) << length;
  }
}

TEST(Effects, AreOfOneVerdict) {
  struct Case {
    uint8_t fate;
    tp_delivery delivery;
    uint8_t to;
    tp_verdict verdict;
  };
  const Case cases[] = {
      {0, TP_DELIVERED, 0, TP_TX},
      {0, TP_DELIVERED, 15, TP_TX},
      {0, TP_DELIVERED, TP_TO_KERNEL, TP_PASS},
      {0, TP_DELIVERED, TP_TO_MANY, TP_TX},
      {0, TP_REFUSED, 0, TP_TX_FULL},
      {0, TP_REFUSED, TP_TO_KERNEL, TP_TX_FULL},
      {0, TP_NOWHERE, 0, TP_NO_PORT},
      {0, TP_NOWHERE, TP_TO_KERNEL, TP_NO_PORT},
      {TP_LOST, TP_DELIVERED, 0, TP_LOST},
      {TP_LOST, TP_REFUSED, 0, TP_LOST},
      {TP_DENIED, TP_DELIVERED, TP_TO_KERNEL, TP_DENIED},
      {TP_DENIED, TP_NOWHERE, 0, TP_DENIED},
      {TP_MALFORMED, TP_DELIVERED, 0, TP_MALFORMED},
  };
  for (const Case& c : cases) {
    const tp_effects effects = {0, c.fate, c.to, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(tp_verdict_of(effects, c.delivery), c.verdict)
        << int{c.fate} << " " << c.delivery << " " << int{c.to};
  }
}

TEST(Count, EachVerdictAndEachPortHasItsOwnCounter) {
  tp_queue_counters counters = {};
  for (uint8_t port = 0; port < TP_MAX_PORTS; port++) {
    EXPECT_EQ(tp_verdict_count(&counters, TP_TX, port), &counters.tx[port]);
    for (int verdict = 1; verdict < TP_VERDICTS; verdict++) {
      EXPECT_EQ(tp_verdict_count(&counters, static_cast<tp_verdict>(verdict), port),
                &counters.verdict[verdict]);
    }
  }
  // No port is beyond the array, whatever the caller says.
  for (int port = TP_MAX_PORTS; port < 256; port++) {
    EXPECT_EQ(tp_verdict_count(&counters, TP_TX, static_cast<__u8>(port)),
              &counters.tx[port % TP_MAX_PORTS]);
  }
}

TEST(Count, AddsPacketsAndBytes) {
  tp_count count = {10, 1000}, shared = count, sum = count;
  const tp_count more = {3, 200};
  tp_count_add(&count, 3, 200);
  tp_count_add_shared(&shared, 3, 200);
  tp_count_sum(&sum, &more);
  for (const tp_count& c : {count, shared, sum, tp_count_read(&count)}) {
    EXPECT_EQ(c.packets, 13u);
    EXPECT_EQ(c.bytes, 1200u);
  }
}

// "malformed": "drop". A frame that is only too deep is sound.
TEST(Drops, MalformedFramesOfAPolicyThatSaysSo) {
  for (__u8 says : {0, 1}) {
    tp_datapath datapath = {};
    datapath.drops_malformed = says;
    EXPECT_FALSE(tp_drops(&datapath, TP_PARSED));
    EXPECT_EQ(tp_drops(&datapath, TP_PARSE_CUT), says);
    EXPECT_EQ(tp_drops(&datapath, TP_PARSE_CONTRADICTION), says);
    EXPECT_FALSE(tp_drops(&datapath, TP_PARSE_TOO_DEEP));
  }
}

TEST(Parse, TooDeepIsNotMalformed) {
  EXPECT_FALSE(tp_is_malformed(TP_PARSED));
  EXPECT_TRUE(tp_is_malformed(TP_PARSE_CUT));
  EXPECT_TRUE(tp_is_malformed(TP_PARSE_CONTRADICTION));
  EXPECT_FALSE(tp_is_malformed(TP_PARSE_TOO_DEEP));
}

}  // namespace
}  // namespace twinpath
