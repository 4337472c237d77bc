// SPDX-License-Identifier: BSD-3-Clause
// Unfinished transport checksums: which frames have one, where it is and what it covers, by lengths
// that the test computes from the RFCs; and its finished value, by a model (checksum_model.h).

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "src/policy/egress/checksum.h"
#include "tests/unit/lib/checksum_model.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/parsed.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

struct Found {
  int found;
  tp_unfinished at;
};

// `segment` is the first segment of a frame of `frame_len` bytes.
Found Find(const Bytes& segment, size_t frame_len) {
  const tp_key key = ParseSegment(segment, frame_len).key;
  Found found = {};
  found.found =
      tp_find_unfinished(segment.data(), segment.data() + segment.size(), &key, &found.at);
  return found;
}
Found Find(const Bytes& frame) { return Find(frame, frame.size()); }

// TCP or UDP with `payload` bytes behind tags and IPv4 options or IPv6 extensions of `more` bytes.
Datagram Make(bool v6, uint8_t proto, size_t payload, int tags = 0, size_t more = 0,
              size_t padding = 0) {
  Datagram d;
  FrameBuilder f;
  for (int i = 0; i < tags; i++) f.Vlan(static_cast<uint16_t>(7 + i));
  if (v6) {
    f.Ipv6();
    if (more != 0) f.DestinationOptions(more / 8 - 1);
  } else {
    f.Ipv4();
    if (more != 0) f.Options(more);
  }
  d.v6 = v6;
  d.proto = proto;
  d.ip = 14 + 4 * static_cast<size_t>(tags);
  d.transport = d.ip + (v6 ? 40 : 20) + more;
  d.length = (proto == 6 ? 20 : 8) + payload;
  if (proto == 6)
    f.Tcp();
  else
    f.Udp();
  d.frame = f.Payload(payload).Padding(padding).Build();
  return d;
}

// The sum of what the checksum covers, as a path computes it: words as the machine loads them.
uint64_t SumOfWords(const Bytes& frame, const tp_unfinished& at) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < at.length; i++)
    sum += static_cast<uint64_t>(frame[at.at + i]) << (i % 2 != 0 ? 8 : 0);
  return sum;
}

void ExpectFinished(Datagram d, const std::string& what) {
  SCOPED_TRACE(what);
  Unfinish(&d);
  const Found found = Find(d.frame);
  ASSERT_EQ(found.found, 1);
  EXPECT_EQ(found.at.at, d.transport);
  EXPECT_EQ(found.at.length, d.length);
  EXPECT_EQ(found.at.field, d.field());
  const uint16_t checksum = tp_finished_checksum(d.proto, SumOfWords(d.frame, found.at));
  Datagram finished = d;
  Finish(&finished);
  tp_store16(&d.frame[d.field()], checksum);
  EXPECT_EQ(d.frame, finished.frame);
  const int stored = finished.frame[d.field()] << 8 | finished.frame[d.field() + 1];
  EXPECT_EQ(Find(finished.frame).found, stored == OnesSum(PseudoHeader(d)));
}

TEST(Checksum, EveryShapeOfUnfinishedFrameIsFoundAndFinished) {
  for (bool v6 : {false, true}) {
    for (uint8_t proto : {6, 17}) {
      for (int tags : {0, 1, 2}) {
        for (size_t more : {0, 8, 40}) {
          for (size_t payload : {0, 1, 2, 3, 4, 301, 1460}) {
            for (size_t padding : {0, 5}) {
              ExpectFinished(Make(v6, proto, payload, tags, more, padding),
                             std::to_string(v6 ? 6 : 4) + " " + std::to_string(proto) + " tags " +
                                 std::to_string(tags) + " more " + std::to_string(more) +
                                 " payload " + std::to_string(payload));
            }
          }
        }
      }
    }
  }
}

// At bytes 1,018 and 1,022, the last at which a transport header may begin.
TEST(Checksum, HeadersThatBeginWithinTheWindowAreFinished) {
  for (uint8_t proto : {6, 17}) {
    ExpectFinished(Make(true, proto, 30, 1, 960), "1018");
    ExpectFinished(Make(true, proto, 30, 0, 968), "1022");
  }
}

// All carries: addresses of all ones, zeros and random bytes.
TEST(Checksum, AddressesOfAnyKindAreSummed) {
  for (bool v6 : {false, true}) {
    for (uint8_t proto : {6, 17}) {
      for (uint64_t number = 0; number < 500; number++) {
        Datagram d = Make(v6, proto, number % 7);
        for (size_t i = 0; i < (v6 ? 32U : 8U); i++) {
          const uint64_t random = tp_word(1, number, i);
          const uint8_t ends[] = {0, 0xff, 0xfe, static_cast<uint8_t>(random >> 8)};
          d.frame[d.ip + (v6 ? 8 : 12) + i] = ends[number < 4 ? number : random & 3];
        }
        ExpectFinished(d, std::to_string(number));
      }
    }
  }
}

