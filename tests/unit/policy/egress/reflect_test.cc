// SPDX-License-Identifier: BSD-3-Clause
// What "reflect-flow" and "reflect-echo" do with the bytes of a frame, and which frames they do not
// answer. The expected bytes are written out from the RFCs' layouts; their checksums were computed
// whole, not updated.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/policy/egress/reflect.h"
#include "src/policy/forward.h"
#include "src/policy/pipeline.h"
#include "tests/unit/lib/checksum_model.h"
#include "tests/unit/lib/frame_builder.h"
#include "tests/unit/lib/host_tables.h"

namespace twinpath {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Hex(const std::string& text) {
  const std::string bytes = absl::HexStringToBytes(absl::StrReplaceAll(text, {{" ", ""}}));
  return {bytes.begin(), bytes.end()};
}

std::string Text(const Bytes& bytes) {
  return absl::BytesToHexString(std::string(bytes.begin(), bytes.end()));
}

struct Result {
  int fate;
  std::string bytes;  // in hex
  bool operator==(const Result&) const = default;
};
void PrintTo(const Result& result, std::ostream* out) {
  *out << "fate " << result.fate << ", " << result.bytes;
}

// Rewrites a frame whose first segment has `segment` bytes. The memory is exactly as long, so that
// a sanitizer sees any access beyond it.
Result Rewrite(int (*rewrite)(__u8*, const __u8*, const tp_key*), const Bytes& frame,
               size_t segment) {
  const std::unique_ptr<uint8_t[]> data(new uint8_t[segment]);
  std::copy_n(frame.begin(), segment, data.get());
  tp_key key;
  tp_parse(data.get(), data.get() + segment, static_cast<uint32_t>(frame.size()), 0, &key);
  const int fate = rewrite(data.get(), data.get() + segment, &key);
  Bytes after = frame;
  std::copy_n(data.get(), segment, after.begin());
  return {fate, Text(after)};
}
Result Swap(const Bytes& frame) { return Rewrite(tp_swap_flow, frame, frame.size()); }
Result Answer(const Bytes& frame) { return Rewrite(tp_answer, frame, frame.size()); }

Result Forwarded(const Bytes& bytes) { return {TP_FATE_FORWARD, Text(bytes)}; }
Result Denied(const Bytes& bytes) { return {TP_FATE_DENIED, Text(bytes)}; }

const std::string kThere = "020000000002 020000000001 ", kBack = "020000000001 020000000002 ";

// From 10.0.0.1 to 10.0.0.2 and 2001:db8::1 to 2001:db8::a0b0:c0d2.
const std::string kA4 = "0a000001 ", kB4 = "0a000002 ";
const std::string kA6 = "20010db8000000000000000000000001 ";
const std::string kB6 = "20010db80000000000000000a0b0c0d2 ";

TEST(ReflectFlow, SwapsAddressesAndPortsAndNothingElse) {
  const std::string ip4 = "4500002000010000401166ca ";
  const std::pair<std::string, std::string> cases[] = {
      // UDP over IPv4; padding follows.
      {"0800" + ip4 + kA4 + kB4 + "03e807d0000cdc1501020304 eeee",
       "0800" + ip4 + kB4 + kA4 + "07d003e8000cdc1501020304 eeee"},
      // With a VLAN tag, and with two; behind a third, the IP header is not read.
      {"8100 2064 0800" + ip4 + kA4 + kB4 + "03e807d0000cdc1501020304",
       "8100 2064 0800" + ip4 + kB4 + kA4 + "07d003e8000cdc1501020304"},
      {"88a8 0005 8100 2064 0800" + ip4 + kA4 + kB4 + "03e807d0000cdc1501020304",
       "88a8 0005 8100 2064 0800" + ip4 + kB4 + kA4 + "07d003e8000cdc1501020304"},
      {"8100 0001 8100 0005 8100 2064 0800" + ip4 + kA4 + kB4 + "03e807d0000cdc1501020304",
       "8100 0001 8100 0005 8100 2064 0800" + ip4 + kA4 + kB4 + "03e807d0000cdc1501020304"},
      // TCP over IPv6, the second with a hop-by-hop header before it.
      {"86dd 60000000 0016 06 40" + kA6 + kB6 + "03e807d00000000100000002501002007cb800006869",
       "86dd 60000000 0016 06 40" + kB6 + kA6 + "07d003e80000000100000002501002007cb800006869"},
      {"86dd 60000000 001e 00 40" + kA6 + kB6 +
           "0600010400000000 03e807d00000000100000002501002007cb800006869",
       "86dd 60000000 001e 00 40" + kB6 + kA6 +
           "0600010400000000 07d003e80000000100000002501002007cb800006869"},
      // SCTP: its CRC32c covers the ports. The IP header has a checksum of its own.
      {"0800 450000200001000040846657" + kA4 + kB4 + "03e807d0000000000badcafe",
       "0800 450000200001000040846657" + kB4 + kA4 + "03e807d0000000000badcafe"},
      // ICMP.
      {"0800 4500001c0001000040016 6de" + kA4 + kB4 + "0800f7ff00000000",
       "0800 4500001c0001000040016 6de" + kB4 + kA4 + "0800f7ff00000000"},
      // The first fragment has ports, a later one has none.
      {"0800 450000200001200040114 6ca" + kA4 + kB4 + "03e807d00100dc1501020304",
       "0800 450000200001200040114 6ca" + kB4 + kA4 + "07d003e80100dc1501020304"},
      {"0800 450000200001000140116 6c9" + kA4 + kB4 + "03e807d00100dc1501020304",
       "0800 450000200001000140116 6c9" + kB4 + kA4 + "03e807d00100dc1501020304"},
      // No IP: ARP, an unknown EtherType, nothing at all behind the header.
      {"0806 0001080006040001 020000000001" + kA4 + "000000000000" + kB4,
       "0806 0001080006040001 020000000001" + kA4 + "000000000000" + kB4},
      {"88b5 0102", "88b5 0102"},
      {"0800", "0800"},
  };
  for (const auto& [before, after] : cases)
    EXPECT_EQ(Swap(Hex(kThere + before)), Forwarded(Hex(kBack + after))) << before;
}

// What a match could match is swapped, also in a malformed frame.
TEST(ReflectFlow, SwapsWhatWasReadOfAMalformedFrame) {
  // The datagram is longer than the frame: the ports were read. A UDP length of 7 is impossible:
  // they were not.
  const std::string cut = "0800 45000040000100004011 66aa", bad = "0800 45000020000100004011 66ca";
  EXPECT_EQ(Swap(Hex(kThere + cut + kA4 + kB4 + "03e807d0002c0000")),
            Forwarded(Hex(kBack + cut + kB4 + kA4 + "07d003e8002c0000")));
  EXPECT_EQ(Swap(Hex(kThere + bad + kA4 + kB4 + "03e807d00007000001020304")),
            Forwarded(Hex(kBack + bad + kB4 + kA4 + "03e807d00007000001020304")));
}

std::vector<Bytes> Frames() {
  return {FrameBuilder().Ipv4().Udp().Payload(9).Build(),
          FrameBuilder().Vlan(5).Ipv4().Options(8).Tcp().Payload(3).Build(),
          FrameBuilder().Ipv6().HopByHop(2).DestinationOptions().Udp().Payload(30).Build(),
          FrameBuilder().Vlan(1).Vlan(2).Ipv6().Fragment(0, true).Tcp().Options(12).Build(),
          FrameBuilder().Ipv6().DestinationOptions(130).Tcp().Payload(4).Build()};
}

// The header chain may end anywhere, in the frame or in its first segment.
TEST(ReflectFlow, IsBoundedByTheFrameAndItsFirstSegment) {
  for (const Bytes& whole : Frames()) {
    const Bytes swapped = Hex(Swap(whole).bytes);
    for (size_t length = 0; length < whole.size(); length++) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(length));
      for (const Result& result : {Swap(cut), Rewrite(tp_swap_flow, whole, length)}) {
        if (length < 14) {
          EXPECT_EQ(result.fate, TP_FATE_MALFORMED) << length;
          EXPECT_TRUE(Text(whole).starts_with(result.bytes) || result.bytes == Text(whole));
          continue;
        }
        ASSERT_EQ(result.fate, TP_FATE_FORWARD) << length;
        const Bytes after = Hex(result.bytes);
        for (size_t i = 0; i < after.size(); i++)
          ASSERT_TRUE(after[i] == swapped[i] || (i >= 14 && after[i] == whole[i])) << length;
        // Swapping again restores the frame.
        ASSERT_EQ(Rewrite(tp_swap_flow, after, std::min(length, after.size())).bytes,
                  Text(after.size() == whole.size() ? whole : cut));
      }
    }
  }
}

TEST(ReflectFlow, KeepsChecksumsValid) {
  for (uint16_t port = 1; port < 2000; port = static_cast<uint16_t>(port * 2 + 1)) {
    Datagram four, six;
    four.frame = FrameBuilder().Ipv4().Tcp(port, 80).Payload(port % 64).Build();
    four.length = 20 + port % 64;
    six.frame = FrameBuilder().Ipv6().Udp(port, 53).Payload(port % 64).Build();
    six.v6 = true;
    six.transport = 54;
    six.length = 8 + port % 64;
    six.proto = 17;
    for (Datagram* d : {&four, &six}) {
      Finish(d);
      Datagram swapped = *d;
      swapped.frame = Hex(Swap(d->frame).bytes);
      ASSERT_NE(swapped.frame, d->frame);
      const Bytes before = swapped.frame;
      Finish(&swapped);
      EXPECT_EQ(swapped.frame, before) << port;
    }
  }
}

const std::string kFrom1 = "020000000001 ", kEchoIp = "45000024000100004001 66d6 ";
const std::string kPing = "0800542f12340007 6162636465666768";
const std::string kPong = "00005c2f12340007 6162636465666768";
const std::string kPing6 = "80001eee12340007 6162636465666768";
const std::string kPong6 = "81001dee12340007 6162636465666768";
const std::string kIp6 = "60000000 0010 3a 40 ", kNdpIp = "60000000 0020 3a ff ";
const std::string kGroup = "ff0200000000000000000001ffb0c0d2 ";