TEST(Checksum, AnyOtherChecksumIsLeft) {
  for (bool v6 : {false, true}) {
    for (uint8_t proto : {6, 17}) {
      Datagram d = Make(v6, proto, 9);
      Unfinish(&d);
      for (size_t bit = 0; bit < 16; bit++) {
        Datagram other = d;
        other.frame[d.field() + bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        EXPECT_EQ(Find(other.frame).found, 0) << bit;
      }
      SetField(&d, 0);
      EXPECT_EQ(Find(d.frame).found, 0) << "none";
    }
  }
}

// What UDP's length does not cover is not summed. RFC 768.
TEST(Checksum, UdpCoversItsOwnLength) {
  for (bool v6 : {false, true}) {
    for (size_t length : {8, 9, 20}) {
      Datagram d = Make(v6, 17, 40);
      d.length = length;
      d.frame[d.transport + 4] = 0;
      d.frame[d.transport + 5] = static_cast<uint8_t>(length);
      ExpectFinished(d, std::to_string(length));
    }
  }
}

// The pseudo-header of a fragment has the whole datagram's length, which only UDP's first fragment
// says, and the rest of the payload is elsewhere.
TEST(Checksum, FragmentsAndOtherProtocolsAreLeft) {
  using F = FrameBuilder;
  for (uint8_t proto : {6, 17}) {
    for (bool v6 : {false, true}) {
      Datagram d = Make(v6, proto, 24, 0, v6 ? 8 : 0);
      F f = v6 ? F().Ipv6().Fragment(0, true) : F().Ipv4().Fragment(0, true);
      d.frame = (proto == 6 ? f.Tcp() : f.Udp()).Payload(24).Build();
      Unfinish(&d);
      EXPECT_EQ(Find(d.frame).found, 0);
      Datagram whole = d;  // the same frame, but not a fragment
      if (v6)
        whole.frame[57] &= 0xfe;
      else
        whole.frame[20] = 0;
      EXPECT_EQ(Find(whole.frame).found, 1);
    }
  }
  // Bytes that would be an unfinished checksum of UDP, behind a protocol that has no ports.
  for (uint8_t proto : {1, 2, 58, 132, 136}) {
    Datagram d = Make(false, 17, 4);
    d.frame[23] = d.proto = proto;
    Unfinish(&d);
    EXPECT_EQ(Find(d.frame).found, 0) << int{proto};
  }
}

// The first segment of a frame that is as long as its length says.
Found FindFirst100(bool v6, uint8_t proto, size_t length) {
  Datagram d = Make(v6, proto, 60);
  d.length = length;
  const size_t total = length + (v6 ? 0 : 20);
  d.frame[d.ip + (v6 ? 4 : 2)] = static_cast<uint8_t>(total >> 8);
  d.frame[d.ip + (v6 ? 5 : 3)] = static_cast<uint8_t>(total);
  if (proto == 17) {
    d.frame[d.transport + 4] = static_cast<uint8_t>(length >> 8);
    d.frame[d.transport + 5] = static_cast<uint8_t>(length);
  }
  Unfinish(&d);
  d.frame.resize(100);
  return Find(d.frame, d.transport + length);
}

TEST(Checksum, TheLongestDatagramsAreFound) {
  for (uint8_t proto : {6, 17}) {
    for (bool v6 : {false, true}) {
      const size_t longest = v6 ? 65535 : 65515;
      for (size_t length : {longest, longest - 1, size_t{32768}, size_t{32767}}) {
        const Found found = FindFirst100(v6, proto, length);
        EXPECT_EQ(found.found, 1) << length;
        EXPECT_EQ(found.at.length, length);
      }
    }
  }
}

// RFC 2675: the length in the pseudo-header has 32 bits, so no NIC and no path finishes these.
TEST(Checksum, JumbogramsAreLeft) {
  for (uint8_t proto : {6, 17}) {
    Datagram d = Make(true, proto, 100, 0, 8);
    FrameBuilder f;
    f.Ipv6().Jumbo(70000);
    d.frame = (proto == 6 ? f.Tcp() : f.Udp().Patch(4, {0, 0})).Payload(100).Build();
    ASSERT_EQ(ParseSegment(d.frame, 54 + 70000).result, TP_PARSED);
    for (size_t length : {size_t{0}, size_t{20}, size_t{40}, size_t{70000 - 8}}) {
      d.length = length;
      Unfinish(&d);
      EXPECT_EQ(Find(d.frame, 54 + 70000).found, 0) << length;
    }
  }
}

TEST(Checksum, ASumIsFoldedWithEndAroundCarry) {
  const std::vector<std::pair<uint64_t, uint32_t>> sums = {
      {0, 0},
      {1, 1},
      {0xffff, 0xffff},
      {0x10000, 1},
      {0x1fffe, 0xffff},
      {0x1ffff, 1},
      {0xffffffff, 0xffff},
      {0x100000000, 1},
      {0xffff0001, 1},
      {0x0001000200030004, 10},
      {0x8000800080008000, 2},
      {0xfffeffff00000002, 1},
      {0xffffffff00000001, 1},
      {0xffffffffffff0001, 1},
      {0xffffffffffffffff, 0xffff},
  };
  for (const auto& [sum, folded] : sums) EXPECT_EQ(tp_fold_sum(sum), folded) << std::hex << sum;
  for (uint64_t i = 0; i < 100000; i++) {
    const uint64_t sum = tp_word(3, 4, i) | (i % 3 == 0 ? tp_word(3, 5, i) : 0);
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(sum >> shift));
    ASSERT_EQ(tp_fold_sum(sum), OnesSum(bytes)) << std::hex << sum;
  }
}

// RFC 768: UDP transmits a checksum of zero as all ones. TCP does not.
TEST(Checksum, AZeroIsAllOnesInUdpAlone) {
  EXPECT_EQ(tp_finished_checksum(17, 0xffff), 0xffff);
  EXPECT_EQ(tp_finished_checksum(6, 0xffff), 0);
  EXPECT_EQ(tp_finished_checksum(17, 0), 0xffff);
  EXPECT_EQ(tp_finished_checksum(6, 0), 0xffff);
  EXPECT_EQ(tp_finished_checksum(17, 0x1234), 0xedcb);
  EXPECT_EQ(tp_finished_checksum(6, 0xfffe), 1);
}

}  // namespace
}  // namespace twinpath