// The requests, and their answers, behind the MAC addresses.
struct Exchange {
  std::string dst, request, answer_from, answer;
  Bytes Request(const std::string& tags = "") const {
    return Hex(absl::StrCat(dst, kFrom1, tags, request));
  }
  Bytes Reply(const std::string& tags = "") const {
    return Hex(absl::StrCat(kFrom1, answer_from, tags, answer));
  }
};
const Exchange kArp = {
    "ffffffffffff", "0806 0001 0800 06 04 0001 020000000001" + kA4 + "000000000000" + kB4,
    "02000a000002", "0806 0001 0800 06 04 0002 02000a000002" + kB4 + "020000000001" + kA4};
const Exchange kEcho4 = {"020000000002", "0800" + kEchoIp + kA4 + kB4 + kPing, "020000000002",
                         "0800" + kEchoIp + kB4 + kA4 + kPong};
const Exchange kEcho6 = {"020000000002", "86dd" + kIp6 + kA6 + kB6 + kPing6, "020000000002",
                         "86dd" + kIp6 + kB6 + kA6 + kPong6};
const Exchange kNeighbor = {
    "3333ffb0c0d2",
    "86dd" + kNdpIp + kA6 + kGroup + "8700f924 00000000" + kB6 + "0101 020000000001",
    "0200a0b0c0d2", "86dd" + kNdpIp + kB6 + kA6 + "880065ed 60000000" + kB6 + "0201 0200a0b0c0d2"};
const Exchange kExchanges[] = {kArp, kEcho4, kEcho6, kNeighbor};

TEST(ReflectEcho, MakesARequestItsOwnAnswer) {
  for (const Exchange& e : kExchanges) {
    for (const char* tags : {"", "8100 2064 ", "88a8 0005 8100 2064 "}) {
      EXPECT_EQ(Answer(e.Request(tags)), Forwarded(e.Reply(tags))) << tags;
      Bytes padded = e.Request(tags), answer = e.Reply(tags);
      padded.insert(padded.end(), 18, 0xee);
      answer.insert(answer.end(), 18, 0xee);
      EXPECT_EQ(Answer(padded), Forwarded(answer)) << tags;
    }
    const Bytes deep = e.Request("8100 0001 88a8 0005 8100 2064 ");
    EXPECT_EQ(Answer(deep), Denied(deep));
    EXPECT_EQ(Answer(e.Reply()), Denied(e.Reply())) << "an answer is not answered";
  }
}

// A frame that ends in its request is not answered. The payload may be in another segment.
TEST(ReflectEcho, IsBoundedByTheFrameAndItsFirstSegment) {
  for (const Exchange& e : kExchanges) {
    const Bytes whole = e.Request();
    const bool pings = &e == &kExchanges[1] || &e == &kExchanges[2];
    const size_t needed = pings ? whole.size() - 8 : whole.size();
    for (size_t length = 0; length < whole.size(); length++) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(length));
      const int fate = length < 14 ? TP_FATE_MALFORMED : TP_FATE_DENIED;
      EXPECT_EQ(Answer(cut), (Result{fate, Text(cut)})) << length;
      EXPECT_EQ(Rewrite(tp_answer, whole, length),
                length < needed ? (Result{fate, Text(whole)}) : Forwarded(e.Reply()))
          << length;
    }
  }
}

// A copy of a request with other bytes at an offset.
Bytes With(const Exchange& e, size_t at, const std::string& bytes) {
  Bytes frame = e.Request();
  const Bytes other = Hex(bytes);
  std::copy(other.begin(), other.end(), frame.begin() + static_cast<long>(at));
  return frame;
}

TEST(ReflectEcho, DeniesWhatIsNoSuchRequest) {
  const std::pair<const char*, Bytes> cases[] = {
      {"another hardware", With(kArp, 14, "0006")},
      {"another protocol", With(kArp, 16, "0801")},
      {"a hardware address of 8 bytes", With(kArp, 18, "08")},
      {"a protocol address of 16 bytes", With(kArp, 19, "10")},
      {"an ARP reply", With(kArp, 20, "0002")},
      {"an inverse ARP request", With(kArp, 20, "0008")},
      {"a probe: RFC 5227", With(kArp, 28, "00000000")},
      {"an announcement: RFC 5227", With(kArp, 28, "0a000002")},
      {"a sender that is a group", With(kArp, 28, "e0000001")},
      {"a target that is a group", With(kArp, 38, "e0000001")},
      {"a target that is everyone", With(kArp, 38, "ffffffff")},
      {"a target that is nobody", With(kArp, 38, "00000001")},
      {"RARP", With(kArp, 12, "8035")},
      {"a reply", With(kEcho4, 34, "00")},
      {"code 1", With(kEcho4, 35, "01")},
      {"a timestamp request", With(kEcho4, 34, "0d")},
      {"UDP", With(kEcho4, 23, "11")},
      {"a first fragment", With(kEcho4, 20, "2000")},
      {"a last fragment", With(kEcho4, 20, "0001")},
      {"options", With(kEcho4, 14, "46")},
      {"a datagram beyond the frame", With(kEcho4, 16, "0025")},
      {"another version", With(kEcho4, 14, "65")},
      {"from nobody", With(kEcho4, 26, "00000000")},
      {"from everyone", With(kEcho4, 26, "ffffffff")},
      {"to a group", With(kEcho4, 30, "e0000001")},
      {"to everyone", With(kEcho4, 30, "ffffffff")},
      {"to a broadcast of the link", With(kEcho4, 0, "ffffffffffff")},
      {"an ICMPv6 reply", With(kEcho6, 54, "81")},
      {"ICMPv6 code 1", With(kEcho6, 55, "01")},
      {"ICMP over IPv6", With(kEcho6, 20, "01")},
      {"a datagram of 7 bytes", With(kEcho6, 18, "0007")},
      {"an extension header", With(kEcho6, 20, "3c")},
      {"from nobody6", With(kEcho6, 22, "00000000000000000000000000000000")},
      {"from a group6", With(kEcho6, 22, "ff02")},
      {"to nobody6", With(kEcho6, 38, "00000000000000000000000000000000")},
      {"to a group6", With(kEcho6, 38, "ff02")},
      {"to a group of the link", With(kEcho6, 0, "33")},
      {"an advertisement", With(kNeighbor, 54, "88")},
      {"solicitation code 1", With(kNeighbor, 55, "01")},
      {"a hop limit of 254", With(kNeighbor, 21, "fe")},
      {"address detection: RFC 4862", With(kNeighbor, 22, "00000000000000000000000000000000")},
      {"a target group", With(kNeighbor, 62, "ff02")},
      {"another option", With(kNeighbor, 78, "0e")},
      {"a longer option", With(kNeighbor, 79, "02")},
      {"no option", With(kNeighbor, 18, "0018")},
      {"TCP", Hex(kThere + "0800 45000028000100004006 0000" + kA4 + kB4 +
                  "03e807d00000000100000002501002000000 0000")},
  };
  for (const auto& [name, frame] : cases) EXPECT_EQ(Answer(frame), Denied(frame)) << name;
}

// RFC 1624: an update gives what a whole computation gives, for any checksum, also for the one of a
// message of zeros, and a wrong checksum stays wrong by the same amount.
TEST(ReflectEcho, UpdatesTheChecksumOfEveryEcho) {
  for (uint32_t id = 0; id <= 0xffff; id++) {
    Bytes message = {8, 0, 0, 0, static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id), 0, 0};
    const auto sum = [&] { return static_cast<uint16_t>(~OnesSum(message)); };
    const uint16_t before = sum();
    message[0] = 0;
    const uint16_t after = sum();
    const std::string body =
        absl::BytesToHexString(std::string(message.begin() + 4, message.end()));
    const auto frame = [&](const char* type, uint16_t checksum) {
      const std::string field = {static_cast<char>(checksum >> 8), static_cast<char>(checksum)};
      return absl::StrCat(type, absl::BytesToHexString(field), body);
    };
    const std::string ip = "0800 4500001c000100004001 66de";
    ASSERT_EQ(Answer(Hex(kThere + ip + kA4 + kB4 + frame("0800", before))),
              Forwarded(Hex(kBack + ip + kB4 + kA4 + frame("0000", after))))
        << id;
  }
  Bytes wrong = kEcho4.Request(), answer = kEcho4.Reply();
  wrong[37]++;
  answer[37]++;
  EXPECT_EQ(Answer(wrong), Forwarded(answer));
}

TEST(ReflectEcho, UpdatesTheChecksumOfEveryNeighbor) {
  uint64_t draw = 1;
  for (int i = 0; i < 2000; i++) {
    Datagram d;
    d.frame = kNeighbor.Request();
    d.v6 = true;
    d.transport = 54;
    d.length = 32;
    d.proto = 58;
    const auto finish = [](Datagram* of) {  // the checksum is at offset 2, not 6
      of->frame[56] = of->frame[57] = 0;
      Bytes all = PseudoHeader(*of);
      all.insert(all.end(), of->frame.begin() + 54, of->frame.begin() + 86);
      const auto sum = static_cast<uint16_t>(~OnesSum(all));
      of->frame[56] = static_cast<uint8_t>(sum >> 8);
      of->frame[57] = static_cast<uint8_t>(sum);
    };
    for (size_t at : {30, 37, 46, 53, 58, 61, 70, 77, 80, 85}) {
      draw = draw * 6364136223846793005u + 1442695040888963407u;
      d.frame[at] = static_cast<uint8_t>(draw >> 56);
    }
    finish(&d);
    const Result result = Answer(d.frame);
    ASSERT_EQ(result.fate, TP_FATE_FORWARD);
    Datagram answer = d;
    answer.frame = Hex(result.bytes);
    finish(&answer);
    ASSERT_EQ(Text(answer.frame), result.bytes);
  }
}

// The whole decision: where the frames go, and that a rule counts what it does not answer.
TEST(ReflectEcho, CountsWhatARuleDoesNotAnswer) {
  const HostTables tables(CompileText(
      R"({"version": 1, "rules": [{"name": "n", "match": {"ether_type": "0x88b5"}}],
          "default": {"forward": "reflect-echo"}})"));
  ASSERT_EQ(tables.policy().plans[0].tier, TP_TIER_GENERAL);
  HostQueue queue(tables);
  const auto decide = [&](Bytes frame) {
    return HostDecide(tables.policy(), queue.datapath(), frame.data(),
                      static_cast<uint32_t>(frame.size()));
  };
  const tp_effects answered = decide(kEcho4.Request()), denied = decide(kEcho4.Reply()),
                   malformed = decide(Bytes(13));
  EXPECT_EQ(answered.fate, TP_FATE_FORWARD);
  EXPECT_EQ(denied.fate, TP_FATE_DENIED);
  EXPECT_EQ(malformed.fate, TP_FATE_MALFORMED);
  for (const tp_effects& effects : {answered, denied, malformed}) {
    EXPECT_EQ(effects.rule, 1u);
    EXPECT_EQ(effects.to, 0);
  }
  const tp_rule_extras* counts = tp_extras_of_rule(queue.datapath(), 1, 1);
  EXPECT_EQ(counts->unanswered.packets, 1u);
  EXPECT_EQ(counts->unanswered.bytes, kEcho4.Reply().size());
  EXPECT_EQ(counts->marked.packets, 0u);
  EXPECT_EQ(queue.state(1)->n, 3u);
}

}  // namespace
}  // namespace twinpath
